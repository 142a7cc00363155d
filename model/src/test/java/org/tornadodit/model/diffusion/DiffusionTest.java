package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.NpyResource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TensorAssert.Tolerance;

class DiffusionTest {

    private static final Shape SHAPE = Shape.of(2, 4, 3, 4);

    @ParameterizedTest
    @ValueSource(strings = {"250", "", "10,15,20", "ddim50", "10", "ddim100", "7", "3", "600", "2"})
    void keepsTheTimestepsAndTablesOfTheReference(String respacing) {
        Diffusion diffusion = Diffusion.create(respacing);
        long[] timesteps = NpyResource.longs(getClass(), "/diffusion/timesteps-" + fileName(respacing));
        double[] tables = NpyResource.doubles(getClass(), "/diffusion/tables-" + fileName(respacing));
        assertEquals(timesteps.length, diffusion.steps());
        for (int i = 0; i < timesteps.length; i++) {
            assertEquals(timesteps[i], diffusion.timestep(i), "timestep of step " + i);
            assertEquals(tables[i], diffusion.beta(i), "beta of step " + i);
            assertEquals(tables[timesteps.length + i], diffusion.alphaCumprod(i), "abar of step " + i);
        }
    }

    /** Steps of the reference's p_sample and ddim_sample; see make_step_references.py. */
    @ParameterizedTest
    @CsvSource({
        "250, DDPM, 0, 'ddpm', 249:248:100:1:0",
        "'', DDPM, 0, 'ddpm', 999:500:0",
        "'10,15,20', DDPM, 0, 'ddpm', 44:9:1",
        "250, DDPM, 0, 'ddpm-fixed', 249:1:0",
        "ddim50, DDIM, 0, 'ddim', 49:20:0",
        "10, DDIM, 1, 'ddim1.0', 9:5:1:0",
        "250, DDIM, 0.5, 'ddim0.5', 249:3:0"
    })
    void stepsAsTheReference(String respacing, SamplingMethod method, double eta, String kind, String indices) {
        Sampler sampler = method.of(respacing, eta);
        float[] x = NpyResource.floats(getClass(), "/diffusion/x.npy");
        float[] output = NpyResource.floats(getClass(), "/diffusion/model_output.npy");
        float[] noise = NpyResource.floats(getClass(), "/diffusion/noise.npy");
        float[] given = kind.endsWith("fixed") ? firstHalves(output) : output;
        for (String index : indices.split(":")) {
            String name = kind + "-" + (respacing.isEmpty() ? "all" : respacing.replace(',', '-')) + "-" + index;
            float[] expected = NpyResource.floats(getClass(), "/diffusion/" + name + ".npy");
            SamplerStep step = sampler.step(sampler.steps() - 1 - Integer.parseInt(index));
            float[] actual = step.take(2, List.of(x), given, noise).getFirst();
            // One unit in the last place of exp, the only operation that IEEE 754 does not fix.
            Tolerance tolerance = method == SamplingMethod.DDIM ? Tolerance.absolute(1e-30) : new Tolerance(3e-7, 2e-7);
            TensorAssert.assertClose(name, SHAPE, actual, expected, tolerance);
        }
    }

    /** DDIM with eta 1 has the posterior's variance, for any schedule: Song et al., section 4.1. */
    @Test
    void ddimWithEtaOneHasDdpmsVariance() {
        Diffusion diffusion = Diffusion.create("25");
        for (int i = 1; i < diffusion.steps(); i++) {
            double sigma = diffusion.implicit(i, 1).sigma();
            // 1 - abar loses three digits to cancellation in float32.
            assertEquals(1, sigma * sigma / diffusion.posteriorVariance(i), 1e-3, "step " + i);
        }
    }

    /** A perfect prediction of the noise brings x back to x_0 along the deterministic path. */
    @Test
    void ddimReturnsToTheStartThatTheNoiseBelongsTo() {
        long seed = 5;
        Random random = new Random(seed);
        Diffusion diffusion = Diffusion.create("50");
        float[] start = new float[64];
        float[] eps = new float[64];
        float[] x = new float[64];
        double alphaBar = diffusion.alphaCumprod(49);
        for (int i = 0; i < 64; i++) {
            start[i] = (float) random.nextGaussian();
            eps[i] = (float) random.nextGaussian();
            x[i] = (float) (Math.sqrt(alphaBar) * start[i] + Math.sqrt(1 - alphaBar) * eps[i]);
        }
        for (int index = 49; index >= 0; index--) {
            x = new Ddim(diffusion, 0)
                    .step(49 - index)
                    .take(1, List.of(x), eps, null)
                    .getFirst();
        }
        TensorAssert.assertClose("seed " + seed, Shape.of(64), x, start, Tolerance.absolute(2e-4));
    }

