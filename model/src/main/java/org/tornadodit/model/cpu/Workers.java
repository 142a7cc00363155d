package org.tornadodit.model.cpu;

import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/**
 * A fixed number of threads that share out numbered tasks. Which thread runs a task is left to chance, so a task writes
 * to its own part of the result and to nothing else: results do not depend on the number of threads.
 */
public final class Workers implements AutoCloseable {

    /** What is run for each task. */
    @FunctionalInterface
    public interface Task {
        /**
         * @param task number of the task
         * @param worker number of the thread that runs it, less than {@link #threads()}: the index of its scratch space
         */
        void run(int task, int worker);
    }

    private final int threads;
    private final ExecutorService pool;

    /**
     * @param threads at least 1; the calling thread is one of them
     * @throws IllegalArgumentException when there is none
     */
    public Workers(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("threads is " + threads + ", expected at least 1");
        }
        this.threads = threads;
        this.pool = Executors.newFixedThreadPool(
                Math.max(1, threads - 1),
                Thread.ofPlatform().name("dit-cpu-", 0).daemon().factory());
    }

    /** As many threads as the machine has processors for this process. */
    public static Workers ofAllCores() {
        return new Workers(Runtime.getRuntime().availableProcessors());
    }

    /** Number of threads. */
    public int threads() {
        return threads;
    }

    /**
     * Runs {@code task} for 0 to {@code count - 1} and returns when all have ended. Not to be called from a task.
     *
     * @throws RuntimeException what a task threw first; the tasks not yet begun are then left out
     */
    public void forEach(int count, Task task) {
        int helpers = Math.min(threads, count) - 1;
        AtomicInteger next = new AtomicInteger();
        AtomicReference<Throwable> failure = new AtomicReference<>();
        CountDownLatch done = new CountDownLatch(Math.max(0, helpers));
        for (int i = 1; i <= helpers; i++) {
            int worker = i;
            pool.execute(() -> {
                drain(next, count, task, worker, failure);
                done.countDown();
            });
        }
        drain(next, count, task, 0, failure);
        awaitUninterruptibly(done);
        Throwable thrown = failure.get();
        if (thrown instanceof Error error) {
            throw error;
        }
        if (thrown instanceof RuntimeException exception) {
            throw exception;
        }
    }

    /**
     * {@link #forEach} over items so small that {@code group} of them make a task.
     *
     * @throws RuntimeException what an item threw first
     */
    public void forEachInGroups(int count, int group, Task item) {
        forEach(Math.ceilDiv(count, group), (task, worker) -> {
            int end = Math.min(count, (task + 1) * group);
            for (int i = task * group; i < end; i++) {
                item.run(i, worker);
            }
        });
    }

    private static void drain(
            AtomicInteger next, int count, Task task, int worker, AtomicReference<Throwable> failure) {
        try {
            for (int i = next.getAndIncrement(); i < count; i = next.getAndIncrement()) {
                task.run(i, worker);
            }
        } catch (RuntimeException | Error e) {
            failure.compareAndSet(null, e);
            next.set(count);
        }
    }

    private static void awaitUninterruptibly(CountDownLatch done) {
        boolean interrupted = false;
        while (true) {
            try {
                done.await();
                break;
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    /** Ends the threads. */
    @Override
    public void close() {
        pool.shutdown();
    }
}
