package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class LanczosTest {

    @Test
    void resizesAsPillowLevelForLevel() throws IOException {
        int resized = 0;
        for (MetricReferences.Pair pair : MetricReferences.pairs()) {
            if (pair.files().has("candidate_resized")) {
                RgbImage expected = pair.image("candidate_resized");
                RgbImage actual = Lanczos.resize(pair.candidate(), expected.width(), expected.height());
                assertArrayEquals(expected.levels(), actual.levels(), pair.name());
                resized++;
            }
        }
        assertEquals(2, resized);
    }

    @Test
    void keepsAnImageOfTheRightSize() {
        RgbImage image = ImageMetricsTest.random(5, 4, 1);
        assertSame(image, Lanczos.resize(image, 5, 4));
    }

    @Test
    void keepsAFlatImageFlat() {
        byte[] levels = new byte[7 * 5 * 3];
        Arrays.fill(levels, (byte) 200);
        RgbImage flat = Lanczos.resize(new RgbImage(7, 5, levels), 31, 2);
        for (int i = 0; i < flat.size(); i++) {
            assertEquals(200, flat.level(i));
        }
    }

    /** More output pixels than weights are held for at a time; both passes come to the same. */
    @Test
    void goesOnWhereTheWeightsEnd() {
        RgbImage row = ImageMetricsTest.random(100_001, 1, 1);
        RgbImage column = new RgbImage(1, 100_001, row.levels());
        assertArrayEquals(
                Lanczos.resize(column, 1, 400_000).levels(),
                Lanczos.resize(row, 400_000, 1).levels());
        byte[] levels = new byte[3 * 100_001];
        Arrays.fill(levels, (byte) 90);
        for (byte level :
                Lanczos.resize(new RgbImage(100_001, 1, levels), 400_000, 1).levels()) {
            assertEquals(90, level);
        }
    }

    /** Before, it made weights for 2^26 pixels first, in 6 GB. */
    @Test
    void looksAtTheSizeFirst() {
        RgbImage column = new RgbImage(1, 1 << 20, new byte[3 << 20]);
        assertEquals(
                "1 x 1048576 pixels to 67108864 x 1 pixels: expected 1 to 67108864 pixels, and as many after the width",
                assertThrows(IllegalArgumentException.class, () -> Lanczos.resize(column, 1 << 26, 1))
                        .getMessage());
    }

    @Test
    void refusesImpossibleSizes() {
        RgbImage image = ImageMetricsTest.random(5, 4, 1);
        assertThrows(IllegalArgumentException.class, () -> Lanczos.resize(image, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> Lanczos.resize(image, 1 << 20, 1 << 20));
    }
}
