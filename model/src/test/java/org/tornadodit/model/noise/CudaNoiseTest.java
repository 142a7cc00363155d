package org.tornadodit.model.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.NpyResource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import org.tornadodit.model.TensorAssert.Tolerance;

class CudaNoiseTest {

    private static final int CALL = 8 * 4 * 64 * 64;
    /** Threads of a launch of this grid: 512. */
    private static final CudaGrid SMALL = new CudaGrid(1, 512);

    /** Not to the bit: the chip's sine table is its own, see {@link CudaNoise}. */
    @Test
    void drawsWhatPyTorchDrawsOnAnH200() {
        NoiseStream stream = TorchRandn.cuda(0);
        int[] ulps = new int[3 * 64];
        for (int call = 0; call < 3; call++) {
            float[] expected = NpyResource.floats(getClass(), "/noise/cuda" + call + ".npy");
            float[] actual = stream.next(CALL, 0, 64);
            TensorAssert.assertClose("cuda" + call, Shape.of(64), actual, expected, Tolerance.absolute(1e-6));
            for (int i = 0; i < 64; i++) {
                ulps[call * 64 + i] = Math.abs(Float.floatToIntBits(actual[i]) - Float.floatToIntBits(expected[i]));
            }
        }
        Arrays.sort(ulps);
        System.out.printf(
                "cuda: units in the last place: median %d, 90 %% %d, most %d%n", ulps[96], ulps[172], ulps[191]);
        assertTrue(ulps[96] <= 2, "median of " + Arrays.toString(ulps));
    }

    @Test
    void writesTheFourNormalsOfAThreadOneGridApart() {
        int n = 4 * 512;
        float[] normals = TorchRandn.cuda(7, SMALL).next(n);
        int[] words = new int[4];
        Philox4x32.block(7, 0, 5, words);
        float[] thread5 = {
            CudaNoise.normal(words[0], words[1], true),
            CudaNoise.normal(words[0], words[1], false),
            CudaNoise.normal(words[2], words[3], true),
            CudaNoise.normal(words[2], words[3], false)
        };
        assertArrayEquals(thread5, new float[] {normals[5], normals[512 + 5], normals[1024 + 5], normals[1536 + 5]});
    }

    @Test
    void comesRoundWithTheNextCounter() {
        int n = 3 * 4 * 512 + 10;
        NoiseStream stream = TorchRandn.cuda(7, SMALL);
        float[] normals = stream.next(n);
        int[] words = new int[4];
        Philox4x32.block(7, 3, 9, words);
        assertEquals(CudaNoise.normal(words[0], words[1], true), normals[3 * 4 * 512 + 9]);
        assertEquals(4, ((CudaNoise) stream).counter());
        Philox4x32.block(7, 4, 0, words);
        assertEquals(CudaNoise.normal(words[0], words[1], true), stream.next(1)[0]);
    }

    @Test
    void isTheSameOnEveryLargeGpuForTheElementsThatSamplingUses() {
        float[] h200 = TorchRandn.cuda(3).next(2 * CALL, 0, CALL);
        assertArrayEquals(h200, TorchRandn.cuda(3, new CudaGrid(64, 2048)).next(2 * CALL, 0, CALL));
        assertArrayEquals(h200, TorchRandn.cuda(3, new CudaGrid(80, 2048)).next(CALL));
    }

    @Test
    void givesTheSameElementsInAnyOrder() {
        NoiseStream stream = TorchRandn.cuda(-5, SMALL);
        stream.skip(1000);
        float[] whole = stream.next(3000);
        NoiseStream again = TorchRandn.cuda(-5, SMALL);
        again.next(1000);
        assertArrayEquals(Arrays.copyOfRange(whole, 1234, 2345), again.next(3000, 1234, 2345));
        assertArrayEquals(stream.next(10), again.next(10));
        assertEquals(whole[2999], CudaNoise.at(-5, 1, 2999, 3000, SMALL));
    }

    @Test
    void usesAllBitsOfTheSeed() {
        float low = TorchRandn.cuda(1).next(1)[0];
        assertTrue(low != TorchRandn.cuda(1 + (1L << 32)).next(1)[0]);
    }

    @Test
    void neverGivesInfinityOrNaN() {
        for (int word : new int[] {0, 1, -1, Integer.MIN_VALUE, Integer.MAX_VALUE}) {
            for (int other : new int[] {0, 1, -1, Integer.MIN_VALUE}) {
                assertTrue(Float.isFinite(CudaNoise.normal(word, other, true)));
                assertTrue(Float.isFinite(CudaNoise.normal(word, other, false)));
            }
        }
    }

    @Test
    void drawsNothingForNoElements() {
        NoiseStream stream = TorchRandn.cuda(0);
        assertEquals(0, stream.next(0).length);
        assertEquals(0, ((CudaNoise) stream).counter());
    }

    @Test
    void refusesARangeBeyondTheCall() {
        IllegalArgumentException error = assertThrows(
                IllegalArgumentException.class, () -> TorchRandn.cuda(0).next(10, 5, 11));
        assertEquals("elements 5 to 11 of a randn call of 10 elements", error.getMessage());
    }
}
