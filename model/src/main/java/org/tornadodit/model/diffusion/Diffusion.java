package org.tornadodit.model.diffusion;

import org.jspecify.annotations.Nullable;

/**
 * The diffusion process that DiT was trained with, respaced to fewer steps: linear betas from 1e-4 to 0.02 over 1000
 * timesteps, predicted noise, variance learned between its bounds. Tables are float64; {@link #step} is float32 in the
 * order of operations of the reference, each operation rounded by itself.
 *
 * <p>Steps are indexed as in the reference: sampling goes from index {@code steps() - 1} down to 0. Source:
 * {@code GaussianDiffusion} and {@code SpacedDiffusion} of openai/guided-diffusion, as facebookresearch/DiT uses them.
 */
public final class Diffusion {

    /** Length of the process that the models were trained on. */
    public static final int TRAINED_TIMESTEPS = 1000;

    private static final double BETA_START = 1e-4;
    private static final double BETA_END = 0.02;

    private final int[] timesteps;
    private final double[] betas;
    private final double[] alphasCumprod;

    private Diffusion(int[] timesteps) {
        this.timesteps = timesteps;
        double[] trained = cumprod(linearBetas());
        betas = new double[timesteps.length];
        double last = 1;
        for (int i = 0; i < timesteps.length; i++) {
            double kept = trained[timesteps[i]];
            betas[i] = 1 - kept / last;
            last = kept;
        }
        // From the new betas again, as the reference does: the last bits differ from the entries kept.
        alphasCumprod = cumprod(betas);
    }

    /**
     * A process of fewer steps.
     *
     * @param respacing "250" for that many steps, evenly with both ends kept; "10,15,20" for so many in each equal
     *     section of the process; "ddim50" for 50 steps of one whole stride; "" for all 1000
     * @throws IllegalArgumentException with one line for the user, when the steps cannot be chosen so
     */
    public static Diffusion create(String respacing) {
        return new Diffusion(Respacing.timesteps(TRAINED_TIMESTEPS, respacing));
    }

    /** Number of sampling steps. */
    public int steps() {
        return timesteps.length;
    }

    /** The timestep, 0 to 999, that the model is given at step {@code index}. */
    public int timestep(int index) {
        return timesteps[index];
    }

    /** beta at step {@code index} of the respaced process. */
    public double beta(int index) {
        return betas[index];
    }

    /** abar: the product of 1 - beta up to and with step {@code index}; 1 before the first step, index -1. */
    public double alphaCumprod(int index) {
        return index < 0 ? 1 : alphasCumprod[index];
    }

    /**
     * Variance of the posterior q(x_{t-1} | x_t, x_0), DDPM equation 7; 0 at index 0.
     *
     * @param index step, 0 to {@code steps() - 1}
     */
    public double posteriorVariance(int index) {
        return betas[index] * (1.0 - alphaCumprod(index - 1)) / (1.0 - alphaCumprod(index));
    }

    /** What DDPM, and DDIM with eta 0, need at step {@code index}. */
    public StepCoefficients coefficients(int index) {
        return coefficients(index, 0);
    }

    /**
     * What a step needs.
     *
     * @param index step, 0 to {@code steps() - 1}
     * @param eta DDIM's share of fresh noise: 0 is deterministic, 1 has DDPM's variance
     * @throws IllegalArgumentException when eta is not within 0 and 1
     */
    public StepCoefficients coefficients(int index, double eta) {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta %s: expected 0 to 1".formatted(eta));
        }
        double beta = betas[index];
        double alphaBar = alphaCumprod(index);
        double previous = alphaCumprod(index - 1);
        double posterior = posteriorVariance(clipped(index));
        // A process of one step has no posterior variance at all; its only step adds no noise.
        double minLog = steps() > 1 ? Math.log(posterior) : Math.log(beta);
        double fixed = index == 0 ? minLog : Math.log(beta);

