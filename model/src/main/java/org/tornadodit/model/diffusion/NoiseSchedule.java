package org.tornadodit.model.diffusion;

/** Noise levels in ascending order, and the time that a denoiser is given at each. */
public interface NoiseSchedule {

    /** Number of levels. */
    int steps();

    /**
     * What the denoiser's embedding of time takes: a timestep of the trained process, or a fraction of it.
     *
     * @param index 0, the least noise, to {@code steps() - 1}
     */
    double time(int index);

    /** How noisy latents are there. */
    NoiseLevel level(int index);
}
