package org.tornadodit.model.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class SlerpTest {
    private static double length(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return Math.sqrt(sum);
    }

    @Test
    void staysOnTheCircle() {
        assertArrayEquals(
                new float[] {(float) Math.sqrt(0.5), (float) Math.sqrt(0.5)},
                Slerp.between(new float[] {1, 0}, new float[] {0, 1}, 0.5),
                1e-7f);
        assertArrayEquals(
                new float[] {(float) Math.cos(Math.PI / 6), 0.5f},
                Slerp.between(new float[] {1, 0}, new float[] {0, 1}, 1.0 / 3),
                1e-7f);
        float[] a = TorchRandn.cpu(0).next(4096);
        float[] b = TorchRandn.cpu(1).next(4096);
        assertArrayEquals(a, Slerp.between(a, b, 0), 1e-6f);
        assertArrayEquals(b, Slerp.between(a, b, 1), 1e-6f);
        for (double share : new double[] {0.1, 0.5, 0.9}) {
            assertEquals(64, length(Slerp.between(a, b, share)), 1.5, "as long as noise of 4096 elements");
        }
    }

    @Test
    void isALineWhereThereIsNoCircle() {
        float[] a = {1, 2, 3};
        assertArrayEquals(a, Slerp.between(a, a, 0.3), 1e-6f);
        assertArrayEquals(new float[] {0.5f, 0}, Slerp.between(new float[2], new float[] {1, 0}, 0.5), 1e-6f);
    }
}
