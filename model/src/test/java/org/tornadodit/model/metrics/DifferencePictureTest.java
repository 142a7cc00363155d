package org.tornadodit.model.metrics;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class DifferencePictureTest {

    @Test
    void putsThreePartsSideBySide() {
        RgbImage a = new RgbImage(1, 2, new byte[] {1, 2, 3, 4, 5, 6});
        RgbImage b = new RgbImage(1, 2, new byte[] {1, 4, 3, 4, (byte) 205, 6});
        RgbImage picture = DifferencePicture.of(a, b, 10);
        assertEquals(3, picture.width());
        assertArrayEquals(
                new byte[] {1, 2, 3, 1, 4, 3, 0, 20, 0, 4, 5, 6, 4, (byte) 205, 6, 0, (byte) 255, 0}, picture.levels());
    }

    @Test
    void amplifiesToFullBrightness() {
        RgbImage a = new RgbImage(1, 1, new byte[] {1, 2, 3});
        assertEquals(1, DifferencePicture.gain(a, a));
        assertEquals(255, DifferencePicture.gain(a, new RgbImage(1, 1, new byte[] {1, 3, 3})));
        assertEquals(12, DifferencePicture.gain(a, new RgbImage(1, 1, new byte[] {21, 3, 3})));
    }

    @Test
    void refusesOtherSizes() {
        assertThrows(
                IllegalArgumentException.class,
                () -> DifferencePicture.of(ImageMetricsTest.random(2, 1, 1), ImageMetricsTest.random(1, 2, 1), 1));
    }
}
