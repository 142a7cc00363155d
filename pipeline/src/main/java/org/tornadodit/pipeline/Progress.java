package org.tornadodit.pipeline;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

/** How far a request is. Told after each step, in order, on the thread that waits for the request. */
public final class Progress {
    private final int step;
    private final int steps;
    private final int batch;
    private final int batches;
    private final double stepsPerSecond;
    private final Duration timeLeft;
    private final List<Picture> previews;
    private final AtomicBoolean cancelled;

    Progress(
            int step,
            int steps,
            int batch,
            int batches,
            double stepsPerSecond,
            Duration timeLeft,
            List<Picture> previews,
            AtomicBoolean cancelled) {
        this.step = step;
        this.steps = steps;
        this.batch = batch;
        this.batches = batches;
        this.stepsPerSecond = stepsPerSecond;
        this.timeLeft = timeLeft;
        this.previews = previews;
        this.cancelled = cancelled;
    }

    /** Steps of the batch that are done, from 1. */
    public int step() {
        return step;
    }

    /** Steps of a batch; 0 with dopri5, which decides on the way. */
    public int steps() {
        return steps;
    }

    /** The batch, from 1. */
    public int batch() {
        return batch;
    }

    /** Batches of the request: more than one where it has more labels than the largest batch, or asks for several. */
    public int batches() {
        return batches;
    }

    /** Share of the request that is done, 0 to 1, decoding left out; whole batches alone where {@link #steps} is 0. */
    public double fraction() {
        return (batch - 1 + (steps == 0 ? 0 : (double) step / steps)) / batches;
    }

    /** Steps of the request a second since it began, previews and steps of other requests in between included; 0 where that is unknown. */
    public double stepsPerSecond() {
        return stepsPerSecond;
    }

    /**
     * About how long the rest takes, as the steps so far took; without decoding, and waiting for other requests. Zero where
     * {@link #steps} is 0.
     */
    public Duration timeLeft() {
        return timeLeft;
    }

    /**
     * The batch's pictures as they are so far, after each {@link Request#previewEvery} steps; empty otherwise, and where a
     * device is far behind the others.
     */
    public List<Picture> previews() {
        return previews;
    }

    /** Ends the request: whoever waits for it gets a {@link java.util.concurrent.CancellationException}. */
    public void cancel() {
        cancelled.set(true);
    }

    /** For example {@code step 12 of 250, 0:31 left}. */
    @Override
    public String toString() {
        String which = batches == 1 ? "" : "batch %d of %d, ".formatted(batch, batches);
        if (steps == 0) {
            return "%sstep %d".formatted(which, step);
        }
        long seconds = timeLeft.toSeconds();
        return "%sstep %d of %d, %d:%02d left".formatted(which, step, steps, seconds / 60, seconds % 60);
    }
}