        float alphaBarF = (float) alphaBar;
        float previousF = (float) previous;
        float sigma = (float) eta * sqrt((1 - previousF) / (1 - alphaBarF)) * sqrt(1 - alphaBarF / previousF);
        return new StepCoefficients(
                timesteps[index],
                (float) Math.sqrt(1.0 / alphaBar),
                (float) Math.sqrt(1.0 / alphaBar - 1),
                (float) (beta * Math.sqrt(previous) / (1.0 - alphaBar)),
                (float) ((1.0 - previous) * Math.sqrt(1.0 - beta) / (1.0 - alphaBar)),
                (float) minLog,
                (float) Math.log(beta),
                (float) fixed,
                index == 0 ? 0 : 1,
                sqrt(previousF),
                sqrt(1 - previousF - sigma * sigma),
                sigma);
    }

    /** Index 0 has variance 0, whose logarithm the reference replaces by that of index 1. */
    private int clipped(int index) {
        return Math.min(Math.max(index, 1), steps() - 1);
    }

    /** {@link #step(Sampler, StepCoefficients, int, float[], float[], float[], float[])} with eta 0. */
    public void step(
            Sampler sampler, int index, int n, float[] x, float[] modelOutput, float @Nullable [] noise, float[] out) {
        step(sampler, coefficients(index), n, x, modelOutput, noise, out);
    }

    /**
     * One reverse step, x_t to x_{t-1}, without clipping of the predicted x_0, as {@code sample.py} runs it.
     *
     * @param n samples N
     * @param x latents (N, C, H, W), or any layout whose samples follow one another
     * @param modelOutput (N, 2C, H, W), predicted noise and then variance in each sample; (N, C, H, W) for a model
     *     that learns no variance
     * @param noise (N, C, H, W) normals; may be longer, as the second half of a guided batch is not used. May be null
     *     for DDIM with eta 0. At index 0 it is multiplied by 0.
     * @param out receives (N, C, H, W); may be {@code x}
     * @throws IllegalArgumentException when the lengths do not fit together
     */
    public static void step(
            Sampler sampler,
            StepCoefficients c,
            int n,
            float[] x,
            float[] modelOutput,
            float @Nullable [] noise,
            float[] out) {
        boolean learned = modelOutput.length == 2 * x.length;
        if (n < 1 || x.length % n != 0 || !learned && modelOutput.length != x.length || out.length != x.length) {
            throw new IllegalArgumentException("%d samples, x of %d elements, model output of %d, out of %d"
                    .formatted(n, x.length, modelOutput.length, out.length));
        }
        boolean noisy = sampler == Sampler.DDPM || c.ddimSigma() != 0;
        if (noisy && (noise == null || noise.length < x.length)) {
            throw new IllegalArgumentException("%s: noise of %d elements for x of %d"
                    .formatted(sampler, noise == null ? 0 : noise.length, x.length));
        }
        int size = x.length / n;
        int outputs = modelOutput.length / n;
        for (int sample = 0; sample < n; sample++) {
            for (int i = 0; i < size; i++) {
                int at = sample * size + i;
                int eps = sample * outputs + i;
                float z = noise == null ? 0 : noise[at];
                out[at] = switch (sampler) {
                    case DDPM ->
                        ddpm(
                                c,
                                x[at],
                                modelOutput[eps],
                                learned ? logVariance(c, modelOutput[eps + size]) : c.fixedLogVariance(),
                                z);
                    case DDIM -> ddim(c, x[at], modelOutput[eps], z);
                };
            }
        }
    }

    private static float startFromEps(StepCoefficients c, float x, float eps) {
        return c.sqrtRecipAlphasCumprod() * x - c.sqrtRecipm1AlphasCumprod() * eps;
    }

    private static float logVariance(StepCoefficients c, float value) {
        float fraction = (value + 1) / 2;
        return fraction * c.maxLogVariance() + (1 - fraction) * c.minLogVariance();
    }

    private static float ddpm(StepCoefficients c, float x, float eps, float logVariance, float noise) {
        float start = startFromEps(c, x, eps);
        float mean = c.posteriorMeanCoef1() * start + c.posteriorMeanCoef2() * x;
        return mean + c.noiseMask() * (float) Math.exp(0.5f * logVariance) * noise;
    }

    private static float ddim(StepCoefficients c, float x, float eps, float noise) {
        float start = startFromEps(c, x, eps);
        // Derived again from x_0, as the reference does; it rounds differently from eps.
        float derived = (c.sqrtRecipAlphasCumprod() * x - start) / c.sqrtRecipm1AlphasCumprod();
        float mean = start * c.sqrtAlphasCumprodPrev() + c.ddimDirection() * derived;
        return mean + c.noiseMask() * c.ddimSigma() * noise;
    }

    /** {@code numpy.linspace}: multiples of the step added to the start, the end exact. */
    private static double[] linearBetas() {
        double[] linear = new double[TRAINED_TIMESTEPS];
        double step = (BETA_END - BETA_START) / (TRAINED_TIMESTEPS - 1);
        for (int i = 0; i < TRAINED_TIMESTEPS; i++) {
            linear[i] = i * step + BETA_START;
        }
        linear[TRAINED_TIMESTEPS - 1] = BETA_END;
        return linear;
    }

    private static double[] cumprod(double[] betas) {
        double[] products = new double[betas.length];
        double product = 1;
        for (int i = 0; i < betas.length; i++) {
            product *= 1.0 - betas[i];
            products[i] = product;
        }
        return products;
    }

    private static float sqrt(float value) {
        return (float) Math.sqrt(value);
    }
}
