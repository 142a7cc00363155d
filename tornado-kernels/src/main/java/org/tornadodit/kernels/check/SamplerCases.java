package org.tornadodit.kernels.check;

import java.util.Map;
import java.util.stream.IntStream;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.PhiloxNoise;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the sampler's kernels. */
public final class SamplerCases {
    /** Coefficients of a middle step of 250, rounded: the check needs their sizes, not their truth. */
    private static final float[] STEP = {
        4f, 3.9f, 3.8f, 0.02f, 0.97f, -4.2f, -4.1f, 1f, 0.3f, 0.9f, 0.25f, 0, 0, 0.4f, 0.6f, 0.3f, 0.5f, 0.2f, 0.35f,
        0.15f
    };

    private SamplerCases() {}

    /** A draw on so few threads that all four normals of a counter are used, and more than one counter. */
    public static KernelCase randn(int elements, int firstElement) {
        KernelContext context = new KernelContext();
        int threads = Math.max(1, elements / 6);
        IntArray draw = Data.ints(0x89abcdef, 7, 42, 0, threads, firstElement);
        FloatArray out = ArrayPages.floats(elements);
        return new KernelCase(
                "randn",
                elements + " from " + firstElement,
                new Object[] {draw},
                graph -> graph.task("randn", PhiloxNoise::randn, context, draw, out, elements),
                Map.of("randn", Launch.elementwise(elements)),
                out,
                i -> NoiseReference.normal(draw, 0, i),
                3e-7,
                0,
                4.0 * elements);
    }

    /**
     * {@link DenoiseStep}, of samples at different steps, every third one unguided.
     *
     * @param sampler {@link DenoiseStep#DDPM}, {@link DenoiseStep#DDIM}, {@link DenoiseStep#MULTISTEP},
     *     {@link DenoiseStep#PREDICTOR_CORRECTOR}, {@link DenoiseStep#LINEAR}, or {@link DenoiseStep#STAGE} of 5, 4, 3, 2, 1 and
     *     no slopes in turn
     * @param outChannels 2 channels with a learned variance, else channels
     * @param guidedChannels of the guided samples; 0 where none is guided
     * @param noiseSource {@link DenoiseStep#NOISE_PHILOX} or {@link DenoiseStep#NOISE_ARRAY}
     */
    public static KernelCase step(
            int samples,
            int channels,
            int size,
            int patch,
            int outChannels,
            int guidedChannels,
            int sampler,
            int noiseSource) {
        KernelContext context = new KernelContext();
        int pixels = channels * size * size;
        boolean[] guided = new boolean[samples];
        for (int i = 0; i < samples; i++) {
            guided[i] = guidedChannels > 0 && i % 3 != 1;
        }
        IntArray batch = Data.batch(new int[samples], guided, 0);
        FloatArray model = Data.random(1, batch.get(Batch.PASSES) * pixels / channels * outChannels, 0.5);
        int arrays = 1 + (sampler == DenoiseStep.STAGE ? DenoiseStep.STAGE_HISTORY : DenoiseStep.HISTORY);
        FloatArray latents = Data.random(2, arrays * samples * pixels, 1);
        FloatArray before = Data.copy(latents);
        FloatArray coefficients = ArrayPages.floats(samples * DenoiseStep.LENGTH);
        IntArray draw = ArrayPages.ints(samples * PhiloxNoise.LENGTH);
        for (int i = 0; i < samples; i++) {
            for (int j = 0; j < STEP.length; j++) {
                coefficients.set(i * DenoiseStep.LENGTH + j, STEP[j] * (1 + i / 64f));
            }
            coefficients.set(i * DenoiseStep.LENGTH + DenoiseStep.SAMPLER, sampler);
            coefficients.set(i * DenoiseStep.LENGTH + DenoiseStep.GUIDED_CHANNELS, guided[i] ? guidedChannels : 0);
            if (sampler == DenoiseStep.STAGE) {
                coefficients.set(i * DenoiseStep.LENGTH + DenoiseStep.STAGE_SLOPES, 5 - i % 6);
            }
            int[] drawOf = {1 + i, 0, 3 + i, 0, 1 << 18, 5 + i * pixels};
            for (int j = 0; j < drawOf.length; j++) {
                draw.set(i * PhiloxNoise.LENGTH + j, drawOf[j]);
            }
        }
        FloatArray noise = Data.random(3, noiseSource == DenoiseStep.NOISE_ARRAY ? samples * pixels : 1, 1);
        StepReference reference =
                new StepReference(batch, model, coefficients, 2 * samples, channels, size, patch, outChannels);
        return new KernelCase(
                switch (sampler) {
                    case DenoiseStep.DDIM -> "step ddim";
                    case DenoiseStep.MULTISTEP -> "step multistep";
                    case DenoiseStep.PREDICTOR_CORRECTOR -> "step predictor-corrector";
                    case DenoiseStep.LINEAR -> "step linear";
                    case DenoiseStep.STAGE -> "step stage";
                    default -> "step ddpm";
                },
                samples + "x" + channels + "x" + size + "/" + patch,
                new Object[] {batch, model, latents, coefficients, draw, noise},
                graph -> graph.task(
                        "denoise",
                        DenoiseStep::denoise,
                        context,
                        batch,
                        model,
                        latents,
                        coefficients,
                        draw,
                        noise,
                        2 * samples,
                        channels,
                        size,
                        patch,
                        outChannels,
                        samples * pixels,
                        noiseSource),
                Map.of("denoise", Launch.elementwise(samples * pixels)),
                latents,
                i -> {
                    int at = i % (samples * pixels);
                    return reference.value(
                            i / (samples * pixels),
                            at,
                            IntStream.range(0, arrays)
                                    .mapToDouble(array -> before.get(array * samples * pixels + at))
                                    .toArray(),
                            noiseSource == DenoiseStep.NOISE_ARRAY
                                    ? noise.get(at)
                                    : NoiseReference.normal(draw, at / pixels * PhiloxNoise.LENGTH, at % pixels));
                },
                1e-6,
                0,
                4.0 * samples * pixels * 5);
    }

