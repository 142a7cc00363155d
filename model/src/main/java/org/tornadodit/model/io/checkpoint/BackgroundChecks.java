package org.tornadodit.model.io.checkpoint;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.tornadodit.model.io.tensor.StoredTensor.Check;

/** Checks that run beside the work with what they check: what is made of it counts when {@link #await} has passed. */
final class BackgroundChecks implements AutoCloseable {

    /** Checksums are limited by the memory's bandwidth, which four cores use up. */
    private static final int MOST_THREADS = 4;

    private final Map<Check, Begun> begun = new ConcurrentHashMap<>();
    private final Set<ExecutorService> executors = ConcurrentHashMap.newKeySet();

    /**
     * A check on its way. This, loops in place of method references, and a plain factory of threads: what Java links at run
     * time costs the first reading of a process 30 ms.
     */
    private static final class Begun implements Runnable {
        private final Check check;
        private final CompletableFuture<Void> outcome = new CompletableFuture<>();

        Begun(Check check) {
            this.check = check;
        }

        @Override
        public void run() {
            try {
                check.run();
                outcome.complete(null);
            } catch (Throwable failure) {
                outcome.completeExceptionally(failure);
            }
        }
    }

    private static final class Threads implements ThreadFactory {
        @Override
        public Thread newThread(Runnable work) {
            Thread thread = new Thread(work, "dit-checks");
            thread.setDaemon(true);
            return thread;
        }
    }

    /** Begins those that have not begun. */
    void begin(Set<Check> checks) {
        ExecutorService executor = Executors.newFixedThreadPool(
                Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()), new Threads());
        executors.add(executor);
        for (Check check : checks) {
            Begun each = new Begun(check);
            if (begun.putIfAbsent(check, each) == null) {
                executor.execute(each);
            }
        }
        executor.shutdown(); // when it has done them
    }

    /** Whether a check has begun, and {@link #await} tells of it. */
    boolean has(Check check) {
        return begun.containsKey(check);
    }

    /** Waits for all that have begun, and throws what the first of them that failed has thrown. */
    void await() {
        for (Begun check : begun.values()) {
            try {
                check.outcome.join();
            } catch (CompletionException failed) {
                switch (failed.getCause()) {
                    case RuntimeException failure -> throw failure;
                    case Error failure -> throw failure; // a page that is gone
                    case null, default -> throw failed;
                }
            }
        }
    }

    /** Drops those that wait, and waits for those that run: the memory that they read may go afterwards. */
    @Override
    public void close() {
        for (ExecutorService executor : executors) {
            executor.shutdownNow();
        }
        for (ExecutorService executor : executors) {
            executor.close();
        }
    }
}
