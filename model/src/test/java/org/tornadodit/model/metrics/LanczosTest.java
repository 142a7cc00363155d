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

    @Test
    void refusesImpossibleSizes() {
        RgbImage image = ImageMetricsTest.random(5, 4, 1);
        assertThrows(IllegalArgumentException.class, () -> Lanczos.resize(image, 0, 4));
        assertThrows(IllegalArgumentException.class, () -> Lanczos.resize(image, 1 << 20, 1 << 20));
    }
}