    /** A step in float64, term by term as {@link DenoiseStep} says. */
    private record StepReference(
            IntArray batch,
            FloatArray model,
            FloatArray coefficients,
            int most,
            int channels,
            int size,
            int patch,
            int outChannels) {

        /**
         * An element afterwards.
         *
         * @param array 0 for the latents, 1 for the last x0, 2 for what is kept of a correction; of stages 1 for y, 2 and more for slopes
         * @param before the element in each array
         */
        double value(int array, int index, double[] before, double normal) {
            int n = index / size / size / channels;
            int sampler = (int) coefficient(n, DenoiseStep.SAMPLER);
            double x = before[0];
            if (sampler == DenoiseStep.STAGE) {
                return stage(array, index, before);
            }
            if (sampler == DenoiseStep.LINEAR && array == 0) {
                return coefficient(n, DenoiseStep.LINEAR_X) * x
                        + coefficient(n, DenoiseStep.LINEAR_OUTPUT) * output(index)
                        + coefficient(n, DenoiseStep.LINEAR_KEPT) * before[1]
                        + coefficient(n, DenoiseStep.LINEAR_NOISE) * coefficient(n, DenoiseStep.NOISE_FACTOR) * normal;
            }
            if (sampler == DenoiseStep.LINEAR && array == 1) {
                return coefficient(n, DenoiseStep.KEEP_X) * x + coefficient(n, DenoiseStep.KEEP_OUTPUT) * output(index);
            }
            double start = start(index, x);
            double noise = normal * coefficient(n, DenoiseStep.NOISE_FACTOR);
            boolean corrects = sampler == DenoiseStep.PREDICTOR_CORRECTOR;
            double from = corrects
                    ? coefficient(n, DenoiseStep.CORRECTION_X) * x
                            + before[2]
                            + coefficient(n, DenoiseStep.CORRECTION_START) * start
                    : x;
            if (array == 1) {
                return corrects || sampler == DenoiseStep.MULTISTEP ? start : before[1];
            }
            if (array == 2) {
                return corrects
                        ? coefficient(n, DenoiseStep.KEPT_START) * start
                                + coefficient(n, DenoiseStep.MULTISTEP_X) * from
                                + coefficient(n, DenoiseStep.KEPT_DIFFERENCE) * (start - before[1])
                        : before[2];
            }
            if (corrects || sampler == DenoiseStep.MULTISTEP) {
                return coefficient(n, DenoiseStep.MULTISTEP_START) * start
                        + coefficient(n, DenoiseStep.MULTISTEP_X) * from
                        + coefficient(n, DenoiseStep.MULTISTEP_DIFFERENCE) * (start - before[1])
                        + coefficient(n, DenoiseStep.SIGMA) * noise;
            }
            if (sampler == DenoiseStep.DDIM) {
                double a = coefficient(n, DenoiseStep.SQRT_RECIP_ALPHAS_CUMPROD);
                double b = coefficient(n, DenoiseStep.SQRT_RECIPM1_ALPHAS_CUMPROD);
                return start * coefficient(n, DenoiseStep.SQRT_ALPHAS_CUMPROD_PREV)
                        + coefficient(n, DenoiseStep.DDIM_DIRECTION) * (a * x - start) / b
                        + coefficient(n, DenoiseStep.SIGMA) * noise;
            }
            double logVariance = coefficient(n, DenoiseStep.MAX_LOG_VARIANCE);
            if (outChannels > channels) {
                double fraction = (output(index, channels) + 1) / 2;
                logVariance = fraction * logVariance + (1 - fraction) * coefficient(n, DenoiseStep.MIN_LOG_VARIANCE);
            }
            return coefficient(n, DenoiseStep.POSTERIOR_MEAN_COEF1) * start
                    + coefficient(n, DenoiseStep.POSTERIOR_MEAN_COEF2) * x
                    + Math.exp(logVariance / 2) * noise;
        }

        private double stage(int array, int index, double[] before) {
            int n = index / size / size / channels;
            int slopes = (int) coefficient(n, DenoiseStep.STAGE_SLOPES);
            if (array > 0) {
                return slopes > 0 && array == 2 + slopes ? output(index) : before[array];
            }
            double result = slopes > 0 ? before[1] : output(index);
            for (int k = 0; k < slopes; k++) {
                result -= before[2 + k] * coefficient(n, DenoiseStep.STAGE_SHARES + k);
            }
            return slopes > 0 ? result - output(index) * coefficient(n, DenoiseStep.STAGE_SHARES + slopes) : result;
        }

        /** x0 under guidance. */
        private double start(int index, double x) {
            int n = index / size / size / channels;
            double a = coefficient(n, DenoiseStep.SQRT_RECIP_ALPHAS_CUMPROD);
            double b = coefficient(n, DenoiseStep.SQRT_RECIPM1_ALPHAS_CUMPROD);
            return a * x - b * output(index);
        }

        /** The output under guidance. */
        private double output(int index) {
            int w = index % size;
            int h = index / size % size;
            int c = index / size / size % channels;
            int n = index / size / size / channels;
            int pass = batch.get(Batch.conditional(n, most));
            double eps = pixel(pass, h, w, c);
            if (c < coefficient(n, DenoiseStep.GUIDED_CHANNELS)) {
                double without = pixel(batch.get(Batch.unconditional(n, most)), h, w, c);
                eps = without + coefficient(n, DenoiseStep.GUIDANCE_SCALE) * (eps - without);
            }
            return eps;
        }

        /** The conditional pass' output for an element of the latents, or so many channels behind. */
        private double output(int index, int behind) {
            int n = index / size / size / channels;
            int pass = batch.get(Batch.conditional(n, most));
            return pixel(pass, index / size % size, index % size, index / size / size % channels + behind);
        }

        private double coefficient(int sample, int which) {
            return coefficients.get(sample * DenoiseStep.LENGTH + which);
        }

        /** The model's output at a pixel, through DiT's unpatchify: (N, h, w, p, q, c) to (N, c, h p, w q). */
        private double pixel(int n, int h, int w, int c) {
            int side = size / patch;
            int token = (n * side + h / patch) * side + w / patch;
            return model.get(((token * patch + h % patch) * patch + w % patch) * outChannels + c);
        }
    }
}
