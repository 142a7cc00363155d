package org.tornadodit.model.diffusion;

import java.util.stream.IntStream;

/**
 * DPM-Solver++ (2M): a multistep solver of order 2 for the diffusion ODE with data prediction (C. Lu et al., 2022, arXiv
 * 2211.01095, algorithm 2), with the choices of diffusers' {@code DPMSolverMultistepScheduler} by default, version 0.26
 * and later: timesteps {@code linspace}, solver {@code midpoint}, no thresholding, a last step of order 1 to no noise at
 * all ({@code final_sigmas_type="zero"}, which {@code lower_order_final} agrees with). Coefficients are computed in
 * float64 and rounded once, where diffusers computes in float32.
 *
 * <p>From level s to t, with h = lambda_t - lambda_s and r = (lambda_s - lambda_r) / h, r the level before s:
 *
 * <pre>
 * x_t = sigma_t / sigma_s x_s + alpha_t (1 - exp(-h)) (x0_s + (x0_s - x0_r) / (2 r))
 * </pre>
 *
 * The first step and the last have order 1, which leaves the difference out.
 */
public final class DpmSolver implements Sampler {
    private final NoiseSchedule schedule;
    private final Prediction prediction;
    /** Levels of the schedule, from the noisiest on. */
    private final int[] indices;

    /** @param indices levels of the schedule that the denoiser is asked at, descending */
    DpmSolver(NoiseSchedule schedule, Prediction prediction, int[] indices) {
        this.schedule = schedule;
        this.prediction = prediction;
        this.indices = indices.clone();
    }

    /**
     * On the process that DiT was trained with.
     *
     * @param steps a number, 1 to 999
     * @throws IllegalArgumentException with one line for the user, when it is no such number
     */
    public static DpmSolver create(String steps, Prediction prediction) {
        int count;
        try {
            count = Integer.parseInt(steps.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    "sampling steps '%s': %s takes a number like 20; sections and ddim50 are spacings of ddpm and ddim"
                            .formatted(steps, SamplingMethod.DPM_SOLVER_PLUS_PLUS.option()),
                    e);
        }
        if (count < 1 || count >= Diffusion.TRAINED_TIMESTEPS) {
            throw new IllegalArgumentException("%d sampling steps: %s takes 1 to %d"
                    .formatted(count, SamplingMethod.DPM_SOLVER_PLUS_PLUS.option(), Diffusion.TRAINED_TIMESTEPS - 1));
        }
        return new DpmSolver(Diffusion.create(""), prediction, linspace(count));
    }

    /** {@code np.linspace(0, 999, steps + 1).round()[::-1][:-1]}: halves go to the even neighbour. */
    private static int[] linspace(int steps) {
        int last = Diffusion.TRAINED_TIMESTEPS - 1;
        double stride = (double) last / steps;
        return IntStream.range(0, steps)
                .map(done -> done == 0 ? last : (int) Math.rint((steps - done) * stride))
                .toArray();
    }

    @Override
    public SamplingMethod method() {
        return SamplingMethod.DPM_SOLVER_PLUS_PLUS;
    }

    @Override
    public int steps() {
        return indices.length;
    }

    @Override
    public SamplerStep step(int done) {
        NoiseLevel from = schedule.level(indices[done]);
        boolean last = done == steps() - 1;
        NoiseLevel to = last ? NoiseLevel.CLEAN : schedule.level(indices[done + 1]);
        double h = to.lambda() - from.lambda(); // infinite in the last step
        double ofStart = -to.alpha() * Math.expm1(-h);
        double ofDifference = 0;
        if (done > 0 && !last) {
            double before = schedule.level(indices[done - 1]).lambda();
            double r = (from.lambda() - before) / h;
            ofDifference = ofStart / (2 * r);
        }
        return new SamplerStep(
                schedule.time(indices[done]),
                prediction.start(from),
                new Update.Multistep((float) ofStart, (float) (to.sigma() / from.sigma()), (float) ofDifference));
    }

    /** Nothing is drawn but the noise to start from. */
    @Override
    public boolean drawsEachStep() {
        return false;
    }
}
