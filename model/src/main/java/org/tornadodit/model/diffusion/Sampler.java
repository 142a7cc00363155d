package org.tornadodit.model.diffusion;

/**
 * How latents go from noise to data: which steps there are, and what each makes of a denoiser's output. Immutable, and
 * the same for all samples that share it.
 */
public interface Sampler {

    /** Which it is, with {@link SamplingMethod}'s name. */
    SamplingMethod method();

    /** Number of steps, each with one call of the denoiser. */
    int steps();

    /** Its steps in a few words, such as {@code 250 DDPM}. */
    default String inWords() {
        return steps() + " " + method();
    }

    /**
     * A step.
     *
     * @param done steps before it, 0 to {@code steps() - 1}
     */
    SamplerStep step(int done);

    /** Arrays of the latents' shape that pass from a step to the next beside the latents. */
    default int history() {
        return method().history();
    }

    /**
     * Calls of {@code torch.randn} that belong to the first steps, used or not: the stream's position after a run is part of
     * what is reproduced. A step has one at most. The noise to start from is not among them.
     *
     * @param done steps, 0 to {@link #steps()}
     */
    int draws(int done);

    /** Whether a step of guided samples draws for both halves of the batch, of which the first is used; or once for each. */
    default boolean drawsForBothHalves() {
        return true;
    }
}
