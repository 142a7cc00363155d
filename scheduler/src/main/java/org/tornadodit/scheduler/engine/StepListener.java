package org.tornadodit.scheduler.engine;

import java.util.function.Supplier;

/** Told after each denoising step, on the thread that waits for the batch. What it throws ends the batch. */
@FunctionalInterface
public interface StepListener {

    /** Hears nothing, and is not woken for it. */
    StepListener NONE = (done, state) -> {};

    /**
     * Told in order; a batch that is far ahead of its listener waits for it.
     *
     * @param done steps finished by all samples, from 1
     * @param state the latents (N, C, H, W), and the sampler's history, as they are after this step; without arrays unless
     *     {@link #wantsState} asked for them, and also if it did, when some samples are far behind the others
     */
    void stepDone(int done, Supplier<SamplingState> state);

    /**
     * As {@link #stepDone}, but at once, on the thread that ended the step, whatever the listener's own is doing: for clocks. It
     * must not wait.
     */
    default void reached(int done) {}

    /** Whether {@link #stepDone} is going to read the state after a step; it stays on the device otherwise. On any thread. */
    default boolean wantsState(int done) {
        return false;
    }

    /** No sample of the batch has a place yet: others are at work. What this throws takes the batch back. */
    default void waits() {}

    /** The first of the samples has a place. */
    default void begins() {}
}
