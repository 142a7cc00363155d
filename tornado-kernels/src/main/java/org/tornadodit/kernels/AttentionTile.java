package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Warp;

/**
 * What a warp of {@link TensorAttention} does with a tile of keys and values in shared memory. Tiles of 16 queries are
 * numbered m, groups of 8 keys j; of the two rows of a tile that a lane has, half 0 and 1, each has two neighbours of
 * every group.
 */
final class AttentionTile {
    /** Bytes of an 8x8 matrix of halves. */
    static final int MATRIX = 128;
    /** A score that has no weight. */
    static final float LOWEST = -1e30f;

    /** Scale of the weights, at most 1, where they are split in two halves: small ones keep their bits. */
    private static final float WEIGHT_SCALE = 0x1p14f;

    private AttentionTile() {}

    /** {@code Q K^T} of a warp's queries and {@code span} groups of 8 keys from {@code first}. */
    static void multiplyKeys(
            float[] scores,
            int first,
            int[] q,
            int queryAddress,
            int queryLastAddress,
            int keyAddress,
            int keyLastAddress,
            int queryTiles,
            int groups,
            int span,
            int columns,
            int planes,
            int held) {
        float[] cross = Registers.floats(planes == 2 ? queryTiles * span * 4 : 1);
        int[] a = Registers.ints(queryTiles * 8);
        int[] k = Registers.ints(8);
        int groupBytes = columns * planes * MATRIX;
        int per = columns / 2 * 4 + columns % 2 * 2;
        for (int step = 0; step < columns / 2; step++) {
            Warp.sync();
            for (int m = 0; m < queryTiles; m++) {
                int address = queryAddress + m * 2 * groupBytes + step * (2 * MATRIX);
                for (int plane = 0; plane < planes; plane++) {
                    if (plane < held) {
                        take(a, m * 8 + plane * 4, q, (plane * queryTiles + m) * per + step * 4, 4);
                    } else {
                        Mma.loadMatrices4(a, m * 8 + plane * 4, address + plane * (columns * MATRIX));
                    }
                }
            }
            for (int j = 0; j < span; j += 2) {
                int address = keyAddress + (first + j) * groupBytes + step * (2 * MATRIX);
                Mma.loadMatrices4(k, 0, address);
                if (planes == 2) {
                    Mma.loadMatrices4(k, 4, address + columns * MATRIX);
                }
                for (int m = 0; m < queryTiles; m++) {
                    int s = (m * groups + first + j) * 4;
                    Mma.m16n8k16(scores, s, a, m * 8, k, 0);
                    Mma.m16n8k16(scores, s + 4, a, m * 8, k, 2);
                    if (planes == 2) {
                        int c = (m * span + j) * 4;
                        Mma.m16n8k16(cross, c, a, m * 8, k, 4);
                        Mma.m16n8k16(cross, c + 4, a, m * 8, k, 6);
                    }
                }
                for (int m = 0; m < queryTiles && planes == 2; m++) {
                    int c = (m * span + j) * 4;
                    Mma.m16n8k16(cross, c, a, m * 8 + 4, k, 0);
                    Mma.m16n8k16(cross, c + 4, a, m * 8 + 4, k, 2);
                }
            }
        }
        if (columns % 2 != 0) {
            for (int m = 0; m < queryTiles; m++) {
                int address = queryLastAddress + m * 2 * groupBytes + (columns - 1) * MATRIX;
                for (int plane = 0; plane < planes; plane++) {
                    if (plane < held) {
                        take(a, m * 8 + plane * 2, q, (plane * queryTiles + m) * per + columns / 2 * 4, 2);
                    } else {
                        Mma.loadMatrices2(a, m * 8 + plane * 2, address + plane * (columns * MATRIX));
                    }
                }
            }
            for (int j = 0; j < span; j += 2) {
                int address = keyLastAddress + (first + j) * groupBytes + (columns - 1) * MATRIX;
                if (planes == 2) {
                    Mma.loadMatrices4(k, 0, address);
                } else {
                    Mma.loadMatrices2(k, 0, address);
                }
                for (int m = 0; m < queryTiles; m++) {
                    int s = (m * groups + first + j) * 4;
                    Mma.m16n8k8(scores, s, a, m * 8, k, 0);
                    Mma.m16n8k8(scores, s + 4, a, m * 8, k, 1);
                    if (planes == 2) {
                        int c = (m * span + j) * 4;
                        Mma.m16n8k8(cross, c, a, m * 8, k, 2);
                        Mma.m16n8k8(cross, c + 4, a, m * 8, k, 3);
                    }
                }
                for (int m = 0; m < queryTiles && planes == 2; m++) {
                    int c = (m * span + j) * 4;
                    Mma.m16n8k8(cross, c, a, m * 8 + 2, k, 0);
                    Mma.m16n8k8(cross, c + 4, a, m * 8 + 2, k, 1);
                }
            }
        }
        if (planes == 2) {
            for (int m = 0; m < queryTiles; m++) {
                for (int j = 0; j < span; j++) {
                    for (int i = 0; i < 4; i++) {
                        int s = (m * groups + first + j) * 4 + i;
                        float c = Registers.get(cross, (m * span + j) * 4 + i);
                        Registers.set(scores, s, Registers.get(scores, s) + c);
                    }
                }
            }
        }
    }

    private static void take(int[] to, int i, int[] from, int j, int count) {
        for (int n = 0; n < count; n++) {
            Registers.set(to, i + n, Registers.get(from, j + n));
        }
    }

