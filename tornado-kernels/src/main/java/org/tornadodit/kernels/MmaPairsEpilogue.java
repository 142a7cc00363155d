package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * The gated residual of {@link MmaEpilogue} in Turing's and Volta's forms, as products leave the sums: a thread has pairs of columns. By whole rows,
 * as in Ampere's form, it has not run on a GPU in these.
 */
final class MmaPairsEpilogue {
    /** Groups of eight columns of 16 rows that are loaded together. */
    private static final int PIECE = 4;

    private static final int ROWS = 16;
    /** Registers of a piece: two for each row and group. */
    private static final int SIZE = 4 * PIECE;

    private MmaPairsEpilogue() {}

    private static boolean isThere(int n, int columns, int column, int j) {
        return j < columns / 8 && (n % columns == 0 || column + 8 * j < n);
    }

    /**
     * {@code target = target + gate * sums}. A piece is loaded before the one before it is stored: loads wait for stores, of which the
     * compiler cannot know that they are elsewhere.
     *
     * @param row a thread's first
     * @param rows of a tile: where they divide the tokens, one gate is all rows'
     */
    static void storeGated(
            float[] sums,
            int parts,
            FloatArray gate,
            FloatArray target,
            int row,
            int column,
            int m,
            int n,
            int columns,
            int thread,
            int tokens,
            int chunk,
            int chunks,
            int rows) {
        boolean one = tokens % rows == 0;
        int pieces = (columns / 8 + PIECE - 1) / PIECE * parts;
        float[] old = Registers.floats(2 * SIZE);
        float[] gates = Registers.floats(2 * SIZE);
        Registers.clear(old);
        Registers.clear(gates);
        int right = column + thread % 4 * 2;
        for (int piece = 0; piece <= pieces; piece++) {
            int first = piece / parts * PIECE;
            int upper = row + piece % parts * ROWS;
            int upperIn = one ? upper : Math.min(upper, m - 1);
            int lowerIn = one ? upper + 8 : Math.min(upper + 8, m - 1);
            int gateAt = (upperIn / tokens * chunks + chunk) * n + right;
            int lowerGateAt = (lowerIn / tokens * chunks + chunk) * n + right;
            int gatesTo = (one ? piece / parts : piece) % 2 * SIZE;
            for (int i = 0; i < PIECE && piece < pieces; i++) {
                int j = first + i;
                if (isThere(n, columns, column, j)) {
                    int to = piece % 2 * SIZE + 4 * i;
                    GlobalMemory.load2(target, upperIn * n + right + 8 * j, old, to);
                    GlobalMemory.load2(target, lowerIn * n + right + 8 * j, old, to + 2);
                    if (!one || piece % parts == 0) {
                        GlobalMemory.load2(gate, gateAt + 8 * j, gates, gatesTo + 4 * i);
                    }
                    if (!one) {
                        GlobalMemory.load2(gate, lowerGateAt + 8 * j, gates, gatesTo + 4 * i + 2);
                    }
                }
            }
            if (piece > 0) {
                int now = piece - 1;
                storePiece(
                        sums,
                        now % parts * (columns / 2),
                        old,
                        now % 2 * SIZE,
                        gates,
                        (one ? now / parts : now) % 2 * SIZE,
                        one ? 0 : 2,
                        target,
                        row + now % parts * ROWS,
                        column,
                        now / parts * PIECE,
                        m,
                        n,
                        columns,
                        right);
            }
        }
    }

    /** @param lower registers from the upper row's gate to the lower one's */
    private static void storePiece(
            float[] sums,
            int s,
            float[] old,
            int o,
            float[] gates,
            int g,
            int lower,
            FloatArray target,
            int row,
            int column,
            int first,
            int m,
            int n,
            int columns,
            int right) {
        for (int i = 0; i < PIECE; i++) {
            int j = first + i;
            if (isThere(n, columns, column, j)) {
                int sum = s + 4 * j;
                int from = o + 4 * i;
                int gate = g + 4 * i;
                float a = gated(old, from, gates, gate, sums, sum);
                float b = gated(old, from + 1, gates, gate + 1, sums, sum + 1);
                float c = gated(old, from + 2, gates, gate + lower, sums, sum + 2);
                float d = gated(old, from + 3, gates, gate + lower + 1, sums, sum + 3);
                GlobalMemory.store2IfNegative(target, row * n + right + 8 * j, a, b, row - m);
                GlobalMemory.store2IfNegative(target, (row + 8) * n + right + 8 * j, c, d, row + 8 - m);
            }
        }
    }

    private static float gated(float[] old, int o, float[] gates, int g, float[] sums, int s) {
        return Registers.get(old, o) + Registers.get(gates, g) * Registers.get(sums, s);
    }
}
