package org.tornadodit.model.diffusion;

/**
 * How noisy latents are: {@code x = alpha x_0 + sigma epsilon}.
 *
 * @param alpha share of the data
 * @param sigma share of the noise
 * @param recipAlpha 1 / alpha
 * @param sigmaOverAlpha sigma / alpha, what diffusers calls a sigma
 */
public record NoiseLevel(double alpha, double sigma, double recipAlpha, double sigmaOverAlpha) {

    /** No noise at all. */
    public static final NoiseLevel CLEAN = new NoiseLevel(1, 0, 1, 0);

    /**
     * A level of a variance preserving process, each value from abar as guided-diffusion's tables have it.
     *
     * @param alphaCumprod abar = alpha^2 = 1 - sigma^2
     */
    public static NoiseLevel ofAlphaCumprod(double alphaCumprod) {
        return new NoiseLevel(
                Math.sqrt(alphaCumprod),
                Math.sqrt(1 - alphaCumprod),
                Math.sqrt(1.0 / alphaCumprod),
                Math.sqrt(1.0 / alphaCumprod - 1));
    }

    /** lambda: half the logarithm of the ratio of signal to noise. Infinite without noise. */
    public double lambda() {
        return -Math.log(sigmaOverAlpha);
    }
}
