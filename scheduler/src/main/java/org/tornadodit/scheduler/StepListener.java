package org.tornadodit.scheduler;

import java.util.function.Supplier;

/** Told after each denoising step. */
@FunctionalInterface
public interface StepListener {

    /**
     * @param done steps finished, from 1
     * @param latents reads the latents (N, C, H, W) as they are after this step; they stay on the device if not asked for
     */
    void stepDone(int done, Supplier<float[]> latents);
}
