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

    private static final ThreadFactory THREADS =
            Thread.ofPlatform().daemon().name("dit-checks-", 0).factory();

    private final Map<Check, CompletableFuture<Void>> begun = new ConcurrentHashMap<>();
    private final Set<ExecutorService> executors = ConcurrentHashMap.newKeySet();

    /** Begins those that have not begun. */
    void begin(Set<Check> checks) {
        ExecutorService executor = Executors.newFixedThreadPool(
                Math.min(MOST_THREADS, Runtime.getRuntime().availableProcessors()), THREADS);
        executors.add(executor);
        for (Check check : checks) {
            begun.computeIfAbsent(check, key -> CompletableFuture.runAsync(key::run, executor));
        }
        executor.shutdown(); // when it has done them
    }

    /** Whether a check has begun, and {@link #await} tells of it. */
    boolean has(Check check) {
        return begun.containsKey(check);
    }

    /** Waits for all that have begun, and throws what the first of them that failed has thrown. */
    void await() {
        for (CompletableFuture<Void> check : begun.values()) {
            try {
                check.join();
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
        executors.forEach(ExecutorService::shutdownNow);
        executors.forEach(ExecutorService::close);
    }
}
