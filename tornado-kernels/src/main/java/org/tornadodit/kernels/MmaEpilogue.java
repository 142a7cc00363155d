package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Bias and gated residual as {@link TensorEpilogue} has them, for {@code parts} times 16 rows of a warp, whose sums follow one another.
 * Residuals are read and written by whole rows of a warp's part of a tile: as the products leave the sums, a warp's access has 32
 * bytes of each of eight rows. Eight rows at a time go through shared memory of the warp's own; a lane then has four neighbouring columns.
 */
final class MmaEpilogue {
    private static final int LANES = 32;
    /** Rows at a time. */
    private static final int ROWS = 8;
    /** Floats behind a row, so that neither the stores of sums nor the loads of rows meet in a bank. */
    private static final int GAP = 8;
    /** Registers for residuals that are loaded ahead, and those for sums beside them: beyond, the assembler has none left. */
    private static final int MOST = 48;

    private static final int MOST_WITH_SUMS = 132;

    private MmaEpilogue() {}

    /** Undoes the weight's scale and adds the bias. */
    static void addBias(
            float[] sums, int parts, FloatArray bias, int layer, int n, int column, int columns, int thread) {
        float factor = bias.get(layer * (n + 1) + n);
        int from = layer * (n + 1) + column + thread % 4 * 2;
        for (int j = 0; j < columns / 8; j++) {
            if (TensorEpilogue.isWhole(n, columns) || column + 8 * j < n) {
                float first = GlobalMemory.load(bias, from + 8 * j);
                float second = GlobalMemory.load(bias, from + 8 * j + 1);
                for (int half = 0; half < 2 * parts; half++) {
                    int at = half / 2 * (columns / 2) + 4 * j + half % 2 * 2;
                    Registers.set(sums, at, Registers.get(sums, at) * factor + first);
                    Registers.set(sums, at + 1, Registers.get(sums, at + 1) * factor + second);
                }
            }
        }
    }

    /** Bytes of shared memory that a warp needs. */
    static int scratch(int columns) {
        return ROWS * (columns + GAP) * 4;
    }

    /** Fours of columns of a lane in eight rows. */
    private static int each(int columns) {
        return ROWS * columns / (4 * LANES);
    }

    /** Pieces of eight rows that are loaded ahead. */
    private static int depth(int pieces, int each, int sums) {
        int most = Math.min(MOST, MOST_WITH_SUMS - sums);
        return Math.max(1, Math.min(pieces, most / (4 * each)));
    }

    private static int row(int lane, int i, int columns) {
        return 4 * LANES % columns == 0
                ? lane * 4 / columns + i * (4 * LANES / columns)
                : (lane * 4 + i * (4 * LANES)) / columns;
    }

    private static int column(int lane, int i, int columns) {
        return 4 * LANES % columns == 0 ? lane * 4 % columns : (lane * 4 + i * (4 * LANES)) % columns;
    }

    /**
     * {@code target = target + gate * sums}.
     *
     * @param parts times 16 rows
     * @param scratch of the warp
     * @param first the warp's first row
     * @param m rows there are
     * @param columns of the warp, from {@code column} of n on
     * @param rows of a tile: where they divide the tokens, one gate is all rows', and all rows are there
     */
    static void storeGated(
            float[] sums,
            int parts,
            FloatArray gate,
            FloatArray target,
            int scratch,
            int first,
            int column,
            int m,
            int n,
            int columns,
            int lane,
            int tokens,
            int chunk,
            int chunks,
            int rows) {
        boolean one = tokens % rows == 0;
        int each = each(columns);
        int pieces = 2 * parts;
        int depth = depth(pieces, each, parts * columns / 2);
        float[] old = Registers.floats(depth * each * 4);
        float[] gates = Registers.floats(each * 4);
        float[] now = Registers.floats(4);
        int to = scratch + (lane / 4 * (columns + GAP) + lane % 4 * 2) * 4;
        for (int piece = 0; piece < depth; piece++) {
            load(old, piece * each * 4, target, first + piece * ROWS, column, m, n, columns, lane, one);
        }
        for (int i = 0; i < each && one; i++) {
            int at = (first / tokens * chunks + chunk) * n;
            GlobalMemory.load4(gate, at + there(column, lane, i, n, columns), gates, 4 * i);
        }
        for (int piece = 0; piece < pieces; piece++) {
            // What was there before has been read.
            Warp.sync();
            for (int j = 0; j < columns / 8; j++) {
                int sum = piece / 2 * (columns / 2) + 4 * j + piece % 2 * 2;
                SharedMemory.store2(to + 32 * j, Registers.get(sums, sum), Registers.get(sums, sum + 1));
            }
            Warp.sync();
            for (int i = 0; i < each; i++) {
                int r = row(lane, i, columns);
                int c = column(lane, i, columns);
                int row = first + piece * ROWS + r;
                int o = (piece % depth * each + i) * 4;
                int g = 4 * i;
                if (!one) {
                    int at = (Math.min(row, m - 1) / tokens * chunks + chunk) * n;
                    GlobalMemory.load4(gate, at + there(column, lane, i, n, columns), gates, g);
                }
                SharedMemory.load4(scratch + (r * (columns + GAP) + c) * 4, now, 0);
                int inRow = TensorEpilogue.isWhole(n, columns) ? -1 : column + c - n;
                GlobalMemory.store4IfNegative(
                        target,
                        row * n + column + c,
                        gated(old, o, gates, g, now, 0),
                        gated(old, o + 1, gates, g + 1, now, 1),
                        gated(old, o + 2, gates, g + 2, now, 2),
                        gated(old, o + 3, gates, g + 3, now, 3),
                        one ? inRow : Math.max(inRow, row - m));
            }
            if (piece + depth < pieces) {
                int next = first + (piece + depth) * ROWS;
                load(old, piece % depth * each * 4, target, next, column, m, n, columns, lane, one);
            }
        }
    }

    /** A piece's residuals. */
    private static void load(
            float[] old,
            int to,
            FloatArray target,
            int first,
            int column,
            int m,
            int n,
            int columns,
            int lane,
            boolean one) {
        for (int i = 0; i < each(columns); i++) {
            int row = first + row(lane, i, columns);
            int at = (one ? row : Math.min(row, m - 1)) * n;
            GlobalMemory.load4(target, at + there(column, lane, i, n, columns), old, to + 4 * i);
        }
    }

    /** A lane's columns, or the last there are. */
    private static int there(int column, int lane, int i, int n, int columns) {
        int at = column + column(lane, i, columns);
        return TensorEpilogue.isWhole(n, columns) ? at : Math.min(at, n - 4);
    }

    private static float gated(float[] old, int o, float[] gates, int g, float[] sums, int s) {
        return Registers.get(old, o) + Registers.get(gates, g) * Registers.get(sums, s);
    }
}
