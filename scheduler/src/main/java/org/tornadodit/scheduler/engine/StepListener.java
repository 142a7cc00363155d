package org.tornadodit.scheduler.engine;

import java.util.function.Supplier;

/** Told after each denoising step. What it throws ends the run. */
@FunctionalInterface
public interface StepListener {

    /**
     * @param done steps finished by all samples, from 1
     * @param state reads the latents (N, C, H, W), and the sampler's history, as they are after this step. Where several
     *     devices are at work, a state without arrays unless {@link #wantsState} asked for them beforehand; and also if it
     *     did, when a device is far behind the others
     */
    void stepDone(int done, Supplier<SamplingState> state);

    /** Whether {@link #stepDone} is going to read the state after a step; it stays on the device otherwise. */
    default boolean wantsState(int done) {
        return false;
    }
}
