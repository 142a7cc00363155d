package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.TensorLinear.Tile;

/** Which tiles share what they read with a neighbour's, by default. */
class TensorTileTest {
    private static final int MULTIPROCESSORS = 132;
    private static final int HIDDEN = 1152;

    /** Eight guided images of DiT-XL/2 at 512 x 512: x is shared but with three products, which share the weights. */
    @ParameterizedTest
    @CsvSource({"3456, 1152", "1152, 1152", "4608, 1152", "1152, 4608"})
    void manyTilesAreInClustersOfTwo(int n, int k) {
        assertEquals(new Tile(256, 192, 4, 0, 1, 2), tile(1, 16384, n, k));
        assertEquals(new Tile(256, 192, 4, 0, 1, 2), tile(Packed.MIXED, 16384, n, k));
        assertEquals(new Tile(128, 192, 2, 0, 2, 1), tile(2, 16384, n, k));
    }

    @Test
    void fewOrOddTilesAreNot() {
        for (int planes : new int[] {1, 2, Packed.MIXED}) {
            assertEquals(1, tile(planes, 2048, HIDDEN, HIDDEN).cluster(), planes + " planes, few");
        }
        // Seven tiles beside each other.
        for (int planes : new int[] {1, Packed.MIXED}) {
            assertEquals(1, tile(planes, 16384, 7 * 192, HIDDEN).cluster(), planes + " planes, odd");
        }
    }

    private static Tile tile(int planes, int m, int n, int k) {
        return TensorLinear.tile(planes, m, n, k, MULTIPROCESSORS);
    }
}
