package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.ptx.Halves;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the kernels' own checks cannot tell: the layouts, and that small weights keep their bits. */
class PackedMapTest {
    @ParameterizedTest
    @CsvSource({"1, 1, 1", "2, 5, 7", "3, 8, 64", "1, 64, 8"})
    void everyPixelHasOnePositionAndItsNeighboursAreABorder(int n, int height, int width) {
        int length = PackedMap.length(n, height, width);
        int[] pixels = new int[length];
        for (int position = 0; position < length; position++) {
            pixels[position] = PackedMap.pixel(position - PackedMap.front(width), n, height, width);
        }
        int[] inOrder = Arrays.stream(pixels).filter(pixel -> pixel >= 0).toArray();
        assertArrayEquals(IntStream.range(0, n * height * width).toArray(), inOrder);
        for (int position = 0; position < length; position++) {
            int pixel = pixels[position];
            if (pixel < 0) {
                continue;
            }
            for (int dy = -1; dy <= 1; dy++) {
                for (int dx = -1; dx <= 1; dx++) {
                    int y = pixel / width % height + dy;
                    int x = pixel % width + dx;
                    boolean inside = y >= 0 && y < height && x >= 0 && x < width;
                    int expected = inside ? pixel + dy * width + dx : -1;
                    assertEquals(expected, pixels[position + dy * (width + 1) + dx]);
                }
            }
        }
    }

    @Test
    void aDoubledImagesFourKernelsAreSumsOfTheOne() {
        int in = 16;
        float[] weight = new float[in * 9];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = 1 << (i % 9);
        }
        IntArray packed = new IntArray(ConvolutionWeights.size(1, in, 2, 2));
        float undo = ConvolutionWeights.packOnHost(weight, 1, in, 2, 2, packed, 0);
        // Taps 0 1 2 / 3 4 5 / 6 7 8: of the even phase the first stands alone, of the odd phase the last.
        int[][] rows = {
            {0b000000001, 0b000000110, 0b000001000 + 0b001000000, 0b000110000 + 0b110000000},
            {0b000000011, 0b000000100, 0b000011000 + 0b011000000, 0b000100000 + 0b100000000},
            {0b000000001 + 0b000001000, 0b000000110 + 0b000110000, 0b001000000, 0b110000000},
            {0b000000011 + 0b000011000, 0b000000100 + 0b000100000, 0b011000000, 0b100000000}
        };
        int step = ConvolutionWeights.step(2, 2);
        for (int phase = 0; phase < 4; phase++) {
            for (int tap = 0; tap < 4; tap++) {
                int at = (phase * 2 + tap / 2) * step + tap % 2 * 1024;
                float high = Halves.first(packed.get(at));
                float low = Halves.first(packed.get(at + 2 * 1024));
                assertEquals(rows[phase][tap], (high + low / PackedMap.LOW) * undo, "phase " + phase + " tap " + tap);
            }
        }
    }

    @Test
    void smallWeightsBesideLargeOnesKeepTheirBits() {
        float[] weight = new float[16];
        for (int i = 0; i < weight.length; i++) {
            weight[i] = (float) (10 * Math.pow(10, -i * 7.0 / 15) * 1.2345678);
        }
        IntArray packed = new IntArray(ConvolutionWeights.size(1, 16, 1, 2));
        float undo = ConvolutionWeights.packOnHost(weight, 1, 16, 1, 2, packed, 0);
        for (int i = 0; i < 16; i += 2) {
            int at = i / 8 * 512 + i % 8 / 2;
            float high = Halves.first(packed.get(at));
            float low = Halves.first(packed.get(at + 1024));
            double kept = (high + (double) low / PackedMap.LOW) * undo;
            assertTrue(Math.abs(kept - weight[i]) <= weight[i] * 0x1p-19, weight[i] + " became " + kept);
        }
    }

    @Test
    void refusesWeightsThatAreNotFinite() {
        float[] weight = new float[16];
        weight[3] = Float.NaN;
        IntArray packed = new IntArray(ConvolutionWeights.size(1, 16, 1, 1));
        assertThrows(
                IllegalArgumentException.class, () -> ConvolutionWeights.packOnHost(weight, 1, 16, 1, 1, packed, 0));
    }
}
