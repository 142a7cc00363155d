package org.tornadodit.runner.bulk;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.tornadodit.pipeline.Rng;

class LabelsTest {

    /** Chi-square of 1000 classes has a mean of 999 and a standard deviation of 45; neighbours are independent. */
    @Test
    void randomLabelsAreSpreadAsDrawnOnes() {
        for (long seed : new long[] {0, 1, 4321}) {
            int[] labels = Labels.random(50_000, 1000, seed).each();
            int[] counts = new int[1000];
            Arrays.stream(labels).forEach(label -> counts[label]++);
            double chi = Arrays.stream(counts)
                    .mapToDouble(count -> (count - 50.0) * (count - 50.0) / 50)
                    .sum();
            assertTrue(chi > 999 - 5 * 45 && chi < 999 + 5 * 45, seed + ": " + chi);
            long near = IntStream.range(1, labels.length)
                    .filter(i -> Math.abs(labels[i] - labels[i - 1]) < 50)
                    .count();
            assertEquals(0.0974, near / 49_999.0, 0.01); // (2 * 49 + 1) / 1000, less at the ends
        }
    }

    @Test
    void aLabelDependsOnSeedAndNumberAlone() {
        int[] many = Labels.random(1000, 80, 9).each();
        assertArrayEquals(Arrays.copyOf(many, 10), Labels.random(10, 80, 9).each());
        assertArrayEquals(new int[] {0, 1, 2, 0}, Labels.uniform(4, 3).each());
        // SplitMix64's first outputs are known: of the seed 0 0xE220A8397B1DCDAF, of 1 0x910A2DEC89025CC1.
        assertEquals(
                "[70, 45, 47, 9, 34]",
                Arrays.toString(Arrays.copyOf(Labels.random(5, 80, 0).each(), 5)));
    }

    @Test
    void seedsOfRunsHaveNoPictureInCommon() {
        assertEquals(7_000_123, PictureSeed.of(7, 123));
        PictureSeed.require(4293, Rng.CPU);
        assertThrows(IllegalArgumentException.class, () -> PictureSeed.require(4294, Rng.CPU));
        PictureSeed.require(9_000_000_000_000L, Rng.CUDA);
        assertThrows(IllegalArgumentException.class, () -> PictureSeed.require(1L << 62, Rng.CUDA));
    }
}
