package org.tornadodit.model.diffusion;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One step of a sampler as data: when the denoiser is asked, how x_0 follows from its answer, and what becomes of the
 * latents.
 *
 * @param time what the denoiser's embedding of time takes
 * @param interval what MeanFlow's second embedding takes, t - r; 0 for others
 * @param guidedAt share of the noise, 1 to 0, that decides whether guidance is on; of Heun's two calls the first one's. For a
 *     timestep of 0 to 999 it is a thousandth of it
 * @param start x_0 from the latents and the denoiser's output
 * @param update the latents after the step
 */
public record SamplerStep(
        double time, double interval, double guidedAt, Prediction.StartEstimate start, Update update) {

    /** Models of a velocity have no use for x_0. */
    private static final Prediction.StartEstimate NO_START = new Prediction.StartEstimate(0, 0);

    /** Of a process of {@link Diffusion#TRAINED_TIMESTEPS}. */
    public SamplerStep(double time, Prediction.StartEstimate start, Update update) {
        this(time, 0, time / Diffusion.TRAINED_TIMESTEPS, start, update);
    }

    /** Of a model that predicts a velocity. */
    static SamplerStep ofVelocity(double time, double interval, double guidedAt, Update update) {
        return new SamplerStep(time, interval, guidedAt, NO_START, update);
    }

    /**
     * The step on the host, without clipping of x_0, as {@code sample.py} runs it.
     *
     * @param n samples N
     * @param state the latents (N, C, H, W), or any layout whose samples follow one another, and then the sampler's
     *     history in the same layout
     * @param modelOutput (N, 2C, H, W), prediction and then variance in each sample; (N, C, H, W) for a model that
     *     learns no variance
     * @param noise (N, C, H, W) normals, or longer; may be null where the step uses none
     * @return the state after the step, new arrays
     * @throws IllegalArgumentException when the lengths do not fit together
     */
    public List<float[]> take(int n, List<float[]> state, float[] modelOutput, float @Nullable [] noise) {
        float[] x = state.getFirst();
        boolean learned = modelOutput.length == 2 * x.length;
        if (n < 1 || x.length % n != 0 || !learned && modelOutput.length != x.length) {
            throw new IllegalArgumentException(
                    "%d samples, x of %d elements, model output of %d".formatted(n, x.length, modelOutput.length));
        }
        if (update.noisy() && (noise == null || noise.length < x.length)) {
            throw new IllegalArgumentException(
                    "noise of %d elements for x of %d".formatted(noise == null ? 0 : noise.length, x.length));
        }
        List<float[]> after = new ArrayList<>();
        state.forEach(array -> after.add(new float[x.length]));
        int size = x.length / n;
        int outputs = modelOutput.length / n;
        for (int at = 0; at < x.length; at++) {
            int of = at / size * outputs + at % size;
            float z = noise == null ? 0 : noise[at];
            float estimate = start.of(x[at], modelOutput[of]);
            after.getFirst()[at] = switch (update) {
                case Update.Ancestral a ->
                    a.next(x[at], estimate, learned ? a.logVariance(modelOutput[of + size]) : a.fixedLogVariance(), z);
                case Update.Implicit i -> i.next(start, x[at], estimate, z);
                case Update.Linear l -> {
                    float kept = l.keeps() ? state.get(1)[at] : 0;
                    if (l.keeps()) {
                        after.get(1)[at] = l.keep(x[at], modelOutput[of]);
                    }
                    yield l.next(x[at], modelOutput[of], kept, z);
                }
                case Update.Multistep m -> {
                    after.get(1)[at] = estimate;
                    yield m.next(x[at], estimate, state.get(1)[at], z);
                }
                case Update.PredictorCorrector p -> {
                    float previous = state.get(1)[at];
                    float corrected = p.corrected(x[at], estimate, state.get(2)[at]);
                    after.get(1)[at] = estimate;
                    after.get(2)[at] = p.keep(corrected, estimate, previous);
                    yield p.next(corrected, estimate, previous);
                }
                case Update.Stage s -> {
                    for (int array = 1; array < state.size(); array++) {
                        after.get(array)[at] = s.keep(state, array, at, modelOutput[of]);
                    }
                    yield s.next(state, at, modelOutput[of]);
                }
            };
        }
        return after;
    }
}
