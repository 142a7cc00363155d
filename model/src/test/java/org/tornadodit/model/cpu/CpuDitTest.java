package org.tornadodit.model.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.RandomCheckpoint;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.Guidance;

/** What must hold for any weights. */
class CpuDitTest {

    private static final int BATCH = 5;
    private static final DitConfig CONFIG = new DitConfig(12, 2, 4, 72, 2, 2, 4.0, 9, true);
    private static final DitWeights WEIGHTS =
            DitWeights.load(new RandomCheckpoint(DitWeights.specs(CONFIG), 1), CONFIG);
    private static final CpuOptions OPTIONS = new CpuOptions(2, 1 << 24);

    private final float[] x = Randoms.normal(BATCH * CONFIG.inputElements(), 2);
    private final double[] t = {0, 999, 3, 500.5, 42};
    private final int[] labels = {0, 8, 9, 4, 4};

    private static float[] forward(CpuOptions options, float[] x, double[] t, int[] labels) {
        try (CpuDit dit = new CpuDit(CONFIG, WEIGHTS, options)) {
            return dit.forward(x, t, labels, labels.length);
        }
    }

    private static float[] image(float[] batch, int image) {
        int size = batch.length / BATCH;
        return Arrays.copyOfRange(batch, image * size, (image + 1) * size);
    }

    @Test
    void anImageDoesNotDependOnItsBatch() {
        float[] together = forward(OPTIONS, x, t, labels);
        for (int i = 0; i < BATCH; i++) {
            float[] alone = forward(OPTIONS, image(x, i), new double[] {t[i]}, new int[] {labels[i]});
            assertArrayEquals(image(together, i), alone, "image " + i);
        }
    }

    @Test
    void aPermutedBatchGivesPermutedImages() {
        int[] order = {3, 0, 4, 2, 1};
        float[] permuted = new float[x.length];
        double[] times = new double[BATCH];
        int[] classes = new int[BATCH];
        for (int i = 0; i < BATCH; i++) {
            System.arraycopy(image(x, order[i]), 0, permuted, i * CONFIG.inputElements(), CONFIG.inputElements());
            times[i] = t[order[i]];
            classes[i] = labels[order[i]];
        }
        float[] expected = forward(OPTIONS, x, t, labels);
        float[] actual = forward(OPTIONS, permuted, times, classes);
        for (int i = 0; i < BATCH; i++) {
            assertArrayEquals(image(expected, order[i]), image(actual, i), "image " + i);
        }
    }

    @Test
    void threadsAndKeptWeightsDoNotChangeABit() {
        float[] expected = forward(OPTIONS, x, t, labels);
        assertArrayEquals(expected, forward(OPTIONS.withThreads(1), x, t, labels));
        assertArrayEquals(expected, forward(OPTIONS.withThreads(5), x, t, labels));
        assertArrayEquals(expected, forward(new CpuOptions(2, 0), x, t, labels));
    }

    @Test
    void batchesThatDoNotGoThroughTogetherGiveTheSame() {
        // 4096 tokens an image: two images go through the blocks together, the third after them.
        DitConfig config = new DitConfig(64, 1, 1, 8, 1, 1, 1.0, 2, false);
        assertEquals(4096, config.tokens());
        DitWeights weights = DitWeights.load(new RandomCheckpoint(DitWeights.specs(config), 3), config);
        float[] input = Randoms.normal(3 * config.inputElements(), 4);
        try (CpuDit dit = new CpuDit(config, weights, OPTIONS)) {
            float[] all = dit.forward(input, new double[3], new int[3], 3);
            float[] last = Arrays.copyOfRange(input, 2 * config.inputElements(), 3 * config.inputElements());
            float[] alone = dit.forward(last, new double[1], new int[1], 1);
            assertArrayEquals(alone, Arrays.copyOfRange(all, 2 * alone.length, 3 * alone.length));
        }
    }

