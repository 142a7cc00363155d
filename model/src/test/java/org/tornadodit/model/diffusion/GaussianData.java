package org.tornadodit.model.diffusion;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Data that is a Gaussian for each element: the denoiser and the solution of the diffusion ODE are known in closed form, and
 * solvers can be written down from their papers in float64.
 */
final class GaussianData {
    static final Path REFERENCES = Path.of(System.getProperty("dit.root", ".."), "reference/data");

    static final double MEAN = 0.8;
    static final double DEVIATION = 0.3;

    private GaussianData() {}

    /** alpha_t and sigma_t of a timestep: the square roots of a product of 1000 linear betas, and of its rest. */
    static double[] alphaSigma(int timestep) {
        double product = 1;
        for (int i = 0; i <= timestep; i++) {
            product *= 1 - (1e-4 + (0.02 - 1e-4) * i / 999);
        }
        return new double[] {Math.sqrt(product), Math.sqrt(1 - product)};
    }

    /** alpha, sigma and lambda of timesteps, and of the end: no noise at all, or timestep 0. */
    static double[][] levels(int[] timesteps, FinalSigmas end) {
        double[][] levels = new double[timesteps.length + 1][];
        for (int k = 0; k <= timesteps.length; k++) {
            double[] level = k < timesteps.length
                    ? alphaSigma(timesteps[k])
                    : end == FinalSigmas.ZERO ? new double[] {1, 0} : alphaSigma(0);
            levels[k] = new double[] {level[0], level[1], Math.log(level[0] / level[1])};
        }
        return levels;
    }

    /** The best prediction of epsilon where data is normal: sigma (x - alpha m) / (alpha^2 s^2 + sigma^2). */
    static double epsilon(double x, double alpha, double sigma) {
        return sigma * (x - alpha * MEAN) / (alpha * alpha * DEVIATION * DEVIATION + sigma * sigma);
    }

    /** x0 as that prediction has it. */
    static double data(double x, double[] level) {
        return (x - level[1] * epsilon(x, level[0], level[1])) / level[0];
    }

    /** Where the diffusion ODE ends: each element keeps its place in the distribution. */
    static double[] solution(double[] noise) {
        double[] end = alphaSigma(999);
        double spread = Math.sqrt(end[0] * end[0] * DEVIATION * DEVIATION + end[1] * end[1]);
        double[] exact = new double[noise.length];
        for (int i = 0; i < noise.length; i++) {
            exact[i] = MEAN + DEVIATION * (noise[i] - end[0] * MEAN) / spread;
        }
        return exact;
    }

    /** Starting points, from -2 to 2. */
    static double[] noise(int elements) {
        long seed = 27;
        System.out.println("noise of seed " + seed);
        return new Random(seed).doubles(elements, -2, 2).toArray();
    }

    /** numpy.linspace(0, 999, n + 1), rounded, without 0, from the end. */
    static int[] linspace(int n) {
        int[] timesteps = new int[n];
        for (int i = 0; i < n; i++) {
            timesteps[i] = (int) Math.rint(999.0 * (n - i) / n);
        }
        return timesteps;
    }

    /**
     * A run of a sampler on its best denoiser, whose variance's half is never looked at.
     *
     * @param normals of each step; null where none are drawn
     */
    static float[] run(Sampler sampler, double[] noise, double @Nullable [][] normals) {
        return run(sampler, noise, normals, x -> {});
    }

    /** As above, telling of x after each step. */
    static float[] run(Sampler sampler, double[] noise, double @Nullable [][] normals, Consumer<float[]> eachStep) {
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
            float[] output = new float[2 * noise.length];
            for (int i = 0; i < noise.length; i++) {
                output[i] = (float) epsilon(state.getFirst()[i], level[0], level[1]);
                output[noise.length + i] = Float.NaN;
            }
            state = step.take(1, state, output, normals == null ? null : rounded(normals[done]));
            eachStep.accept(state.getFirst());
        }
        return state.getFirst();
    }

    static float[] rounded(double[] values) {
        float[] rounded = new float[values.length];
        for (int i = 0; i < values.length; i++) {
            rounded[i] = (float) values[i];
        }
        return rounded;
    }

    /** Root of the mean squared difference. */
    static double distance(float[] actual, double[] exact) {
        double sum = 0;
        for (int i = 0; i < exact.length; i++) {
            sum += (actual[i] - exact[i]) * (actual[i] - exact[i]);
        }
        return Math.sqrt(sum / exact.length);
    }
}
