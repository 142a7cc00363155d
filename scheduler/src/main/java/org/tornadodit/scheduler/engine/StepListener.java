package org.tornadodit.scheduler.engine;

import java.util.function.Supplier;

/** Told after each denoising step. What it throws ends the run. */
@FunctionalInterface
public interface StepListener {

    /**
     * @param done steps finished by all samples, from 1
     * @param latents reads the latents (N, C, H, W) as they are after this step. Where several devices are at work,
     *     an empty array unless {@link #wantsLatents} asked for them beforehand; and also if it did, when a device is far
     *     behind the others
     */
    void stepDone(int done, Supplier<float[]> latents);

    /** Whether {@link #stepDone} is going to read the latents after a step; they stay on the device otherwise. */
    default boolean wantsLatents(int done) {
        return false;
    }
}
