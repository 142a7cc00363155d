package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Warp;
import org.tornadodit.kernels.ptx.Wgmma;

/**
 * What a warpgroup of {@link WarpgroupAttention} does with its 64 queries and a tile of keys and values. Groups of 8 keys
 * are numbered j, columns of 8 dimensions c; of the two rows that a thread has, half 0 and 1, each has two neighbours of
 * every group and column. {@link MmaAttention} has tiles of 16 queries, m, one after the other in the registers.
 */
final class WarpgroupAttentionTile {
    /** Bytes of an 8x8 matrix of halves. */
    static final int MATRIX = 128;
    /** How far a descriptor moves by a matrix. */
    private static final int STEP = MATRIX / 16;

    /** A score that has no weight. */
    static final float LOWEST = -1e30f;
    /** The largest weight of a row is 2 to this: small ones keep their bits as halves. */
    private static final float WEIGHT_BITS = 14f;

    private WarpgroupAttentionTile() {}

    /** Registers of the queries: steps of 16 dimensions of the planes that are held, and the last 8 of an odd number. */
    static int queryRegisters(int columns, int planes, int held) {
        return held * (columns / 2) * 4 + columns % 2 * planes * 4 + 1;
    }

    /**
     * Queries into registers. An odd last column is half a step of 16. With one plane the step's other half is zero. With
     * two it is used: the step of plane 0 has the column twice, for the keys' two planes, that of plane 1 once.
     *
     * @param address of a lane's row of four matrices: two along the tokens, then two along the dimensions
     */
    static void loadQueries(int[] q, int address, int columns, int planes, int held) {
        int steps = columns / 2;
        for (int plane = 0; plane < held; plane++) {
            for (int step = 0; step < steps; step++) {
                int from = address + plane * (columns * MATRIX) + step * (2 * MATRIX);
                Mma.loadMatrices4(q, (plane * steps + step) * 4, from);
            }
        }
        if (columns % 2 != 0) {
            int at = held * steps * 4;
            int from = address + (columns - 1) * MATRIX;
            if (planes == 1) {
                Mma.loadMatrices2(q, at + 2, from);
            } else {
                Mma.loadMatrices2(q, at, from);
                Mma.loadMatrices2(q, at + 2, from);
                Mma.loadMatrices2(q, at + 4, from + columns * MATRIX);
            }
        }
    }

    /**
     * Begins {@code S = Q K^T}. The tensor core truncates as it adds: the small products come first.
     *
     * @param query descriptor of the queries, for planes that are not held
     * @param key descriptor of the keys
     * @param keyPlanes the same with the keys' two planes as the two halves of a step
     */
    static void multiplyKeys(
            float[] s, int[] q, int query, int key, int keyPlanes, int keys, int columns, int planes, int held) {
        int steps = columns / 2;
        int plane = columns * STEP;
        int stride = columns * planes * MATRIX;
        int last = held * steps * 4;
        int more = steps > 0 ? 1 : 0;
        if (held == 0) {
            Registers.clear(s);
        }
        if (planes == 2) {
            for (int step = 0; step < steps; step++) {
                multiplyStep(s, q, query, key + plane, step, 0, step > 0 ? 1 : 0, keys, columns, planes, held);
            }
            for (int step = 0; step < steps; step++) {
                multiplyStep(s, q, query, key, step, 1, 1, keys, columns, planes, held);
            }
            if (columns % 2 != 0) {
                Wgmma.multiply(s, q, last + 4, keyPlanes + (columns - 1) * STEP, stride, keys, 0, more);
                Wgmma.multiply(s, q, last, keyPlanes + (columns - 1) * STEP, stride, keys, 0, 1);
            }
        }
        for (int step = 0; step < steps; step++) {
            multiplyStep(s, q, query, key, step, 0, planes == 2 || step > 0 ? 1 : 0, keys, columns, planes, held);
        }
        if (planes == 1 && columns % 2 != 0) {
            // The column before the last one meets zeros.
            Wgmma.multiply(s, q, last, key + Math.max(columns - 2, 0) * STEP, stride, keys, 0, more);
        }
    }

    /** 16 dimensions of one plane of the queries with one of the keys. */
    private static void multiplyStep(
            float[] s,
            int[] q,
            int query,
            int key,
            int step,
            int plane,
            int accumulate,
            int keys,
            int columns,
            int planes,
            int held) {
        int stride = columns * planes * MATRIX;
        if (plane < held) {
            int from = (plane * (columns / 2) + step) * 4;
            Wgmma.multiply(s, q, from, key + step * (2 * STEP), stride, keys, 0, accumulate);
        } else {
            int from = query + (plane * columns + 2 * step) * STEP;
            Wgmma.multiply(s, from, key + step * (2 * STEP), stride, stride, keys);
        }
    }