    /** No weight for the groups of keys from {@code count}. */
    static void mask(float[] scores, int queryTiles, int groups, int count) {
        for (int m = 0; m < queryTiles; m++) {
            for (int j = count; j < groups; j++) {
                for (int i = 0; i < 4; i++) {
                    Registers.set(scores, (m * groups + j) * 4 + i, LOWEST);
                }
            }
        }
    }

    /**
     * Raises the highest exponents of tile m's two rows to those of its scores; factors are what sums so far shrink by.
     * Exponents are compared and subtracted as they were rounded, so that sums of all tiles have the same factor.
     */
    static void raise(float[] highest, float[] factors, float[] scores, int m, int groups, float scale) {
        for (int half = 0; half < 2; half++) {
            int s = m * groups * 4 + half * 2;
            float top = Approximate.max(Registers.get(scores, s), Registers.get(scores, s + 1));
            for (int j = 1; j < groups; j++) {
                top = Approximate.max(
                        top, Approximate.max(Registers.get(scores, s + j * 4), Registers.get(scores, s + j * 4 + 1)));
            }
            top = Approximate.max(top, Warp.shuffleXor(top, 1));
            top = Approximate.max(top, Warp.shuffleXor(top, 2));
            float before = Registers.get(highest, 2 * m + half);
            float now = Approximate.max(before, top * scale);
            Registers.set(highest, 2 * m + half, now);
            Registers.set(factors, 2 * m + half, Approximate.exp2(before - now));
        }
    }

    /** Tile m's scores become weights, packed as the operand of the next product, and join the sums of its rows. */
    static void weigh(
            int[] high,
            int[] low,
            float[] sums,
            float[] highest,
            float[] factors,
            float[] scores,
            int m,
            int groups,
            int planes,
            float scale) {
        for (int half = 0; half < 2; half++) {
            float shift = -Registers.get(highest, 2 * m + half);
            float sum = Registers.get(sums, 2 * m + half) * Registers.get(factors, 2 * m + half);
            for (int j = 0; j < groups; j++) {
                int s = (m * groups + j) * 4 + half * 2;
                float x = Approximate.exp2(Approximate.fma(Registers.get(scores, s), scale, shift));
                float y = Approximate.exp2(Approximate.fma(Registers.get(scores, s + 1), scale, shift));
                if (planes == 2) {
                    x = x * WEIGHT_SCALE;
                    y = y * WEIGHT_SCALE;
                }
                sum = sum + (x + y);
                int pair = Packed.high(x, y);
                Registers.set(high, (m * groups + j) * 2 + half, pair);
                if (planes == 2) {
                    Registers.set(low, (m * groups + j) * 2 + half, Packed.low(x, y, pair));
                }
            }
            Registers.set(sums, 2 * m + half, sum);
        }
    }

    /** {@code O = O * factors + P V} in 16 columns of the output from {@code column}. */
    static void multiplyValues(
            float[] o,
            int column,
            int[] high,
            int[] low,
            float[] factors,
            int address,
            int queryTiles,
            int groups,
            int columns,
            int planes) {
        float[] sums = Registers.floats(queryTiles * 8);
        float[] cross = Registers.floats(queryTiles * 8);
        int[] v = Registers.ints(8);
        for (int j = 0; j < groups; j += 2) {
            int from = address + j * (columns * planes * MATRIX);
            Mma.loadMatrices4Transposed(v, 0, from);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 4, from + columns * MATRIX);
            }
            for (int m = 0; m < queryTiles; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(sums, m * 8, high, p, v, 0);
                Mma.m16n8k16(sums, m * 8 + 4, high, p, v, 2);
                if (planes == 2) {
                    Mma.m16n8k16(cross, m * 8, high, p, v, 4);
                    Mma.m16n8k16(cross, m * 8 + 4, high, p, v, 6);
                }
            }
            for (int m = 0; m < queryTiles && planes == 2; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(cross, m * 8, low, p, v, 0);
                Mma.m16n8k16(cross, m * 8 + 4, low, p, v, 2);
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 8; i++) {
                add(o, (m * columns + column) * 4 + i, factors, 2 * m + i / 2 % 2, sums, cross, m * 8 + i, planes);
            }
        }
    }

    /** {@link #multiplyValues} of the last 8 columns of an odd number of them. */
    static void multiplyLastValues(
            float[] o,
            int[] high,
            int[] low,
            float[] factors,
            int address,
            int queryTiles,
            int groups,
            int columns,
            int planes) {
        float[] sums = Registers.floats(queryTiles * 4);
        float[] cross = Registers.floats(queryTiles * 4);
        int[] v = Registers.ints(4);
        for (int j = 0; j < groups; j += 2) {
            int from = address + j * (columns * planes * MATRIX);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 0, from);
            } else {
                Mma.loadMatrices2Transposed(v, 0, from);
            }
            for (int m = 0; m < queryTiles; m++) {
                int p = (m * groups + j) * 2;
                Mma.m16n8k16(sums, m * 4, high, p, v, 0);
                if (planes == 2) {
                    Mma.m16n8k16(cross, m * 4, high, p, v, 2);
                }
            }
            for (int m = 0; m < queryTiles && planes == 2; m++) {
                Mma.m16n8k16(cross, m * 4, low, (m * groups + j) * 2, v, 0);
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 4; i++) {
                add(o, (m * columns + columns - 1) * 4 + i, factors, 2 * m + i / 2, sums, cross, m * 4 + i, planes);
            }
        }
    }

    private static void add(float[] o, int i, float[] factors, int f, float[] sums, float[] cross, int s, int planes) {
        float sum = Registers.get(sums, s);
        if (planes == 2) {
            sum = sum + Registers.get(cross, s);
        }
        Registers.set(o, i, Approximate.fma(Registers.get(o, i), Registers.get(factors, f), sum));
    }
}
