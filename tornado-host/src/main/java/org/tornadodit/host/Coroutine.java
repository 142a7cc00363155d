package org.tornadodit.host;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;

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

    /** Runs {@code task} so many times at once, on threads that coroutines of {@link #of} are fast on. */
    static void run(int times, Runnable task) {
        if (ContinuationCoroutine.isAvailable()) {
            IntStream.range(0, times).parallel().forEach(i -> task.run());
        } else {
            ThreadCoroutine.run(times, task);
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

        static void run(int times, Runnable task) {
            CompletableFuture<?>[] runs = new CompletableFuture<?>[times];
            for (int i = 0; i < times; i++) {
                runs[i] = CompletableFuture.runAsync(
                        task, run -> Thread.ofVirtual().start(run));
            }
            CompletableFuture.allOf(runs).join();
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