    @Test
    void theLastStepIsFreeOfNoise() {
        Sampler sampler = SamplingMethod.DDPM.of("10", 0);
        float[] x = {1, 2, 3, 4};
        float[] output = {.1f, .2f, .3f, .4f, 0, 1, -1, .5f};
        float[] loud = {9, -9, 9, -9};
        assertArrayEquals(taken(sampler.step(9), x, output, new float[4]), taken(sampler.step(9), x, output, loud));
        assertFalse(Arrays.equals(
                taken(sampler.step(8), x, output, new float[4]), taken(sampler.step(8), x, output, loud)));
    }

    @Test
    void oneStepGoesStraightToTheStart() {
        Diffusion diffusion = Diffusion.create("1");
        SamplerStep step = SamplingMethod.DDPM.of("1", 0).step(0);
        float[] out = taken(step, new float[] {0.5f}, new float[] {0.25f, 1}, new float[] {3});
        assertEquals(0, diffusion.timestep(0));
        assertEquals(step.start().of(0.5f, 0.25f), out[0], 1e-7f);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "0 | 0 sampling steps: at least 1 is needed",
                "0,0 | 0 sampling steps: at least 1 is needed",
                "-3 | -3 sampling steps: at least 1 is needed",
                "1001 | 1001 sampling steps: the process has 1000 timesteps",
                "10,400,3 | sampling steps '10,400,3': section 2 of 3 has 333 timesteps, not 400",
                "many | sampling steps 'many': expected a number like 250, a list like 10,15,20, or ddim50",
                "10,,3 | sampling steps '10,,3': expected a number like 250, a list like 10,15,20, or ddim50",
                "99999999999 | sampling steps '99999999999': expected a number like 250, a list like 10,15,20, or"
                        + " ddim50",
                "ddim300 | sampling steps 'ddim300': no whole stride divides 1000 timesteps into 300; "
                        + "the nearest are ddim250 and ddim334",
                "ddim1 | sampling steps 'ddim1': no whole stride divides 1000 timesteps into 1; the nearest is ddim2",
                "ddim2000 | sampling steps 'ddim2000': no whole stride divides 1000 timesteps into 2000; "
                        + "the nearest is ddim1000",
                "ddim | sampling steps 'ddim': expected a number like 250, a list like 10,15,20, or ddim50"
            })
    void refusesStepsThatCannotBeChosen(String respacing, String message) {
        IllegalArgumentException error =
                assertThrows(IllegalArgumentException.class, () -> Diffusion.create(respacing));
        assertEquals(message, error.getMessage());
    }

    @Test
    void refusesEtaBeyondOne() {
        assertThrows(IllegalArgumentException.class, () -> SamplingMethod.DDIM.of("10", 1.5));
        assertThrows(IllegalArgumentException.class, () -> SamplingMethod.DDIM.of("10", Double.NaN));
    }

    @Test
    void refusesArraysThatDoNotFit() {
        SamplerStep step = SamplingMethod.DDPM.of("10", 0).step(6);
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class, () -> taken(step, new float[4], new float[8], new float[3]));
        assertEquals("noise of 3 elements for x of 4", error.getMessage());
        assertThrows(IllegalArgumentException.class, () -> taken(step, new float[4], new float[7], new float[4]));
    }

    private static float[] taken(SamplerStep step, float[] x, float[] output, float[] noise) {
        return step.take(1, List.of(x), output, noise).getFirst();
    }

    private static String fileName(String respacing) {
        return (respacing.isEmpty() ? "all" : respacing.replace(',', '-')) + ".npy";
    }

    /** Predicted noise only, as a model gives it that learns no variance. */
    private static float[] firstHalves(float[] output) {
        int size = output.length / 4;
        float[] first = Arrays.copyOf(output, 2 * size);
        System.arraycopy(output, 2 * size, first, size, size);
        return first;
    }
}
