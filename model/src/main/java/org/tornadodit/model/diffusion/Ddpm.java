package org.tornadodit.model.diffusion;

/**
 * Ancestral sampling, {@code p_sample} of guided-diffusion.
 *
 * @param diffusion the respaced process
 * @param prediction what the denoiser predicts
 */
public record Ddpm(Diffusion diffusion, Prediction prediction) implements Sampler {
    @Override
    public SamplingMethod method() {
        return SamplingMethod.DDPM;
    }

    @Override
    public int steps() {
        return diffusion.steps();
    }

    @Override
    public SamplerStep step(int done) {
        int index = steps() - 1 - done;
        return new SamplerStep(
                diffusion.time(index), prediction.start(diffusion.level(index)), diffusion.ancestral(index));
    }

    @Override
    public int draws(int done) {
        return done;
    }
}
