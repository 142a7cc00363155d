package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PipelineTest {
    /** Uses of the stages, counted without end, beside the places that stand for them. */
    @Test
    void placesGoAroundTheRingTwice() {
        for (int stages = 2; stages <= Pipeline.MOST_STAGES; stages++) {
            int place = 0;
            for (int use = 0; use < 5 * stages; use++) {
                String what = "use " + use + " of " + stages + " stages";
                assertEquals(use % (2 * stages), place, what);
                assertEquals(use % stages, Pipeline.stage(place, stages), what);
                assertEquals((use + 2 * stages - 1) % (2 * stages), Pipeline.before(place, stages), what);
                for (int more = 0; more <= 3 * stages; more++) {
                    assertEquals(
                            (use + more) % (2 * stages), Pipeline.later(place, more, stages), what + " and " + more);
                }
                place = Pipeline.next(place, stages);
            }
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
                    assertEquals(false, seen[row * columnTiles + column], what);
                    seen[row * columnTiles + column] = true;
                }
            }
        }
    }
}
