package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import org.jspecify.annotations.Nullable;

/**
 * Products by {@link TileKernel} (Goto and van de Geijn's scheme without packing the left side, whose elements are
 * broadcast one by one). A sum is cut into blocks of at most {@value #DEPTH} products, summed from 0 each and then added
 * up in order, which keeps a block of the right side in the first cache and the rounding error below that of one long
 * sum. docs/decisions/0001-cpu-matrix-products.md has the measurements.
 */
final class PanelProduct implements MatrixProduct {

    /** Longest block of a sum: with 32 columns, 36 KiB of the right side. */
    static final int DEPTH = 288;

    /** Rows that pass by a block of the right side while it is cached. */
    private static final int TASK_ROWS = 16 * TileKernel.ROWS;

    @Override
    public void multiply(Left left, int rows, PackedMatrix right, Output out) {
        block(left, 0, rows, right, 0, right.panels(), null, out);
    }

    @Override
    public void multiply(
            Workers workers, Left left, int rows, PackedMatrix right, float @Nullable [] bias, Output out) {
        int rowTasks = Math.ceilDiv(rows, TASK_ROWS);
        // Few rows: the panels are shared out as well, so that all threads have work.
        int panelTasks = Math.min(right.panels(), Math.ceilDiv(4 * workers.threads(), rowTasks));
        workers.forEach(rowTasks * panelTasks, (task, worker) -> {
            int firstRow = task / panelTasks * TASK_ROWS;
            int part = task % panelTasks;
            int firstPanel = (int) ((long) right.panels() * part / panelTasks);
            int lastPanel = (int) ((long) right.panels() * (part + 1) / panelTasks);
            int lastRow = Math.min(rows, firstRow + TASK_ROWS);
            block(left, firstRow, lastRow, right, firstPanel, lastPanel, bias, out);
        });
    }

    private static void block(
            Left left,
            int firstRow,
            int lastRow,
            PackedMatrix right,
            int firstPanel,
            int lastPanel,
            float @Nullable [] bias,
            Output out) {
        float[] tile = new float[TileKernel.ROWS * TileKernel.COLUMNS];
        int piece = right.depth() / left.taps();
        int parts = Math.ceilDiv(piece, DEPTH);
        for (int panel = firstPanel; panel < lastPanel; panel++) {
            for (int tap = 0; tap < left.taps(); tap++) {
                for (int part = 0; part < parts; part++) {
                    int begin = (int) ((long) piece * part / parts);
                    int end = (int) ((long) piece * (part + 1) / parts);
                    int p = right.index(panel, tap * piece + begin);
                    boolean first = tap == 0 && part == 0;
                    for (int row = firstRow; row < lastRow; row += TileKernel.ROWS) {
                        multiplyTile(left, row, lastRow - 1, tap, begin, end - begin, right.data(), p, tile);
                        store(tile, first, row, lastRow, right.columnsIn(panel), panel, bias, out);
                    }
                }
            }
        }
    }

    /** Rows past the last one repeat it; their sums are not stored. */
    private static void multiplyTile(
            Left left, int row, int last, int tap, int begin, int depth, float[] panel, int p, float[] tile) {
        Pieces pieces = left.pieces();
        TileKernel.multiply(
                depth,
                left.data(),
                pieces.offset(row, tap) + begin,
                pieces.offset(Math.min(row + 1, last), tap) + begin,
                pieces.offset(Math.min(row + 2, last), tap) + begin,
                pieces.offset(Math.min(row + 3, last), tap) + begin,
                pieces.offset(Math.min(row + 4, last), tap) + begin,
                pieces.offset(Math.min(row + 5, last), tap) + begin,
                panel,
                p,
                tile);
    }

    /** Writes (with the bias) the first block of the sums, adds the others. */
    private static void store(
            float[] tile,
            boolean first,
            int row,
            int lastRow,
            int width,
            int panel,
            float @Nullable [] bias,
            Output out) {
        int column = panel * TileKernel.COLUMNS;
        int rows = Math.min(TileKernel.ROWS, lastRow - row);
        for (int r = 0; r < rows; r++) {
            int from = r * TileKernel.COLUMNS;
            int to = out.offset() + (row + r) * out.stride() + column;
            if (width == TileKernel.COLUMNS) {
                for (int half = 0; half < TileKernel.COLUMNS; half += TileKernel.LANES) {
                    FloatVector sum = FloatVector.fromArray(TileKernel.SPECIES, tile, from + half);
                    if (!first) {
                        sum = FloatVector.fromArray(TileKernel.SPECIES, out.data(), to + half)
                                .add(sum);
                    } else if (bias != null) {
                        sum = FloatVector.fromArray(TileKernel.SPECIES, bias, column + half)
                                .add(sum);
                    }
                    sum.intoArray(out.data(), to + half);
                }
            } else {
                for (int c = 0; c < width; c++) {
                    float before = !first ? out.data()[to + c] : bias != null ? bias[column + c] : 0f;
                    out.data()[to + c] = before + tile[from + c];
                }
            }
        }
    }
}
