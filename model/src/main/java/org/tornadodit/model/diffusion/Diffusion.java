package org.tornadodit.model.diffusion;

/**
 * The diffusion process that DiT was trained with, respaced to fewer steps: linear betas from 1e-4 to 0.02 over 1000
 * timesteps, variance learned between its bounds. Tables are float64; what a step needs of them is rounded to float32 in
 * the order of operations of the reference, each operation by itself.
 *
 * <p>Steps are indexed as in the reference: sampling goes from index {@code steps() - 1} down to 0. Source:
 * {@code GaussianDiffusion} and {@code SpacedDiffusion} of openai/guided-diffusion, as facebookresearch/DiT uses them.
 */
public final class Diffusion implements NoiseSchedule {

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
    @Override
    public int steps() {
        return timesteps.length;
    }

    /** The timestep, 0 to 999, that the model is given at step {@code index}. */
    public int timestep(int index) {
        return timesteps[index];
    }

    @Override
    public double time(int index) {
        return timesteps[index];
    }

    @Override
    public NoiseLevel level(int index) {
        return NoiseLevel.ofAlphaCumprod(alphaCumprod(index));
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

    /** What DDPM needs at step {@code index}. */
    Update.Ancestral ancestral(int index) {
        double beta = betas[index];
        double alphaBar = alphaCumprod(index);
        double previous = alphaCumprod(index - 1);
        double posterior = posteriorVariance(clipped(index));
        // A process of one step has no posterior variance at all; its only step adds no noise.
        double minLog = steps() > 1 ? Math.log(posterior) : Math.log(beta);
        double fixed = index == 0 ? minLog : Math.log(beta);
        return new Update.Ancestral(
                (float) (beta * Math.sqrt(previous) / (1.0 - alphaBar)),
                (float) ((1.0 - previous) * Math.sqrt(1.0 - beta) / (1.0 - alphaBar)),
                (float) minLog,
                (float) Math.log(beta),
                (float) fixed,
                noiseMask(index));
    }

    /**
     * What DDIM needs at step {@code index}.
     *
     * @param eta share of fresh noise
     */
    Update.Implicit implicit(int index, double eta) {
        float alphaBar = (float) alphaCumprod(index);
        float previous = (float) alphaCumprod(index - 1);
        float sigma = (float) eta * sqrt((1 - previous) / (1 - alphaBar)) * sqrt(1 - alphaBar / previous);
        return new Update.Implicit(sqrt(previous), sqrt(1 - previous - sigma * sigma), sigma, noiseMask(index));
    }

    private static float noiseMask(int index) {
        return index == 0 ? 0 : 1;
    }

    /** Index 0 has variance 0, whose logarithm the reference replaces by that of index 1. */
    private int clipped(int index) {
        return Math.min(Math.max(index, 1), steps() - 1);
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
