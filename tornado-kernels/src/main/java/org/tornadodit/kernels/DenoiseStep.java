package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What follows the model in a step of sampling, in one pass over the latents: unpatchify, classifier-free guidance, the
 * DDPM step with the learned variance or the DDIM step, and the step's noise.
 *
 * <p>DDPM: {@code x0 = a x - b eps}; {@code mean = c1 x0 + c2 x}; {@code log variance = f maxLog + (1 - f) minLog}
 * with {@code f = (v + 1) / 2} (A. Nichol and P. Dhariwal, Improved DDPM, 2021, equation 15);
 * {@code x' = mean + exp(log variance / 2) noise}. DDIM: {@code eps' = (a x - x0) / b} and
 * {@code x' = sqrt(abar') x0 + sqrt(1 - abar' - sigma^2) eps' + sigma noise} (J. Song et al., 2021, equation 12).
 */
public final class DenoiseStep {
    /** Samplers. */
    public static final int DDPM = 0;

    public static final int DDIM = 1;

    /** Sources of noise: {@link PhiloxNoise}, or the array that the host filled. */
    public static final int NOISE_PHILOX = 0;

    public static final int NOISE_ARRAY = 1;

    /** Indices into the float array of a step: the guidance scale; 1 for a sample without guidance changes nothing. */
    public static final int GUIDANCE_SCALE = 0;
    /** sqrt(1 / abar), a above, */
    public static final int SQRT_RECIP_ALPHAS_CUMPROD = 1;
    /** sqrt(1 / abar - 1), b above, */
    public static final int SQRT_RECIPM1_ALPHAS_CUMPROD = 2;
    /** c1 and c2 above, */
    public static final int POSTERIOR_MEAN_COEF1 = 3;

    public static final int POSTERIOR_MEAN_COEF2 = 4;
    /** the clipped logarithm of the posterior's variance, and the logarithm of beta; equal for a fixed variance, */
    public static final int MIN_LOG_VARIANCE = 5;

    public static final int MAX_LOG_VARIANCE = 6;
    /** 1, or 0 in the last step, which adds no noise, */
    public static final int NOISE_FACTOR = 7;
    /** and for DDIM sqrt(abar'), sqrt(1 - abar' - sigma^2) and sigma. */
    public static final int SQRT_ALPHAS_CUMPROD_PREV = 8;

    public static final int DDIM_DIRECTION = 9;
    public static final int DDIM_SIGMA = 10;

    /** Length of the float array of a step. */
    public static final int LENGTH = 11;

    private DenoiseStep() {}

    /**
     * One step. Launch: {@link Launch#elementwise} of samples * C * size * size.
     *
     * @param model the final layer's output, (2 samples, T, P * P * outChannels) with guidance, the conditional samples
     *     first, and (samples, ...) without
     * @param latents (samples, C, size, size), x, replaced by x'
     * @param coefficients see the constants of this class
     * @param draw see {@link PhiloxNoise}; its elements are those of latents
     * @param noise (samples, C, size, size) for {@link #NOISE_ARRAY}, else any array
     * @param outChannels 2 C with a learned variance, else C
     * @param guidedChannels how many of the first channels guidance changes, 3 in facebookresearch/DiT; 0 for a batch
     *     without unconditional samples
     */
    public static void denoise(
            KernelContext context,
            FloatArray model,
            FloatArray latents,
            FloatArray coefficients,
            IntArray draw,
            FloatArray noise,
            int samples,
            int channels,
            int size,
            int patch,
            int outChannels,
            int guidedChannels,
            int sampler,
            int noiseSource) {
        int index = context.globalIdx;
        if (index < samples * channels * size * size) {
            int column = index % size;
            int row = index / size % size;
            int channel = index / (size * size) % channels;
            int sample = index / (size * size * channels);
            int side = size / patch;
            int token = sample * side * side + row / patch * side + column / patch;
            int at = (token * patch * patch + row % patch * patch + column % patch) * outChannels + channel;

            float eps = model.get(at);
            if (channel < guidedChannels) {
                float unconditional = model.get(at + samples * side * side * patch * patch * outChannels);
                eps = unconditional + coefficients.get(GUIDANCE_SCALE) * (eps - unconditional);
            }
            float x = latents.get(index);
            float recip = coefficients.get(SQRT_RECIP_ALPHAS_CUMPROD);
            float recipm1 = coefficients.get(SQRT_RECIPM1_ALPHAS_CUMPROD);
            float start = recip * x - recipm1 * eps;
            float mean;
            float deviation;
            if (sampler == DDIM) {
                float direction = (recip * x - start) / recipm1;
                mean = start * coefficients.get(SQRT_ALPHAS_CUMPROD_PREV)
                        + coefficients.get(DDIM_DIRECTION) * direction;
                deviation = coefficients.get(DDIM_SIGMA);
            } else {
                mean = coefficients.get(POSTERIOR_MEAN_COEF1) * start + coefficients.get(POSTERIOR_MEAN_COEF2) * x;
                float logVariance = coefficients.get(MAX_LOG_VARIANCE);
                if (outChannels > channels) {
                    float fraction = (model.get(at + channels) + 1f) / 2f;
                    logVariance = fraction * logVariance + (1f - fraction) * coefficients.get(MIN_LOG_VARIANCE);
                }
                deviation = TornadoMath.exp(0.5f * logVariance);
            }
            deviation = deviation * coefficients.get(NOISE_FACTOR);
            float result = mean;
            if (deviation != 0f) {
                float normal = noiseSource == NOISE_ARRAY ? noise.get(index) : PhiloxNoise.normal(draw, index);
                result = mean + deviation * normal;
            }
            latents.set(index, result);
        }
    }
}
