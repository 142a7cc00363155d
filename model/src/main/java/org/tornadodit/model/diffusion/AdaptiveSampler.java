package org.tornadodit.model.diffusion;

import java.util.List;

/**
 * A sampler that decides after each call of the model what the next one is: steps are accepted or refused, and each sample has
 * as many as it needs. What is decided from are values of a whole sample, so that it is done on the host: the model's output is
 * what a step leaves in the place of the latents, and this makes the next input of it.
 *
 * <p>A state is a list of arrays of the latents' shape: first what the model is given next, then {@link #history()} more,
 * of which before the first call there are none. {@link #step} is what the first call takes.
 */
public interface AdaptiveSampler extends Sampler {
    /** A step that leaves the model's output, guided, where the latents were. */
    Update.Linear OUTPUT = Update.Linear.move(0, 1, 0);

    /**
     * Which call a sample takes next; its update is {@link #OUTPUT}.
     *
     * @param done calls before it
     * @param state of the sample; not read before the first call
     */
    SamplerStep step(int done, List<float[]> state);

    /**
     * A sample after a call.
     *
     * @param done calls before it
     * @param state of the sample before the call
     * @param output of the model (C, H, W), guided
     * @return new arrays
     * @throws IllegalStateException with one line for the user, when steps become too small or too many
     */
    List<float[]> next(int done, List<float[]> state, float[] output);

    /** Whether a sample has arrived: the first array of its state is the result. */
    boolean isFinished(int done, List<float[]> state);
}