    @Test
    void guidanceOfOneIsTheConditionalPrediction() {
        int[] pair = {1, 2, 9, 9};
        float[] two = Arrays.copyOf(x, 4 * CONFIG.inputElements());
        try (CpuDit dit = new CpuDit(CONFIG, WEIGHTS, OPTIONS)) {
            float[] half = Arrays.copyOf(two, two.length / 2);
            float[] conditional = dit.forward(half, new double[2], new int[] {1, 2}, 2);
            for (Guidance guidance : Guidance.values()) {
                float[] guided = dit.forwardWithGuidance(two, new double[4], pair, 4, 1.0, guidance);
                TensorAssert.assertRelativeError(
                        "guidance " + guidance,
                        Shape.of(2, CONFIG.outputElements()),
                        Arrays.copyOf(guided, conditional.length),
                        conditional,
                        1e-6);
            }
        }
    }

    @Test
    void guidanceChangesThreeChannelsOrAll() {
        int[] pair = {1, 9};
        float[] two = Arrays.copyOf(x, 2 * CONFIG.inputElements());
        int plane = CONFIG.inputSize() * CONFIG.inputSize();
        try (CpuDit dit = new CpuDit(CONFIG, WEIGHTS, OPTIONS)) {
            float[] three = dit.forwardWithGuidance(two, new double[2], pair, 2, 4.0, Guidance.FIRST_THREE);
            float[] all = dit.forwardWithGuidance(two, new double[2], pair, 2, 4.0, Guidance.ALL);
            float[] conditional =
                    dit.forward(Arrays.copyOf(two, CONFIG.inputElements()), new double[1], new int[] {1}, 1);
            assertArrayEquals(Arrays.copyOf(all, 3 * plane), Arrays.copyOf(three, 3 * plane));
            float[] rest = Arrays.copyOfRange(conditional, 3 * plane, 8 * plane);
            assertArrayEquals(rest, Arrays.copyOfRange(three, 3 * plane, 8 * plane));
            assertArrayEquals(
                    Arrays.copyOfRange(rest, plane, 5 * plane), Arrays.copyOfRange(all, 4 * plane, 8 * plane));
            assertFalse(Arrays.equals(Arrays.copyOf(rest, plane), Arrays.copyOfRange(all, 3 * plane, 4 * plane)));
        }
    }

    @Test
    void theProbeSeesPartsAndChangesNothing() {
        List<String> parts = new ArrayList<>();
        try (CpuDit dit = new CpuDit(CONFIG, WEIGHTS, OPTIONS)) {
            float[] unseen = dit.forward(x, t, labels, BATCH);
            dit.observe((module, shape, values) -> {
                parts.add(module);
                assertEquals(shape.elements(), values.length);
                Arrays.fill(values, Float.NaN);
            });
            assertArrayEquals(unseen, dit.forward(x, t, labels, BATCH));
        }
        assertEquals("x_embedder", parts.getFirst());
        assertEquals("final_layer", parts.getLast());
    }

    @Test
    void saysWhatDoesNotFit() {
        try (CpuDit dit = new CpuDit(CONFIG, WEIGHTS, OPTIONS)) {
            assertMessage(
                    "label is 10, expected 0 to 8, or 9 for no class",
                    () -> dit.forward(x, t, new int[] {0, 0, 10, 0, 0}, 5));
            assertMessage(
                    "label is -1, expected 0 to 8, or 9 for no class",
                    () -> dit.forward(x, t, new int[] {0, 0, -1, 0, 0}, 5));
            assertMessage("x has 2880 values, expected 2304", () -> dit.forward(x, t, labels, 4));
            assertMessage("t has 5 values, expected 4", () -> dit.forward(Arrays.copyOf(x, 2304), t, labels, 4));
            assertMessage(
                    "batch is 5, expected an even number: guidance uses two halves",
                    () -> dit.forwardWithGuidance(x, t, labels, 5, 4.0, Guidance.ALL));
        }
        assertMessage("threads is 0, expected at least 1", () -> new CpuOptions(0, 0));
    }

    private static void assertMessage(String expected, Runnable call) {
        IllegalArgumentException thrown = assertThrows(IllegalArgumentException.class, call::run);
        assertEquals(expected, thrown.getMessage());
    }
}
