package org.tornadodit.model.diffusion;

/**
 * UniPC of order 2 with data prediction: a multistep predictor whose next call of the denoiser also corrects the step
 * (W. Zhao et al., 2023, arXiv 2302.04867), with the choices of diffusers' {@code UniPCMultistepScheduler}: the corrector
 * on, no thresholding, a last step of order 1. Coefficients are computed in float64 and rounded once, where diffusers
 * computes in float32.
 *
 * <p>From level s to t, with h = lambda_t - lambda_s, m = x0_s, D = (x0_r - m) / r, r the level before s as a share
 * (lambda_r - lambda_s) / h, and B = exp(-h) - 1 (bh2) or -h (bh1):
 *
 * <pre>
 * line  = sigma_t / sigma_s xc_s - alpha_t (exp(-h) - 1) m
 * x_t   = line - alpha_t B D / 2                                 predicted; without D in the first and the last step
 * xc_t  = line - alpha_t B (rho_0 D + rho_1 (x0_t - m))          corrected, once x0_t is estimated from x_t
 * </pre>
 *
 * All of xc_t but its last term is known a step earlier: it is what is kept, beside m.
 */
public final class UniPc implements Sampler {
    private final SolverLevels levels;
    private final Prediction prediction;
    private final SolverChoices choices;

    private UniPc(SolverLevels levels, Prediction prediction, SolverChoices choices) {
        this.levels = levels;
        this.prediction = prediction;
        this.choices = choices;
    }

    /**
     * On the process that DiT was trained with.
     *
     * @param steps a number, 1 to 999
     * @throws IllegalArgumentException with one line for the user, when the steps or choices cannot be so
     */
    static UniPc create(String steps, Prediction prediction, SolverChoices choices) {
        SamplingMethod.UNIPC.requireSolver(choices, SolverType.BH1, SolverType.BH2);
        return new UniPc(SolverLevels.of(SamplingMethod.UNIPC, steps, choices), prediction, choices);
    }

    @Override
    public SamplingMethod method() {
        return SamplingMethod.UNIPC;
    }

    @Override
    public int steps() {
        return levels.steps();
    }

    /**
     * The coefficients of a step's interval.
     *
     * @param ofX of the corrected latents, sigma_t / sigma_s
     * @param ofStart alpha_t (1 - exp(-h))
     * @param predicted of m - x0_r in the prediction
     * @param corrected of m - x0_r in the correction
     * @param ofNext of x0_t - m in the correction
     */
    private record Interval(double ofX, double ofStart, double predicted, double corrected, double ofNext) {}

    private Interval interval(int done) {
        NoiseLevel from = levels.level(done);
        NoiseLevel to = levels.level(done + 1);
        double h = -levels.width(done);
        double phi = Math.expm1(h);
        double ofX = to.sigma() / from.sigma();
        double ofStart = -to.alpha() * phi;
        if (done == steps() - 1) { // nothing comes after it that could correct it
            return new Interval(ofX, ofStart, 0, 0, 0);
        }
        double scale = to.alpha() * (choices.solverType() == SolverType.BH1 ? h : phi);
        if (choices.solverOrder() == 1 || done == 0) {
            return new Interval(ofX, ofStart, 0, 0, -scale / 2);
        }
        double r = levels.width(done - 1) / h; // negative: the level before lies the other way
        double b = scale / to.alpha();
        double second = phi / h - 1;
        double b0 = second / b;
        double b1 = (second / h - 0.5) * 2 / b;
        double rho0 = (b0 - b1) / (1 - r);
        double rho1 = b0 - rho0;
        return new Interval(ofX, ofStart, scale / 2 / r, scale * rho0 / r, -scale * rho1);
    }

    @Override
    public SamplerStep step(int done) {
        Interval next = interval(done);
        boolean first = done == 0;
        boolean last = done == steps() - 1;
        return new SamplerStep(
                levels.time(done),
                prediction.start(levels.level(done)),
                new Update.PredictorCorrector(
                        first ? 1 : 0,
                        first ? 0 : (float) interval(done - 1).ofNext(),
                        (float) next.ofX(),
                        (float) next.ofStart(),
                        (float) next.predicted(),
                        last ? 0 : (float) (next.ofStart() - next.ofNext()),
                        (float) next.corrected()));
    }

    /** Nothing is drawn but the noise to start from. */
    @Override
    public int draws(int done) {
        return 0;
    }
}
