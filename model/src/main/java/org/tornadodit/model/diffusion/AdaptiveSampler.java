package org.tornadodit.model.diffusion;

import java.util.List;

/**
 * A sampler that decides, after some of its calls of the model, what the next ones are: steps are accepted or refused, and each
 * sample has as many as it needs. What is decided from are values of a whole sample, so that it is done on the host
 * ({@link #next}); between two decisions calls follow one another by their updates, {@link Update.Stage}, and the host looks at none.
 *
 * <p>A state is a list of arrays of the latents' shape: what the model is given next, what the updates keep, and last what only
 * decisions change, {@link #history()} beside the first. Before the first call there is only the first.
 */
public interface AdaptiveSampler extends Sampler {
    /**
     * Which call a sample takes next.
     *
     * @param done calls before it
     * @param known state of the sample after any of the calls since the last decision; not read before the first call
     */
    SamplerStep step(int done, List<float[]> known);

    /** As above, of the first call. */
    @Override
    default SamplerStep step(int done) {
        return step(done, List.of());
    }

    /** Whether the host decides after a call; the model's output is then where the latents were. */
    boolean decides(int done);

    /**
     * A sample after a call that is followed by a decision.
     *
     * @param done calls before it
     * @param state of the sample before the call; what the model was given is read of the first call's alone
     * @param output of the model (C, H, W), guided
     * @return new arrays
     * @throws IllegalStateException with one line for the user, when steps become too small or too many
     */
    List<float[]> next(int done, List<float[]> state, float[] output);

    /** Whether a sample has arrived: the first array of its state is the result. */
    boolean isFinished(int done, List<float[]> state);
}
