package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class HalvesTest {
    @Test
    void everyHalfSurvivesTheWayThrough() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float value = Halves.first(bits);
            assertEquals(value, Halves.second(bits << 16 | 0x1234));
            if (!Float.isNaN(value)) {
                assertEquals(bits | (bits ^ 0x8000) << 16, Halves.pack(value, -value));
            }
        }
    }

    @Test
    void roundingIsToNearestEven() {
        assertEquals(0x3c00_3c00, Halves.pack(1 + 0x1p-11f, Math.nextDown(1 + 0x1p-11f)), "halfway, and below");
        assertEquals(
                0x3c02_3c01, Halves.pack(Math.nextUp(1 + 0x1p-11f), 1 + 3 * 0x1p-11f), "above halfway, and halfway");
        assertEquals(0x7c00_7bff, Halves.pack(65519.99f, 65520f), "the largest half ends where infinity begins");
        assertEquals(0x0000_0001, Halves.pack(Math.nextUp(0x1p-25f), 0x1p-25f), "subnormals are kept");
        assertTrue(Float.isNaN(Halves.first(Halves.pack(Float.NaN, 0))));
    }
}
