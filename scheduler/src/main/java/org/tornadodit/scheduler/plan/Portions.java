package org.tornadodit.scheduler.plan;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** What of a batch waits for a device. Devices take a portion, and put back what they could not finish. Thread safe. */
public final class Portions {
    private final Deque<Portion> waiting = new ArrayDeque<>();
    private int unfinished;
    private @Nullable RuntimeException stopped;

    /** @param samples of the whole batch */
    public Portions(int samples) {
        unfinished = samples;
    }

    public synchronized void add(Portion portion) {
        waiting.addLast(portion);
        notifyAll();
    }

    /**
     * The next portion, or its first samples where it is too large. Waits while there is none, because a device that is
     * still at work may put its own back.
     *
     * @param most samples
     * @return null when the batch is finished or stopped
     */
    public synchronized @Nullable Portion take(int most) throws InterruptedException {
        while (waiting.isEmpty() && unfinished > 0 && stopped == null) {
            wait();
        }
        if (stopped != null || waiting.isEmpty()) {
            return null;
        }
        Portion portion = waiting.removeFirst();
        if (portion.count() <= most) {
            return portion;
        }
        waiting.addFirst(portion.part(most, portion.count() - most));
        return portion.part(0, most);
    }

    public synchronized void finished(Portion portion) {
        unfinished -= portion.count();
        notifyAll();
    }

    /** Ends the batch: nobody gets a portion any more. The first reason counts. */
    public synchronized void stop(RuntimeException reason) {
        if (stopped == null) {
            stopped = reason;
        }
        notifyAll();
    }

    public synchronized boolean isStopped() {
        return stopped != null;
    }

    /** @throws RuntimeException the reason, when the batch was stopped */
    public synchronized void requireNotStopped() {
        if (stopped != null) {
            throw stopped;
        }
        if (unfinished != 0) {
            throw new IllegalStateException(unfinished + " samples were left undone");
        }
    }
}
