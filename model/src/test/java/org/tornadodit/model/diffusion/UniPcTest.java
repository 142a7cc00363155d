package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tornadodit.model.diffusion.GaussianData.data;
import static org.tornadodit.model.diffusion.GaussianData.distance;
import static org.tornadodit.model.diffusion.GaussianData.noise;
import static org.tornadodit.model.diffusion.GaussianData.rounded;
import static org.tornadodit.model.diffusion.GaussianData.run;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;

/**
 * Against the paper's equations in float64 (arXiv 2302.04867, algorithms 5 and 6 with data prediction), on
 * {@link GaussianData}. The oracle keeps the corrected latents and all estimates, and solves each step's system of equations.
 */
class UniPcTest {
    private static final int ELEMENTS = 24;

    private static double[] oracle(double[] noise, int[] timesteps, SolverChoices choices) {
        double[][] levels = GaussianData.levels(timesteps, choices.finalSigmasType());
        int n = timesteps.length;
        double[] result = new double[noise.length];
        for (int i = 0; i < noise.length; i++) {
            double x = noise[i];
            double corrected = x;
            double[] m = new double[n];
            int order = 0;
            for (int k = 0; k < n; k++) {
                m[k] = data(x, levels[k]);
                if (k > 0) {
                    corrected = update(levels, k - 1, corrected, m, order, choices, m[k]);
                } else {
                    corrected = x;
                }
                order = Math.min(Math.min(choices.solverOrder(), n - k), k + 1);
                x = update(levels, k, corrected, m, order, choices, Double.NaN);
            }
            result[i] = x;
        }
        return result;
    }

    /**
     * From level k to the next.
     *
     * @param next the estimate of x0 there, for the corrector; NaN for the predictor
     */
    private static double update(
            double[][] levels, int k, double x, double[] m, int order, SolverChoices choices, double next) {
        double[] s = levels[k];
        double[] t = levels[k + 1];
        double hh = -(t[2] - s[2]);
        double phi1 = Math.expm1(hh);
        double b = choices.solverType() == SolverType.BH1 ? hh : Math.expm1(hh);
        double line = t[1] / s[1] * x - t[0] * phi1 * m[k];
        double r = order < 2 ? 0 : (levels[k - 1][2] - s[2]) / -hh;
        double difference = order < 2 ? 0 : (m[k - 1] - m[k]) / r;
        if (Double.isNaN(next)) {
            return order < 2 ? line : line - t[0] * b * 0.5 * difference;
        }
        if (order < 2) {
            return line - t[0] * b * 0.5 * (next - m[k]);
        }
        double phi2 = phi1 / hh - 1;
        double phi3 = phi2 / hh - 0.5;
        // [1 1; r 1] rho = [phi2 / b; 2 phi3 / b], by Cramer's rule
        double right0 = phi2 / b;
        double right1 = 2 * phi3 / b;
        double determinant = 1 - r;
        double rho0 = (right0 - right1) / determinant;
        double rho1 = (right1 - r * right0) / determinant;
        return line - t[0] * b * (rho0 * difference + rho1 * (next - m[k]));
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 10, 20, 50, 250, 999})
    void followsThePapersEquations(int steps) {
        double[] noise = noise(ELEMENTS);
        Sampler sampler = SamplingMethod.UNIPC.of(String.valueOf(steps), 0);
        assertEquals(steps, sampler.steps());
        assertEquals(0, sampler.draws(sampler.steps()));
        assertEquals(2, sampler.history());
        int[] timesteps = GaussianData.linspace(steps);
        for (int done = 0; done < steps; done++) {
            assertEquals(timesteps[done], sampler.step(done).time(), "time of step " + done);
        }
        TensorAssert.assertRelativeError(
                steps + " steps",
                Shape.of(ELEMENTS),
                run(sampler, noise, null),
                rounded(oracle(noise, timesteps, SolverChoices.DEFAULT)),
                1e-5);
    }

    @ParameterizedTest
    @CsvSource({"12, 1, BH2, ZERO", "12, 2, BH1, ZERO", "20, 2, BH2, SIGMA_MIN", "20, 1, BH1, SIGMA_MIN"})
    void choicesFollowTheirEquations(int steps, int order, SolverType type, FinalSigmas end) {
        double[] noise = noise(ELEMENTS);
        for (TimestepSpacing spacing : TimestepSpacing.values()) {
            SolverChoices choices = new SolverChoices(spacing, order, type, end);
            TensorAssert.assertRelativeError(
                    choices.toString(),
                    Shape.of(ELEMENTS),
                    run(SamplingMethod.UNIPC.of(String.valueOf(steps), 0, choices), noise, null),
                    rounded(oracle(noise, spacing.timesteps(steps), choices)),
                    1e-5);
        }
    }

    /** The corrector raises the order: ten steps come closer to the solution than ten of DPM-Solver++. */
    @Test
    void fewStepsComeCloserThanWithoutACorrector() {
        double[] noise = noise(ELEMENTS);
        double[] exact = GaussianData.solution(noise);
        double ten = distance(run(SamplingMethod.UNIPC.of("10", 0), noise, null), exact);
        double twenty = distance(run(SamplingMethod.UNIPC.of("20", 0), noise, null), exact);
        double without = distance(run(SamplingMethod.DPM_SOLVER_PLUS_PLUS.of("10", 0), noise, null), exact);
        assertTrue(twenty < ten, "10 steps are off by %s, 20 by %s".formatted(ten, twenty));
        assertTrue(ten < without, "10 steps are off by %s, without a corrector by %s".formatted(ten, without));
    }

    @Test
    void refusesAnotherSolversTypeAndOrder() {
        SolverChoices heun = new SolverChoices(TimestepSpacing.LINSPACE, 2, SolverType.HEUN, FinalSigmas.ZERO);
        assertEquals(
                "solver type heun is not of unipc, expected bh1 or bh2",
                assertThrows(IllegalArgumentException.class, () -> SamplingMethod.UNIPC.of("20", 0, heun))
                        .getMessage());
        assertEquals(
                "solver order 3, expected 1 or 2; 2 is the order for guided sampling",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> new SolverChoices(TimestepSpacing.LINSPACE, 3, null, FinalSigmas.ZERO))
                        .getMessage());
    }
}
