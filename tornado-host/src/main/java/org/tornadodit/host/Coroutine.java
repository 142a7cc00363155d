package org.tornadodit.host;

import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;

/**
 * Code that can stop in the middle and go on later. Only the thread that calls {@link #resume()} or the code inside
 * runs at any time, never both.
 */
abstract class Coroutine {
    /** Runs the code until it calls {@link #suspend()} or ends. */
    abstract void resume();

    /** To be called by the code inside: returns from {@link #resume()}, and comes back at the next one. */
    abstract void suspend();

    /** Whether it has been resumed at all. */
    abstract boolean hasStarted();

    /** Makes coroutines of the fastest kind that this JVM allows. */
    static Coroutine of(Runnable body) {
        return ContinuationCoroutine.isAvailable() ? new ContinuationCoroutine(body) : new ThreadCoroutine(body);
    }

    /** Runs tasks on threads that coroutines of {@link #of} are fast on. */
    static Runs runs() {
        return ContinuationCoroutine.isAvailable() ? new Helpers() : new VirtualThreads();
    }

    /** Runs of tasks that belong together. */
    interface Runs {
        /** Runs {@code task} so many times at once, and returns when they have ended and all that they have begun. */
        void run(int times, Runnable task);

        /** To be called by a task that runs: has another one run beside it. */
        void begin(Runnable task);
    }

    private static final class Helpers implements Runs {
        private final Queue<Helper> helpers = new ConcurrentLinkedQueue<>();

        @Override
        public void run(int times, Runnable task) {
            for (int i = 1; i < times; i++) {
                begin(task);
            }
            try {
                task.run();
            } finally {
                for (Helper helper = helpers.poll(); helper != null; helper = helpers.poll()) {
                    helper.join();
                }
            }
        }

        @Override
        public void begin(Runnable task) {
            Helper helper = new Helper(task);
            helpers.add(helper);
            HELPERS.execute(helper);
        }
    }

    /** On virtual threads. */
    static final class VirtualThreads implements Runs {
        private final Queue<CompletableFuture<Void>> runs = new ConcurrentLinkedQueue<>();

        @Override
        public void run(int times, Runnable task) {
            for (int i = 0; i < times; i++) {
                begin(task);
            }
            for (CompletableFuture<Void> run = runs.poll(); run != null; run = runs.poll()) {
                run.join();
            }
        }

        @Override
        public void begin(Runnable task) {
            runs.add(CompletableFuture.runAsync(task, run -> Thread.ofVirtual().start(run)));
        }
    }

    /**
     * As many as there is work for: a task may wait for the tasks of another device, so that none may have to wait for a thread that
     * one of those has.
     */
    private static final ExecutorService HELPERS = Executors.newCachedThreadPool(
            Thread.ofPlatform().daemon().name("work-groups-", 0).factory());

    /** A run of a task that its owner may do without, as long as it has not begun. */
    private static final class Helper implements Runnable {
        private final Runnable task;
        private final AtomicBoolean taken = new AtomicBoolean();
        private final CountDownLatch done = new CountDownLatch(1);

        Helper(Runnable task) {
            this.task = task;
        }

        @Override
        public void run() {
            if (taken.compareAndSet(false, true)) {
                try {
                    task.run();
                } finally {
                    done.countDown();
                }
            }
        }

        /** Waits for its end, even when interrupted, or keeps it from beginning. */
        void join() {
            boolean interrupted = false;
            while (!taken.compareAndSet(false, true) && done.getCount() > 0) {
                try {
                    done.await();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /**
     * A virtual thread that hands the turn over by parking: works everywhere. A microsecond a switch from another virtual
     * thread; ten from a platform thread, which the operating system has to wake.
     */
    static final class ThreadCoroutine extends Coroutine {
        private final Thread thread;
        private volatile boolean inside;
        private volatile boolean done;
        private volatile Thread caller = Thread.currentThread();

        ThreadCoroutine(Runnable body) {
            this.thread = Thread.ofVirtual().unstarted(() -> {
                try {
                    body.run();
                } finally {
                    done = true;
                    inside = false;
                    LockSupport.unpark(caller);
                }
            });
        }

        @Override
        void resume() {
            if (done) {
                return;
            }
            caller = Thread.currentThread();
            inside = true;
            if (thread.getState() == Thread.State.NEW) {
                thread.start();
            } else {
                LockSupport.unpark(thread);
            }
            while (inside) {
                LockSupport.park(this);
            }
        }

        @Override
        boolean hasStarted() {
            return thread.getState() != Thread.State.NEW;
        }

        @Override
        void suspend() {
            inside = false;
            LockSupport.unpark(caller);
            while (!inside) {
                LockSupport.park(this);
            }
        }
    }
}
