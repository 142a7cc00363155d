package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.kernels.TensorLinear.Tile;

/** Which tiles share what they read with a neighbour's, by default, and in which order tiles are taken. */
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

    /** The first of a group's tiles lie below one another; each tile of the grid comes once, whatever divides its rows. */
    @Test
    void tilesComeInGroupsOfRows() {
        for (int rowTiles : new int[] {1, 2, 3, 4, 6, 8, 12, 16, 24, 40, 48, 64}) {
            for (int columnTiles : new int[] {1, 6, 9, 16, 24}) {
                int group = TensorLinear.group(rowTiles);
                int together = 1 << group;
                assertEquals(0, rowTiles % together, rowTiles + " row tiles");
                boolean[] seen = new boolean[rowTiles * columnTiles];
                for (int tile = 0; tile < seen.length; tile++) {
                    int row = TensorLinear.rowTile(tile, group, columnTiles);
                    int column = TensorLinear.columnTile(tile, group, columnTiles);
                    String what = "tile " + tile + " of " + rowTiles + " x " + columnTiles;
                    assertEquals(tile % together, row % together, what);
                    assertEquals(tile / (together * columnTiles), row / together, what);
                    assertFalse(seen[row * columnTiles + column], what);
                    seen[row * columnTiles + column] = true;
                }
            }
        }
    }

    /** Half of a guided picture's passes: 216 tiles of 128 columns, or 248 of 112, are two of a multiprocessor. */
    @Test
    void tilesOfTwoWavesAreNarrow() {
        assertEquals(new Tile(128, 112, 2, 0), tile(2, 1024, 3 * HIDDEN, HIDDEN));
    }

    /** Of models of any size, of batches of any: with two planes one of 128 rows would lack half of its sums. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, Packed.MIXED})
    void aConsumerHasTheSumsOfDefaultTiles(int planes) {
        for (int multiprocessors : new int[] {78, 114, MULTIPROCESSORS}) {
            for (int width : new int[] {384, 768, 1024, HIDDEN}) {
                for (int m = 64; m <= 16384; m += 64) {
                    TensorLinear.tile(planes, m, 3 * width, width, multiprocessors)
                            .check(planes);
                    TensorLinear.tile(planes, m, width, width, multiprocessors).check(planes);
                    TensorLinear.tile(planes, m, 4 * width, width, multiprocessors)
                            .check(planes);
                    TensorLinear.tile(planes, m, width, 4 * width, multiprocessors)
                            .check(planes);
                }
            }
        }
    }

    /** All that are tried. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, Packed.MIXED})
    void aConsumerHasTheSumsOfAllVariants(int planes) {
        TensorVariants.tiles(planes).forEach(tile -> tile.check(planes));
    }

    @ParameterizedTest
    @CsvSource({"2, 128, 96, 1", "2, 128, 72, 1", "1, 256, 96, 1", "1, 32, 96, 0", "1, 128, 200, 1"})
    void otherTilesAreRefused(int planes, int rows, int columns, int turns) {
        Tile tile = new Tile(rows, columns, 2, turns);
        assertThrows(IllegalArgumentException.class, () -> tile.check(planes));
    }

    private static Tile tile(int planes, int m, int n, int k) {
        return TensorLinear.tile(planes, m, n, k, MULTIPROCESSORS);
    }
}
