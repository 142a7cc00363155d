package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What follows the model in a step of sampling, in one pass over the latents: unpatchify, classifier-free guidance, the
 * DDPM step with the learned variance, the DDIM step, a multistep solver's or a stage of a Runge-Kutta method, and the step's noise. Step, sampler, guidance
 * and place in the noise are each sample's own.
 *
 * <p>DDPM: {@code x0 = a x - b eps}; {@code mean = c1 x0 + c2 x}; {@code log variance = f maxLog + (1 - f) minLog}
 * with {@code f = (v + 1) / 2} (A. Nichol and P. Dhariwal, Improved DDPM, 2021, equation 15);
 * {@code x' = mean + exp(log variance / 2) noise}. DDIM: {@code eps' = (a x - x0) / b} and
 * {@code x' = sqrt(abar') x0 + sqrt(1 - abar' - sigma^2) eps' + sigma noise} (J. Song et al., 2021, equation 12). Multistep,
 * DPM-Solver++ of order 1 or 2: {@code x' = (m1 x0 + m2 x) + m3 (x0 - last x0) + sigma noise} (C. Lu et al., arXiv
 * 2211.01095, algorithm 2); the last x0 is kept behind the latents. Predictor and corrector, UniPC (W. Zhao et al., arXiv
 * 2302.04867): {@code xc = (u1 x + kept) + u2 x0}, from which goes {@code x'} as above, and
 * {@code kept' = (u3 x0 + m2 xc) + u4 (x0 - last x0)}, which lies behind the last x0. Linear, of
 * models that predict a velocity v (eps above): {@code x' = (l1 x + l2 v + l3 h) + l4 noise}, h what was kept behind the
 * latents, and {@code h' = k1 x + k2 v}. Stage, of a Runge-Kutta method for the same: {@code x' = y + (v_1 s_1 + ... + v_n s_n)},
 * where y and the slopes v_1 to v_(n-1) are kept behind the latents, and v_n = v is then kept behind them. The sum begins at 0 and
 * rounds each product and each sum, so that it is the same to the bit on the host.
 */
public final class DenoiseStep {
    /** Samplers. */
    public static final int DDPM = 0;

    public static final int DDIM = 1;
    public static final int MULTISTEP = 2;
    public static final int PREDICTOR_CORRECTOR = 3;
    public static final int LINEAR = 4;
    public static final int STAGE = 5;

    /** Arrays of the latents' shape that lie behind the latents, for what a sampler keeps from step to step. */
    public static final int HISTORY = 2;

    /** The same for {@link #STAGE}: y, and the slopes. */
    public static final int STAGE_HISTORY = 7;

    /** Sources of noise: {@link PhiloxNoise}, or the array that the host filled. */
    public static final int NOISE_PHILOX = 0;

    public static final int NOISE_ARRAY = 1;

    /** Indices into a sample's coefficients: the guidance scale, */
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
    /** for DDIM sqrt(abar') and sqrt(1 - abar' - sigma^2); for all but DDPM sigma, */
    public static final int SQRT_ALPHAS_CUMPROD_PREV = 8;

    public static final int DDIM_DIRECTION = 9;
    public static final int SIGMA = 10;

    /** which sampler, a constant above, */
    public static final int SAMPLER = 11;
    /** how many of the first channels guidance changes, 3 in facebookresearch/DiT; 0 for an unguided sample, */
    public static final int GUIDED_CHANNELS = 12;
    /** for a multistep solver m1, m2 and m3 above, */
    public static final int MULTISTEP_START = 13;

    public static final int MULTISTEP_X = 14;
    public static final int MULTISTEP_DIFFERENCE = 15;
    /** and for one with a corrector u1, u2, u3 and u4. */
    public static final int CORRECTION_X = 16;

    public static final int CORRECTION_START = 17;
    public static final int KEPT_START = 18;
    public static final int KEPT_DIFFERENCE = 19;

    /** The linear step's l1, l2, l3, l4, k1 and k2 above lie where DDPM's and DDIM's do; its {@link #NOISE_FACTOR} is 1. */
    public static final int LINEAR_X = 3;

    public static final int LINEAR_OUTPUT = 4;
    public static final int LINEAR_KEPT = 5;
    public static final int LINEAR_NOISE = 6;
    public static final int KEEP_X = 8;
    public static final int KEEP_OUTPUT = 9;

    /**
     * The stage's n - 1, of slopes that are there already, or 0 where x' is v itself and nothing is kept; and -s_1 to -s_n: a difference
     * keeps its product's rounding, where TornadoVM makes a product and a sum one operation.
     */
    public static final int STAGE_SLOPES = 3;

    public static final int STAGE_SHARES = 13;

    /** Coefficients of a sample. */
    public static final int LENGTH = 20;

    private DenoiseStep() {}

    /**
     * One step. Launch: {@link Launch#elementwise} of the most samples * C * size * size.
     *
     * @param batch see {@link Batch}
     * @param model the final layer's output, (N, T, P * P * outChannels)
     * @param latents (1 + {@link #HISTORY}, most samples, C, size, size): x, replaced by x', and the samplers' history; (1 +
     *     {@link #STAGE_HISTORY}, ...) where a sampler has stages
     * @param coefficients (S, {@link #LENGTH}), see the constants of this class
     * @param draw (S, {@link PhiloxNoise#LENGTH}); a draw's elements are those of its sample's latents
     * @param noise (S, C, size, size) for {@link #NOISE_ARRAY}, else any array
     * @param most passes that the batch has room for
     * @param outChannels 2 C with a learned variance, else C
     * @param stride elements of an array of latents
     */
    public static void denoise(
            KernelContext context,
            IntArray batch,
            FloatArray model,
            FloatArray latents,
            FloatArray coefficients,
            IntArray draw,
            FloatArray noise,
            @AtLaunch int most,
            int channels,
            int size,
            int patch,
            int outChannels,
            @AtLaunch int stride,
            int noiseSource) {
        int index = context.globalIdx;
        if (index < batch.get(Batch.SAMPLES) * channels * size * size) {
            int column = index % size;
            int row = index / size % size;
            int channel = index / (size * size) % channels;
            int sample = index / (size * size * channels);
            int of = sample * LENGTH;
            int side = size / patch;
            int token = row / patch * side + column / patch;
            int inPass = (token * patch * patch + row % patch * patch + column % patch) * outChannels + channel;
            int passSize = size * size * outChannels;
            int at = batch.get(Batch.conditional(sample, most)) * passSize + inPass;

            float eps = model.get(at);
            if (channel < coefficients.get(of + GUIDED_CHANNELS)) {
                float unconditional = model.get(batch.get(Batch.unconditional(sample, most)) * passSize + inPass);
                eps = unconditional + coefficients.get(of + GUIDANCE_SCALE) * (eps - unconditional);
            }
            float x = latents.get(index);
            float recip = coefficients.get(of + SQRT_RECIP_ALPHAS_CUMPROD);
            float recipm1 = coefficients.get(of + SQRT_RECIPM1_ALPHAS_CUMPROD);
            float start = recip * x - recipm1 * eps;
            float mean;
            float deviation;
            float sampler = coefficients.get(of + SAMPLER);
            if (sampler >= LINEAR) {
                if (sampler == STAGE) {
                    mean = eps;
                    int slopes = (int) coefficients.get(of + STAGE_SLOPES);
                    if (slopes > 0) {
                        float sum = 0f;
                        for (int k = 0; k < slopes; k++) {
                            float slope = latents.get((2 + k) * stride + index);
                            sum = sum - slope * coefficients.get(of + STAGE_SHARES + k);
                        }
                        sum = sum - eps * coefficients.get(of + STAGE_SHARES + slopes);
                        latents.set((2 + slopes) * stride + index, eps);
                        mean = latents.get(stride + index) + sum;
                    }
                    deviation = 0f;
                } else {
                    mean = coefficients.get(of + LINEAR_X) * x
                            + coefficients.get(of + LINEAR_OUTPUT) * eps
                            + coefficients.get(of + LINEAR_KEPT) * latents.get(stride + index);
                    latents.set(
                            stride + index,
                            coefficients.get(of + KEEP_X) * x + coefficients.get(of + KEEP_OUTPUT) * eps);
                    deviation = coefficients.get(of + LINEAR_NOISE);
                }
            } else if (sampler >= MULTISTEP) {
                float difference = start - latents.get(stride + index);
                float from = x;
                if (sampler == PREDICTOR_CORRECTOR) {
                    from = (coefficients.get(of + CORRECTION_X) * x + latents.get(2 * stride + index))
                            + coefficients.get(of + CORRECTION_START) * start;
                    float kept = coefficients.get(of + KEPT_START) * start + coefficients.get(of + MULTISTEP_X) * from;
                    latents.set(2 * stride + index, kept + coefficients.get(of + KEPT_DIFFERENCE) * difference);
                }
                mean = coefficients.get(of + MULTISTEP_START) * start + coefficients.get(of + MULTISTEP_X) * from;
                mean = mean + coefficients.get(of + MULTISTEP_DIFFERENCE) * difference;
                latents.set(stride + index, start);
                deviation = coefficients.get(of + SIGMA);
            } else if (sampler == DDIM) {
                float direction = (recip * x - start) / recipm1;
                mean = start * coefficients.get(of + SQRT_ALPHAS_CUMPROD_PREV)
                        + coefficients.get(of + DDIM_DIRECTION) * direction;
                deviation = coefficients.get(of + SIGMA);
            } else {
                mean = coefficients.get(of + POSTERIOR_MEAN_COEF1) * start
                        + coefficients.get(of + POSTERIOR_MEAN_COEF2) * x;
                float logVariance = coefficients.get(of + MAX_LOG_VARIANCE);
                if (outChannels > channels) {
                    float fraction = (model.get(at + channels) + 1f) / 2f;
                    logVariance = fraction * logVariance + (1f - fraction) * coefficients.get(of + MIN_LOG_VARIANCE);
                }
                deviation = TornadoMath.exp(0.5f * logVariance);
            }
            deviation = deviation * coefficients.get(of + NOISE_FACTOR);
            float result = mean;
            if (deviation != 0f) {
                float normal = noiseSource == NOISE_ARRAY
                        ? noise.get(index)
                        : PhiloxNoise.normal(draw, sample * PhiloxNoise.LENGTH, index % (channels * size * size));
                result = mean + deviation * normal;
            }
            latents.set(index, result);
        }
    }
}
