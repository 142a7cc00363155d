package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

class Float8Test {
    @Test
    void everyNumberKeepsItsBits() {
        for (int code = 0; code < 256; code++) {
            int expected = (code & 0x7f) == 0x7f ? 0x7f : code;
            assertEquals(expected, Float8.code(Float8.value(code)), "code " + code);
        }
        assertEquals(Float8.LARGEST, Float8.value(0x7e));
        assertEquals(0x1p-9f, Float8.value(1));
        assertEquals(-1.125f, Float8.value(0xb9));
    }

    /** To the nearest number, halfway to the one whose last bit is 0. */
    @Test
    void roundsToNearestEven() {
        long seed = 20261128;
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < 20_000; i++) {
            float x = (float) Math.scalb(random.nextDouble() * 2 - 1, random.nextInt(22) - 12);
            float given = Float8.value(Float8.code(x));
            for (int code = 0; code < 0x7f; code++) {
                float other = Math.copySign(Float8.value(code), x);
                assertTrue(
                        Math.abs((double) other - x) >= Math.abs((double) given - x),
                        "seed " + seed + ": " + x + " became " + given + ", " + other + " is nearer");
            }
        }
        for (int code = 0; code < 0x7e; code++) {
            float between = (Float8.value(code) + Float8.value(code + 1)) / 2;
            assertEquals(code + (code & 1), Float8.code(between), "halfway beyond code " + code);
        }
    }

    @Test
    void whatIsTooLargeBecomesTheLargest() {
        assertEquals(0x7e7e7e7e, Float8.pack(448f, 465f, 1e30f, Float.POSITIVE_INFINITY));
        assertEquals(0xfe0000fe, Float8.pack(-1e9f, 0f, 0x1p-11f, -449f));
        assertEquals(0x7f, Float8.code(Float.NaN));
    }
}
