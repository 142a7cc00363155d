package org.tornadodit.host;

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

    /** A virtual thread that hands the turn over by parking: works everywhere, microseconds a switch. */
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
