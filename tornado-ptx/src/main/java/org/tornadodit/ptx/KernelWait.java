package org.tornadodit.ptx;

import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/**
 * Waits for kernels that are compiled or loaded in other threads, as long as one after the other gets done. Where none does
 * for a while, a line names those that are left and where the threads are; after a long while they are given up.
 *
 * @param quiet until the line
 * @param most until they are given up
 * @param line takes what is said meanwhile
 */
record KernelWait(Duration quiet, Duration most, Consumer<String> line) {

    private static final int NAMED = 5;

    /**
     * Returns when all are done, and throws what the first of them that failed has thrown.
     *
     * @param kernels by their names
     * @param done what becomes of them, as in "3 of 27 kernels were not compiled"
     * @param threads names of the threads that do it
     * @throws KernelsLateException when there is no end of it
     * @throws CancellationException when the waiting thread is interrupted
     */
    void await(Map<String, ? extends Future<?>> kernels, String done, String threads) {
        int left = kernels.size() + 1;
        long since = System.nanoTime();
        boolean said = false;
        while (true) {
            Map<String, Future<?>> open = new LinkedHashMap<>(kernels);
            open.values().removeIf(Future::isDone);
            if (open.isEmpty()) {
                break;
            }
            long now = System.nanoTime();
            if (open.size() < left) {
                left = open.size();
                since = now;
                said = false;
            }
            Duration waited = Duration.ofNanos(now - since);
            if (waited.compareTo(most) >= 0) {
                throw new KernelsLateException(words(open, kernels.size(), done, threads, waited)
                        + "; if it happens again, try --no-kernel-cache");
            }
            if (!said && waited.compareTo(quiet) >= 0) {
                said = true;
                line.accept(words(open, kernels.size(), done, threads, waited) + "; still waiting");
            }
            awaitOne(open.values().iterator().next(), (said ? most : quiet).minus(waited));
        }
        kernels.values().forEach(KernelWait::requireDone);
    }

    /** Nothing was done for the longest time that one waits. */
    static final class KernelsLateException extends IllegalStateException {
        private static final long serialVersionUID = 1;

        KernelsLateException(String message) {
            super(message);
        }
    }

    private static void awaitOne(Future<?> future, Duration most) {
        try {
            future.get(Math.max(1, most.toMillis()), TimeUnit.MILLISECONDS);
        } catch (TimeoutException | ExecutionException later) {
            return; // told when all are done, or it is time to say something
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    private static void requireDone(Future<?> future) {
        switch (future.state()) {
            case SUCCESS, RUNNING -> {}
            case CANCELLED -> throw new CancellationException("a kernel was cancelled");
            case FAILED -> {
                if (future.exceptionNow() instanceof RuntimeException failure) {
                    throw failure;
                }
                throw new IllegalStateException(future.exceptionNow());
            }
        }
    }

    private static String words(Map<String, ?> open, int all, String done, String threads, Duration waited) {
        String names = open.keySet().stream().limit(NAMED).collect(Collectors.joining(", "));
        return String.format(
                Locale.ROOT,
                "%d of %d kernels were not %s in %d s: %s%s (%s)",
                open.size(),
                all,
                done,
                waited.toSeconds(),
                names,
                open.size() > NAMED ? ", ..." : "",
                places(threads));
    }

    /** What the threads of a name are at. */
    private static String places(String threads) {
        String places = Thread.getAllStackTraces().entrySet().stream()
                .filter(each -> each.getKey().getName().equals(threads) && each.getValue().length > 0)
                .map(each -> Arrays.stream(each.getValue())
                        .limit(2)
                        .map(frame -> frame.getClassName() + "." + frame.getMethodName())
                        .collect(Collectors.joining(" in ")))
                .distinct()
                .limit(NAMED)
                .collect(Collectors.joining(", "));
        return places.isEmpty() ? "no thread " + threads + " is there" : threads + " at " + places;
    }
}
