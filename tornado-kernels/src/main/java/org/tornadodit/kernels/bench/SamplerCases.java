package org.tornadodit.kernels.bench;

import java.util.Map;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.PhiloxNoise;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the sampler's kernels. */
public final class SamplerCases {
    /** Coefficients of a middle step of 250, rounded: the check needs their sizes, not their truth. */
    private static final float[] COEFFICIENTS = {4f, 3.9f, 3.8f, 0.02f, 0.97f, -4.2f, -4.1f, 1f, 0.3f, 0.9f, 0.25f};

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
                i -> NoiseReference.normal(draw, i),
                3e-7,
                0,
                4.0 * elements);
    }

    /**
     * {@link DenoiseStep}.
     *
     * @param sampler {@link DenoiseStep#DDPM} or {@link DenoiseStep#DDIM}
     * @param outChannels 2 channels with a learned variance, else channels
     * @param guidedChannels 0 for a batch without guidance
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
        int batch = guidedChannels > 0 ? 2 * samples : samples;
        FloatArray model = Data.random(1, batch * pixels / channels * outChannels, 0.5);
        FloatArray latents = Data.random(2, samples * pixels, 1);
        FloatArray before = Data.copy(latents);
        FloatArray coefficients = FloatArray.fromArray(COEFFICIENTS);
        IntArray draw = Data.ints(1, 0, 3, 0, 1 << 18, 5);
        FloatArray noise = Data.random(3, noiseSource == DenoiseStep.NOISE_ARRAY ? samples * pixels : 1, 1);
        StepReference reference = new StepReference(
                model, coefficients, samples, channels, size, patch, outChannels, guidedChannels, sampler);
        return new KernelCase(
                sampler == DenoiseStep.DDIM ? "step ddim" : "step ddpm",
                samples + "x" + channels + "x" + size + "/" + patch,
                new Object[] {model, latents, coefficients, draw, noise},
                graph -> graph.task(
                        "denoise",
                        DenoiseStep::denoise,
                        context,
                        model,
                        latents,
                        coefficients,
                        draw,
                        noise,
                        samples,
                        channels,
                        size,
                        patch,
                        outChannels,
                        guidedChannels,
                        sampler,
                        noiseSource),
                Map.of("denoise", Launch.elementwise(samples * pixels)),
                latents,
                i -> reference.value(
                        i,
                        before.get(i),
                        noiseSource == DenoiseStep.NOISE_ARRAY ? noise.get(i) : NoiseReference.normal(draw, i)),
                1e-6,
                0,
                4.0 * samples * pixels * 5);
    }

    /** A step in float64, term by term as {@link DenoiseStep} says. */
    private record StepReference(
            FloatArray model,
            FloatArray coefficients,
            int samples,
            int channels,
            int size,
            int patch,
            int outChannels,
            int guidedChannels,
            int sampler) {

        double value(int index, double x, double normal) {
            int w = index % size;
            int h = index / size % size;
            int c = index / size / size % channels;
            int n = index / size / size / channels;
            double eps = pixel(n, h, w, c);
            if (c < guidedChannels) {
                double without = pixel(n + samples, h, w, c);
                eps = without + coefficients.get(DenoiseStep.GUIDANCE_SCALE) * (eps - without);
            }
            double a = coefficients.get(DenoiseStep.SQRT_RECIP_ALPHAS_CUMPROD);
            double b = coefficients.get(DenoiseStep.SQRT_RECIPM1_ALPHAS_CUMPROD);
            double start = a * x - b * eps;
            double noise = normal * coefficients.get(DenoiseStep.NOISE_FACTOR);
            if (sampler == DenoiseStep.DDIM) {
                return start * coefficients.get(DenoiseStep.SQRT_ALPHAS_CUMPROD_PREV)
                        + coefficients.get(DenoiseStep.DDIM_DIRECTION) * (a * x - start) / b
                        + coefficients.get(DenoiseStep.DDIM_SIGMA) * noise;
            }
            double logVariance = coefficients.get(DenoiseStep.MAX_LOG_VARIANCE);
            if (outChannels > channels) {
                double fraction = (pixel(n, h, w, c + channels) + 1) / 2;
                logVariance = fraction * logVariance + (1 - fraction) * coefficients.get(DenoiseStep.MIN_LOG_VARIANCE);
            }
            return coefficients.get(DenoiseStep.POSTERIOR_MEAN_COEF1) * start
                    + coefficients.get(DenoiseStep.POSTERIOR_MEAN_COEF2) * x
                    + Math.exp(logVariance / 2) * noise;
        }

        /** The model's output at a pixel, through DiT's unpatchify: (N, h, w, p, q, c) to (N, c, h p, w q). */
        private double pixel(int n, int h, int w, int c) {
            int side = size / patch;
            int token = (n * side + h / patch) * side + w / patch;
            return model.get(((token * patch + h % patch) * patch + w % patch) * outChannels + c);
        }
    }
}
