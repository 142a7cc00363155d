package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tornadodit.model.diffusion.GaussianData.data;
import static org.tornadodit.model.diffusion.GaussianData.distance;
import static org.tornadodit.model.diffusion.GaussianData.noise;
import static org.tornadodit.model.diffusion.GaussianData.rounded;
import static org.tornadodit.model.diffusion.GaussianData.run;

import java.util.Arrays;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;

/** Against the paper's equations in float64 (arXiv 2211.01095, algorithm 2, and the SDE's), on {@link GaussianData}. */
class DpmSolverTest {
    private static final int ELEMENTS = 24;

    /**
     * The paper's algorithm 2 with lambda = log(alpha / sigma) and a first step of order 1, and the SDE's counterpart.
     *
     * @param normals of each step for the SDE, of zeros for the ODE
     */
    private static double[] oracle(
            double[] noise, int[] timesteps, boolean stochastic, double[][] normals, SolverChoices choices) {
        double[][] levels = GaussianData.levels(timesteps, choices.finalSigmasType());
        double[] x = noise.clone();
        double[] previous = new double[x.length];
        for (int k = 0; k < timesteps.length; k++) {
            double[] s = levels[k];
            double[] t = levels[k + 1];
            double h = t[2] - s[2];
            boolean last = k == timesteps.length - 1;
            boolean first = k == 0
                    || choices.solverOrder() == 1
                    || (last && (timesteps.length < 15 || choices.finalSigmasType() == FinalSigmas.ZERO));
            for (int i = 0; i < x.length; i++) {
                double d0 = data(x[i], s);
                double d1 = first ? 0 : (d0 - previous[i]) / ((s[2] - levels[k - 1][2]) / h);
                boolean heun = choices.solverType() == SolverType.HEUN;
                if (stochastic) {
                    double decay = 1 - Math.exp(-2 * h);
                    double weight = heun ? t[0] * ((1 - Math.exp(-2 * h)) / (-2 * h) + 1) : 0.5 * t[0] * decay;
                    x[i] = t[1] / s[1] * Math.exp(-h) * x[i]
                            + t[0] * decay * d0
                            + (first ? 0 : weight * d1)
                            + t[1] * Math.sqrt(decay) * normals[k][i];
                } else {
                    double weight = heun ? t[0] * ((Math.exp(-h) - 1) / h + 1) : -0.5 * t[0] * (Math.exp(-h) - 1);
                    x[i] = t[1] / s[1] * x[i] - t[0] * (Math.exp(-h) - 1) * d0 + (first ? 0 : weight * d1);
                }
                previous[i] = d0;
            }
        }
        return x;
    }

