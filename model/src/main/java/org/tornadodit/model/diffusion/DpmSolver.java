package org.tornadodit.model.diffusion;

/**
 * DPM-Solver++ (2M): a multistep solver of order 2 with data prediction, for the diffusion ODE or, with fresh noise in each
 * step, for the SDE (C. Lu et al., 2022, arXiv 2211.01095, algorithm 2 and appendix), with the choices of diffusers'
 * {@code DPMSolverMultistepScheduler}, version 0.26 and later. Coefficients are computed in float64 and rounded once, where
 * diffusers computes in float32.
 *
 * <p>From level s to t, with h = lambda_t - lambda_s and r = (lambda_s - lambda_r) / h, r the level before s:
 *
 * <pre>
 * x_t = sigma_t / sigma_s x_s + alpha_t (1 - exp(-h)) (x0_s + (x0_s - x0_r) / (2 r))                        ODE
 * x_t = sigma_t / sigma_s exp(-h) x_s + alpha_t (1 - exp(-2 h)) (x0_s + (x0_s - x0_r) / (2 r))
 *       + sigma_t sqrt(1 - exp(-2 h)) z                                                                     SDE
 * </pre>
 *
 * The first step has order 1, which leaves the difference out, and so has a last one to no noise at all, or of fewer than
 * 15 ({@code lower_order_final}).
 */
public final class DpmSolver implements Sampler {
    /** Runs with fewer steps end with one of order 1. */
    private static final int FEW_STEPS = 15;

    private final SolverLevels levels;
    private final Prediction prediction;
    private final SolverChoices choices;
    private final boolean stochastic;

    private DpmSolver(SolverLevels levels, Prediction prediction, SolverChoices choices, boolean stochastic) {
        this.levels = levels;
        this.prediction = prediction;
        this.choices = choices;
        this.stochastic = stochastic;
    }

    /**
     * On the process that DiT was trained with.
     *
     * @param steps a number, 1 to 999
     * @param stochastic for the SDE
     * @throws IllegalArgumentException with one line for the user, when the steps or choices cannot be so
     */
    static DpmSolver create(String steps, Prediction prediction, SolverChoices choices, boolean stochastic) {
        SamplingMethod method = method(stochastic);
        method.requireSolver(choices, SolverType.MIDPOINT, SolverType.HEUN);
        return new DpmSolver(SolverLevels.of(method, steps, choices), prediction, choices, stochastic);
    }

    @Override
    public SamplingMethod method() {
        return method(stochastic);
    }

    private static SamplingMethod method(boolean stochastic) {
        return stochastic ? SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS : SamplingMethod.DPM_SOLVER_PLUS_PLUS;
    }

    @Override
    public int steps() {
        return levels.steps();
    }

    @Override
    public SamplerStep step(int done) {
        NoiseLevel from = levels.level(done);
        NoiseLevel to = levels.level(done + 1);
        double h = levels.width(done);
        double twice = stochastic ? 2 : 1;
        double ofStart = -to.alpha() * Math.expm1(-twice * h);
        double ofX = to.sigma() / from.sigma() * (stochastic ? Math.exp(-h) : 1);
        double ofDifference = 0;
        if (ofSecondOrder(done)) {
            double r = levels.width(done - 1) / h;
            double half = choices.solverType() == SolverType.HEUN
                    ? to.alpha() * (Math.expm1(-twice * h) / (twice * h) + 1)
                    : ofStart / 2;
            ofDifference = half / r;
        }
        double sigma = stochastic ? to.sigma() * Math.sqrt(-Math.expm1(-2 * h)) : 0;
        return new SamplerStep(
                levels.time(done),
                prediction.start(from),
                new Update.Multistep((float) ofStart, (float) ofX, (float) ofDifference, (float) sigma));
    }

    private boolean ofSecondOrder(int done) {
        boolean lowerAtTheEnd = levels.endsClean() || steps() < FEW_STEPS;
        return choices.solverOrder() == 2 && done > 0 && !(lowerAtTheEnd && done == steps() - 1);
    }

    /** In the last step too, where diffusers multiplies the noise by 0. */
    @Override
    public int draws(int done) {
        return stochastic ? done : 0;
    }
}
