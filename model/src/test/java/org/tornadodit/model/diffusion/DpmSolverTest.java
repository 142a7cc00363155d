package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;

/**
 * Against the paper's equations in float64 (arXiv 2211.01095, algorithm 2), on data that is a Gaussian for each element: the
 * denoiser and the solution of the diffusion ODE are then known in closed form.
 */
class DpmSolverTest {
    private static final int ELEMENTS = 24;
    private static final double MEAN = 0.8;
    private static final double DEVIATION = 0.3;

    /** alpha_t and sigma_t of a timestep: the square roots of a product of 1000 linear betas, and of its rest. */
    private static double[] alphaSigma(int timestep) {
        double product = 1;
        for (int i = 0; i <= timestep; i++) {
            product *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999);
        }
        return new double[] {Math.sqrt(product), Math.sqrt(1 - product)};
    }

    /** The best prediction of epsilon where data is normal: sigma (x - alpha m) / (alpha^2 s^2 + sigma^2). */
    private static double epsilon(double x, double alpha, double sigma) {
        return sigma * (x - alpha * MEAN) / (alpha * alpha * DEVIATION * DEVIATION + sigma * sigma);
    }

    /** Algorithm 2, with lambda = log(alpha / sigma), a first step of order 1, and a last one of order 1 to sigma = 0. */
    private static double[] oracle(double[] noise, int[] timesteps) {
        double[] x = noise.clone();
        double[] previous = new double[x.length];
        double lambdaBefore = 0;
        for (int k = 0; k < timesteps.length; k++) {
            double[] s = alphaSigma(timesteps[k]);
            boolean last = k == timesteps.length - 1;
            double[] t = last ? new double[] {1, 0} : alphaSigma(timesteps[k + 1]);
            double lambdaS = Math.log(s[0] / s[1]);
            double h = last ? Double.POSITIVE_INFINITY : Math.log(t[0] / t[1]) - lambdaS;
            for (int i = 0; i < x.length; i++) {
                double data = (x[i] - s[1] * epsilon(x[i], s[0], s[1])) / s[0];
                double direction = data;
                if (k > 0 && !last) {
                    double r = (lambdaS - lambdaBefore) / h;
                    direction = (1 + 1 / (2 * r)) * data - 1 / (2 * r) * previous[i];
                }
                x[i] = t[1] / s[1] * x[i] - t[0] * (Math.exp(-h) - 1) * direction;
                previous[i] = data;
            }
            lambdaBefore = lambdaS;
        }
        return x;
    }

    /** numpy.linspace(0, 999, n + 1), rounded, without 0, from the end. */
    private static int[] timesteps(int n) {
        int[] timesteps = new int[n];
        for (int i = 0; i < n; i++) {
            timesteps[i] = (int) Math.rint(999.0 * (n - i) / n);
        }
        return timesteps;
    }

    private static float[] run(Sampler sampler, double[] noise) {
        List<float[]> state = new ArrayList<>();
        for (int i = 0; i <= sampler.history(); i++) {
            state.add(new float[noise.length]);
        }
        for (int i = 0; i < noise.length; i++) {
            state.getFirst()[i] = (float) noise[i];
        }
        for (int done = 0; done < sampler.steps(); done++) {
            SamplerStep step = sampler.step(done);
            double[] level = alphaSigma((int) step.time());
            float[] output = new float[2 * noise.length]; // the variance's half is not looked at
            for (int i = 0; i < noise.length; i++) {
                output[i] = (float) epsilon(state.getFirst()[i], level[0], level[1]);
                output[noise.length + i] = Float.NaN;
            }
            state = step.take(1, state, output, null);
        }
        return state.getFirst();
    }

    private static double[] noise() {
        long seed = 27;
        System.out.println("noise of seed " + seed);
        Random random = new Random(seed);
        return random.doubles(ELEMENTS, -2, 2).toArray();
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 10, 14, 15, 20, 50, 250, 999})
    void followsThePapersEquations(int steps) {
        double[] noise = noise();
        Sampler sampler = SamplingMethod.DPM_SOLVER_PLUS_PLUS.of(String.valueOf(steps), 0);
        assertEquals(steps, sampler.steps());
        int[] timesteps = timesteps(steps);
        for (int done = 0; done < steps; done++) {
            assertEquals(timesteps[done], sampler.step(done).time(), "time of step " + done);
        }
        double[] expected = oracle(noise, timesteps);
        float[] rounded = new float[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            rounded[i] = (float) expected[i];
        }
        TensorAssert.assertRelativeError(steps + " steps", Shape.of(ELEMENTS), run(sampler, noise), rounded, 1e-5);
    }

    /** The solution of the ODE keeps each element's place in the distribution: 20 steps come closer than 20 of DDIM. */
    @Test
    void fewStepsComeCloseToTheSolution() {
        double[] noise = noise();
        double[] end = alphaSigma(999);
        double spread = Math.sqrt(end[0] * end[0] * DEVIATION * DEVIATION + end[1] * end[1]);
        double[] exact = new double[ELEMENTS];
        for (int i = 0; i < ELEMENTS; i++) {
            exact[i] = MEAN + DEVIATION * (noise[i] - end[0] * MEAN) / spread;
        }
        double ten = distance(run(SamplingMethod.DPM_SOLVER_PLUS_PLUS.of("10", 0), noise), exact);
        double twenty = distance(run(SamplingMethod.DPM_SOLVER_PLUS_PLUS.of("20", 0), noise), exact);
        double ddim = distance(run(SamplingMethod.DDIM.of("20", 0), noise), exact);
        assertTrue(twenty < ten / 2, "10 steps are off by %s, 20 by %s".formatted(ten, twenty));
        assertTrue(twenty < ddim, "20 steps are off by %s, 20 of DDIM by %s".formatted(twenty, ddim));
    }

    private static double distance(float[] actual, double[] exact) {
        double sum = 0;
        for (int i = 0; i < exact.length; i++) {
            sum += (actual[i] - exact[i]) * (actual[i] - exact[i]);
        }
        return Math.sqrt(sum / exact.length);
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

    @ParameterizedTest
    @CsvSource({
        "ddpm, DDPM",
        "DDIMScheduler, DDIM",
        "dpm++, DPM_SOLVER_PLUS_PLUS",
        "DPM++, DPM_SOLVER_PLUS_PLUS",
        "dpmsolver++, DPM_SOLVER_PLUS_PLUS",
        "DPMSolverMultistepScheduler, DPM_SOLVER_PLUS_PLUS"
    })
    void hasItsNamesAndDiffusers(String name, SamplingMethod method) {
        assertEquals(Optional.of(method), SamplingMethod.named(name));
    }

    @Test
    void otherNamesAreNone() {
        assertFalse(SamplingMethod.named("euler").isPresent());
    }
}