    /**
     * Begins the product with the values: {@code tile = P V} with two planes, the small products first, and {@code O += P
     * V} with one.
     *
     * @param value descriptor of the values
     */
    static void multiplyValues(float[] o, float[] tile, int[] p, int value, int keys, int columns, int planes) {
        int plane = columns * STEP;
        int next = 2 * columns * planes * STEP;
        int steps = keys / 16;
        if (planes == 1) {
            for (int step = 0; step < steps; step++) {
                Wgmma.multiply(o, p, step * 4, value + step * next, MATRIX, columns * 8, 1, 1);
            }
        } else {
            for (int step = 0; step < steps; step++) {
                int low = (steps + step) * 4;
                Wgmma.multiply(tile, p, low, value + step * next, MATRIX, columns * 8, 1, step > 0 ? 1 : 0);
            }
            for (int step = 0; step < steps; step++) {
                Wgmma.multiply(tile, p, step * 4, value + step * next + plane, MATRIX, columns * 8, 1, 1);
            }
            for (int step = 0; step < steps; step++) {
                Wgmma.multiply(tile, p, step * 4, value + step * next, MATRIX, columns * 8, 1, 1);
            }
        }
    }

    /** Where the last tile of keys is not full, its scores beyond them have no weight. */
    static void mask(float[] s, int m, int keys, int tokens, boolean last) {
        if (tokens % keys != 0) {
            float limit = last ? LOWEST : -LOWEST;
            for (int i = tokens % keys / 2; i < keys / 2; i++) {
                int at = m * (keys / 2) + i;
                Registers.set(s, at, Approximate.min(Registers.get(s, at), limit));
            }
        }
    }

    /**
     * Scores become weights, and join the sums of their rows. The highest exponents rise to those of the scores; factors
     * are what sums so far shrink by. Exponents are compared and subtracted as they were rounded, so that sums of all
     * tiles have the same factor.
     */
    static void weigh(
            float[] s,
            int m,
            float[] sums,
            float[] highest,
            float[] factors,
            float[] factorsBefore,
            int keys,
            float scale) {
        for (int half = 0; half < 2; half++) {
            int first = m * (keys / 2) + 2 * half;
            int row = 2 * m + half;
            float top = Approximate.max(Registers.get(s, first), Registers.get(s, first + 1));
            for (int j = 1; j < keys / 8; j++) {
                int i = first + 4 * j;
                top = Approximate.max(top, Approximate.max(Registers.get(s, i), Registers.get(s, i + 1)));
            }
            top = Approximate.max(top, Warp.shuffleXor(top, 1));
            top = Approximate.max(top, Warp.shuffleXor(top, 2));
            float before = Registers.get(highest, row);
            float now = Approximate.max(before, Approximate.fma(top, scale, -WEIGHT_BITS));
            float factor = Approximate.exp2(before - now);
            Registers.set(highest, row, now);
            Registers.set(factorsBefore, row, Registers.get(factors, row));
            Registers.set(factors, row, factor);
            float sum = Registers.get(sums, row) * factor;
            for (int j = 0; j < keys / 8; j++) {
                int i = first + 4 * j;
                float x = Approximate.exp2(Approximate.fma(Registers.get(s, i), scale, -now));
                float y = Approximate.exp2(Approximate.fma(Registers.get(s, i + 1), scale, -now));
                sum = sum + (x + y);
                Registers.set(s, i, x);
                Registers.set(s, i + 1, y);
            }
            Registers.set(sums, row, sum);
        }
    }

    /** Weights as the operand of the next product: a step of 16 keys has four registers, plane 1 follows plane 0. */
    static void pack(int[] p, int m, float[] s, int keys, int planes) {
        int at = m * planes * (keys / 4);
        int from = m * (keys / 2);
        for (int i = 0; i < keys / 4; i++) {
            float x = Registers.get(s, from + 2 * i);
            float y = Registers.get(s, from + 2 * i + 1);
            int pair = Packed.high(x, y);
            Registers.set(p, at + i, pair);
            if (planes == 2) {
                Registers.set(p, at + keys / 4 + i, Packed.low(x, y, pair));
            }
        }
    }

    /**
     * Ends {@link #multiplyValues}: {@code O = O * factorsBefore + tile} with two planes. With one, O shrinks to what the
     * next tile's products are to be added to.
     */
    static void join(float[] o, float[] tile, float[] factors, float[] factorsBefore, int columns, int planes) {
        for (int i = 0; i < 4 * columns; i++) {
            if (planes == 1) {
                Registers.set(o, i, Registers.get(o, i) * Registers.get(factors, i / 2 % 2));
            } else {
                float factor = Registers.get(factorsBefore, i / 2 % 2);
                Registers.set(o, i, Approximate.fma(Registers.get(o, i), factor, Registers.get(tile, i)));
            }
        }
    }
}
