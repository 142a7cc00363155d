package org.tornadodit.model.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.io.numpy.NpyArray;
import org.tornadodit.model.io.numpy.NpzFile;

/** The runs of reference/solvers.py on {@link GaussianData}, which a program of another language and structure made. */
class SolverReferencesTest {

    @TestFactory
    List<DynamicTest> equalsNumpy() {
        Map<String, NpyArray> runs = NpzFile.read(GaussianData.REFERENCES.resolve("solvers/runs.npz"));
        List<DynamicTest> tests = new ArrayList<>();
        for (String name : runs.keySet()) {
            if (runs.containsKey(name + ".timesteps")) {
                tests.add(DynamicTest.dynamicTest(name, () -> equalsNumpy(name, runs)));
            }
        }
        assertEquals(39, tests.size(), tests.toString());
        return tests;
    }

    private static void equalsNumpy(String name, Map<String, NpyArray> runs) {
        double[] noise = array(runs, "noise").doubles();
        double[] all = array(runs, "normals").doubles();
        double[][] normals = new double[all.length / noise.length][];
        for (int k = 0; k < normals.length; k++) {
            normals[k] = Arrays.copyOfRange(all, k * noise.length, (k + 1) * noise.length);
        }
        List<String> words = List.of(name.split("-"));
        SolverChoices choices = new SolverChoices(
                chosen(words, TimestepSpacing::valueOf, TimestepSpacing.LINSPACE),
                chosen(words, Integer::valueOf, 2, words.getLast()),
                type(words.getLast()),
                chosen(words, FinalSigmas::valueOf, FinalSigmas.ZERO));
        Sampler sampler = SamplingMethod.named(words.getFirst()).orElseThrow().of(words.get(1), 0, choices);
        int[] timesteps = new int[sampler.steps()];
        for (int done = 0; done < timesteps.length; done++) {
            timesteps[done] = (int) sampler.step(done).time();
        }
        assertArrayEquals(array(runs, name + ".timesteps").ints(), timesteps);
        List<float[]> steps = new ArrayList<>();
        GaussianData.run(sampler, noise, normals, steps::add);
        float[] expected = array(runs, name).floats();
        float[] actual = new float[expected.length];
        for (int k = 0; k < steps.size(); k++) {
            System.arraycopy(steps.get(k), 0, actual, k * noise.length, noise.length);
        }
        TensorAssert.assertRelativeError(name, Shape.of(steps.size(), noise.length), actual, expected, 5e-6);
    }

    private static NpyArray array(Map<String, NpyArray> runs, String name) {
        NpyArray array = runs.get(name);
        if (array == null) {
            throw new AssertionError(name + " is not in " + runs.keySet());
        }
        return array;
    }

    private static @Nullable SolverType type(String word) {
        for (SolverType type : SolverType.values()) {
            if (type.name().equalsIgnoreCase(word)) {
                return type;
            }
        }
        return null;
    }

    /** The word of a run's name that is one of an enum's, or the default. */
    private static <T> T chosen(List<String> words, Function<String, T> value, T otherwise) {
        return chosen(words, value, otherwise, words.getLast().toUpperCase(Locale.ROOT));
    }

    private static <T> T chosen(List<String> words, Function<String, T> value, T otherwise, String word) {
        if (words.size() < 3) {
            return otherwise;
        }
        try {
            return value.apply(word);
        } catch (IllegalArgumentException e) { // the word says something else
            return otherwise;
        }
    }
}