    private static double[][] normals(int steps, int elements, long seed) {
        System.out.println("normals of seed " + seed);
        Random random = new Random(seed);
        double[][] normals = new double[steps][];
        for (int k = 0; k < steps; k++) {
            normals[k] = random.doubles(elements)
                    .map(unused -> random.nextGaussian())
                    .toArray();
        }
        return normals;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10, 14, 15, 20, 50, 250, 999})
    void followsThePapersEquations(int steps) {
        double[] noise = noise(ELEMENTS);
        for (boolean stochastic : new boolean[] {false, true}) {
            SamplingMethod method =
                    stochastic ? SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS : SamplingMethod.DPM_SOLVER_PLUS_PLUS;
            Sampler sampler = method.of(String.valueOf(steps), 0);
            assertEquals(method, sampler.method());
            assertEquals(stochastic ? sampler.steps() : 0, sampler.draws(sampler.steps()));
            assertEquals(steps, sampler.steps());
            int[] timesteps = GaussianData.linspace(steps);
            for (int done = 0; done < steps; done++) {
                assertEquals(timesteps[done], sampler.step(done).time(), "time of step " + done);
            }
            double[][] normals = normals(steps, ELEMENTS, 5);
            TensorAssert.assertRelativeError(
                    "%d steps of %s".formatted(steps, method),
                    Shape.of(ELEMENTS),
                    run(sampler, noise, stochastic ? normals : null),
                    rounded(oracle(noise, timesteps, stochastic, normals, SolverChoices.DEFAULT)),
                    1e-5);
        }
    }

    @ParameterizedTest
    @CsvSource({
        "12, 1, MIDPOINT, ZERO",
        "12, 2, HEUN, ZERO",
        "12, 2, MIDPOINT, SIGMA_MIN",
        "20, 2, MIDPOINT, SIGMA_MIN",
        "20, 2, HEUN, SIGMA_MIN"
    })
    void choicesFollowTheirEquations(int steps, int order, SolverType type, FinalSigmas end) {
        double[] noise = noise(ELEMENTS);
        for (TimestepSpacing spacing : TimestepSpacing.values()) {
            SolverChoices choices = new SolverChoices(spacing, order, type, end);
            double[][] normals = normals(steps, ELEMENTS, 6);
            for (boolean stochastic : new boolean[] {false, true}) {
                SamplingMethod method =
                        stochastic ? SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS : SamplingMethod.DPM_SOLVER_PLUS_PLUS;
                TensorAssert.assertRelativeError(
                        method + " of " + choices,
                        Shape.of(ELEMENTS),
                        run(method.of(String.valueOf(steps), 0, choices), noise, stochastic ? normals : null),
                        rounded(oracle(noise, spacing.timesteps(steps), stochastic, normals, choices)),
                        1e-5);
            }
        }
    }

    /** The solution of the ODE keeps each element's place in the distribution: 20 steps come closer than 20 of DDIM. */
    @Test
    void fewStepsComeCloseToTheSolution() {
        double[] noise = noise(ELEMENTS);
        double[] exact = GaussianData.solution(noise);
        double ten = distance(run(SamplingMethod.DPM_SOLVER_PLUS_PLUS.of("10", 0), noise, null), exact);
        double twenty = distance(run(SamplingMethod.DPM_SOLVER_PLUS_PLUS.of("20", 0), noise, null), exact);
        double ddim = distance(run(SamplingMethod.DDIM.of("20", 0), noise, null), exact);
        assertTrue(twenty < ten / 2, "10 steps are off by %s, 20 by %s".formatted(ten, twenty));
        assertTrue(twenty < ddim, "20 steps are off by %s, 20 of DDIM by %s".formatted(twenty, ddim));
    }

    /** The SDE keeps no element's place, but the distribution. */
    @Test
    void theSdeKeepsTheDistribution() {
        int elements = 20_000;
        double[] noise = normals(1, elements, 7)[0];
        float[] x = run(SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS.of("50", 0), noise, normals(50, elements, 8));
        double mean = 0;
        double squares = 0;
        double together = 0;
        for (int i = 0; i < elements; i++) {
            mean += x[i] / elements;
            squares += x[i] * x[i] / elements;
            together += noise[i] * x[i] / elements;
        }
        double deviation = Math.sqrt(squares - mean * mean);
        assertEquals(GaussianData.MEAN, mean, 0.01);
        assertEquals(GaussianData.DEVIATION, deviation, 0.02);
        assertEquals(0, together / deviation, 0.05, "correlation with the start");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | 0 sampling steps: dpm++ takes 1 to 999",
                "1000 | 1000 sampling steps: dpm++ takes 1 to 999",
                "10,15 | sampling steps '10,15': dpm++ takes a number like 20; sections and ddim50 are spacings of ddpm"
                        + " and ddim",
                "ddim50 | sampling steps 'ddim50': dpm++ takes a number like 20; sections and ddim50 are spacings of"
                        + " ddpm and ddim"
            })
    void refusesOtherSpacings(String steps, String message) {
        assertEquals(
                message,
                assertThrows(IllegalArgumentException.class, () -> SamplingMethod.DPM_SOLVER_PLUS_PLUS.of(steps, 0))
                        .getMessage());
    }

    @Test
    void refusesAnotherSolversType() {
        SolverChoices choices = new SolverChoices(TimestepSpacing.LINSPACE, 2, SolverType.BH1, FinalSigmas.ZERO);
        assertEquals(
                "solver type bh1 is not of dpm++sde, expected midpoint or heun",
                assertThrows(
                                IllegalArgumentException.class,
                                () -> SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS.of("20", 0, choices))
                        .getMessage());
    }

    @ParameterizedTest
    @CsvSource({
        "ddpm, DDPM",
        "DDIMScheduler, DDIM",
        "dpm++, DPM_SOLVER_PLUS_PLUS",
        "DPM++, DPM_SOLVER_PLUS_PLUS",
        "dpmsolver++, DPM_SOLVER_PLUS_PLUS",
        "DPMSolverMultistepScheduler, DPM_SOLVER_PLUS_PLUS",
        "sde-dpmsolver++, SDE_DPM_SOLVER_PLUS_PLUS",
        "UniPCMultistepScheduler, UNIPC"
    })
    void hasItsNamesAndDiffusers(String name, SamplingMethod method) {
        assertEquals(Optional.of(method), SamplingMethod.named(name));
    }

    @Test
    void otherNamesAreNone() {
        assertFalse(SamplingMethod.named("plms").isPresent());
    }

    /** As numpy has them, in diffusers' expressions. */
    @Test
    void spacingsAreNumpys() {
        assertEquals("[999, 799, 599, 400, 200]", Arrays.toString(TimestepSpacing.LINSPACE.timesteps(5)));
        assertEquals("[830, 664, 498, 332, 166]", Arrays.toString(TimestepSpacing.LEADING.timesteps(5)));
        assertEquals("[999, 799, 599, 399, 199]", Arrays.toString(TimestepSpacing.TRAILING.timesteps(5)));
        for (int steps = 1; steps < 1000; steps++) {
            for (TimestepSpacing spacing : TimestepSpacing.values()) {
                int[] timesteps = spacing.timesteps(steps);
                assertEquals(steps, timesteps.length);
                for (int i = 0; i < steps; i++) {
                    assertTrue(
                            timesteps[i] >= 0 && timesteps[i] < (i == 0 ? 1000 : timesteps[i - 1]),
                            spacing + " " + steps);
                }
            }
        }
    }
}
