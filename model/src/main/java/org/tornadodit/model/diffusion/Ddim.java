package org.tornadodit.model.diffusion;

/**
 * {@code ddim_sample} of guided-diffusion, on models that predict epsilon: its direction is epsilon, derived from x_0.
 *
 * @param diffusion the respaced process
 * @param eta share of fresh noise: 0 is deterministic, 1 has DDPM's variance
 */
public record Ddim(Diffusion diffusion, double eta) implements Sampler {
    private static final Prediction EPSILON = new EpsilonPrediction();

    public Ddim {
        if (!(eta >= 0 && eta <= 1)) {
            throw new IllegalArgumentException("eta %s: expected 0 to 1".formatted(eta));
        }
    }

    @Override
    public SamplingMethod method() {
        return SamplingMethod.DDIM;
    }

    @Override
    public int steps() {
        return diffusion.steps();
    }

    @Override
    public SamplerStep step(int done) {
        int index = steps() - 1 - done;
        return new SamplerStep(
                diffusion.time(index), EPSILON.start(diffusion.level(index)), diffusion.implicit(index, eta));
    }

    /** The reference draws without eta too. */
    @Override
    public int draws(int done) {
        return done;
    }
}
