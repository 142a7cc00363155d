package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.BitSet;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.ptx.Halves;

class PackedTest {
    private static void mark(BitSet seen, int index, int size) {
        assertTrue(index >= 0 && index < size, "index " + index);
        assertFalse(seen.get(index), "index " + index + " twice");
        seen.set(index);
    }

    @ParameterizedTest
    @CsvSource({"1, 16, 1", "128, 48, 2", "200, 1152, 2", "384, 32, 1"})
    void everyIntOfAnOperandHasOnePlace(int rows, int columns, int planes) {
        int padded = Packed.paddedRows(rows);
        assertTrue(padded >= rows && padded < rows + Packed.ROWS && padded % Packed.ROWS == 0);
        int size = Packed.size(rows, columns, planes);
        BitSet seen = new BitSet(size);
        for (int row = 0; row < padded; row++) {
            for (int column = 0; column < columns; column += 2) {
                for (int plane = 0; plane < planes; plane++) {
                    mark(seen, Packed.index(row, column, padded, planes) + plane * Packed.PLANE, size);
                }
            }
        }
        assertEquals(size, seen.cardinality());
    }

    @ParameterizedTest
    @CsvSource({"2, 3, 16, 72, 2", "1, 2, 8, 64, 1", "3, 1, 24, 8, 2"})
    void everyIntOfTheHeadsHasOnePlace(int samples, int heads, int tokens, int headSize, int planes) {
        int size = 3 * samples * heads * tokens * headSize / 2 * planes;
        BitSet seen = new BitSet(size);
        for (int which = 0; which < 3; which++) {
            for (int sample = 0; sample < samples; sample++) {
                for (int head = 0; head < heads; head++) {
                    for (int token = 0; token < tokens; token++) {
                        for (int d = 0; d < headSize; d += 2) {
                            int index = Packed.headIndex(
                                    which, sample, head, token, d, samples, heads, tokens, headSize, planes);
                            for (int plane = 0; plane < planes; plane++) {
                                mark(seen, index + plane * headSize * 4, size);
                            }
                        }
                    }
                }
            }
        }
        assertEquals(size, seen.cardinality());
    }

    @Test
    void matricesOfEightByEightAreContiguous() {
        int start = Packed.index(24, 40, 256, 2);
        assertEquals(0, start % 32);
        for (int r = 0; r < 8; r++) {
            for (int c = 0; c < 8; c += 2) {
                assertEquals(start + 4 * r + c / 2, Packed.index(24 + r, 40 + c, 256, 2));
            }
        }
    }

    private static double split(float x) {
        int high = Packed.high(x, -x);
        int low = Packed.low(x, -x, high);
        double value = Halves.first(high) + (double) Halves.first(low);
        assertEquals(-value, Halves.second(high) + (double) Halves.second(low));
        return value;
    }

    @Test
    void twoPlanesHoldTwentyTwoBits() {
        SplittableRandom random = new SplittableRandom(20261123);
        double worst = 0;
        for (int i = 0; i < 1_000_000; i++) {
            float x = (float) ((1 + random.nextDouble()) * Math.pow(2, random.nextInt(18) - 3));
            worst = Math.max(worst, Math.abs(split(x) - x) / x);
        }
        assertTrue(worst <= 0x1p-22, "worst relative error " + worst);
        assertTrue(worst > 0x1p-24, "values were tried that do not fit: " + worst);
    }

    /** Below 2^-3 plane 1 is no normal half: what remains is an absolute error of 2^-25. */
    @Test
    void smallNumbersHaveAnAbsoluteError() {
        SplittableRandom random = new SplittableRandom(20261123);
        double worst = 0;
        for (int i = 0; i < 1_000_000; i++) {
            float x = (float) Math.pow(2, -3 - 26 * random.nextDouble());
            worst = Math.max(worst, Math.abs(split(x) - x));
        }
        assertTrue(worst <= 0x1p-25, "worst absolute error " + worst);
        assertEquals(0, split(0x1p-27f));
    }

    @Test
    void theLargestMagnitudeKeepsNaN() {
        assertEquals(7, Packed.largest(3, -7, 5));
        assertEquals(9, Packed.largest(9, -7, 5));
        assertFalse(Packed.largest(Packed.largest(3, Float.NaN, 5), 1, 2) <= Packed.LARGEST);
        assertFalse(Packed.largest(0, Float.POSITIVE_INFINITY, 0) <= Packed.LARGEST);
        assertTrue(Packed.largest(0, -Packed.LARGEST, 0) <= Packed.LARGEST);
    }
}
