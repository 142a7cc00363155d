package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The products of a warp of {@link MmaAttention} with a tile of keys and values, but in Volta's form: {@link VoltaAttentionTile}. */
final class MmaAttentionTile {
    /** Bytes of an 8x8 matrix of halves. */
    private static final int MATRIX = WarpgroupAttentionTile.MATRIX;

    private MmaAttentionTile() {}

    /** Of a tile of 16 queries: steps of 16 dimensions of each plane, four each, and the last 8 of an odd number. */
    static int queryRegisters(int columns, int planes) {
        return planes * (columns / 2) * 4 + columns % 2 * (planes == 2 ? 6 : 2);
    }

    /**
     * A warp's queries into registers: a step of 16 dimensions has rows g and g + 8 of the first 8, then of the others. With two
     * planes the last 8 of an odd number are there twice in plane 0, for the keys' two planes, and once in plane 1.
     */
    static void loadQueries(
            int[] q, IntArray qkv, int at, int firstGroup, int asked, int queryTiles, int columns, int planes) {
        int steps = columns / 2;
        for (int m = 0; m < queryTiles; m++) {
            int register = m * queryRegisters(columns, planes);
            for (int half = 0; half < 2; half++) {
                int group = Math.min(firstGroup + 2 * m + half, asked / 8 - 1);
                for (int plane = 0; plane < planes; plane++) {
                    int from = at + (group * planes + plane) * (columns * 32);
                    for (int column = 0; column < 2 * steps; column++) {
                        int to = register + (plane * steps + column / 2) * 4 + column % 2 * 2 + half;
                        Registers.set(q, to, qkv.get(from + column * 32));
                    }
                    if (columns % 2 != 0) {
                        int last = qkv.get(from + (columns - 1) * 32);
                        int to = register + planes * steps * 4 + plane * 4 + half;
                        Registers.set(q, to, last);
                        if (planes == 2 && plane == 0) {
                            Registers.set(q, to + 2, last);
                        }
                    }
                }
            }
        }
    }

    /**
     * {@code S += Q K^T}, of each group of keys the small products first.
     *
     * @param address of the keys, a lane's, along dimensions then keys
     * @param lastAddress likewise, along planes then keys; with one plane along keys
     */
    static void multiplyKeys(
            float[] s,
            int[] q,
            int address,
            int lastAddress,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        int[] k = Registers.ints(8);
        int steps = columns / 2;
        int groupBytes = columns * planes * MATRIX;
        int per = queryRegisters(columns, planes);
        for (int j = 0; j < keys / 8; j += 2) {
            for (int step = 0; step < steps; step++) {
                int from = address + j * groupBytes + step * (2 * MATRIX);
                Mma.loadMatrices4(k, 0, from);
                if (planes == 2) {
                    Mma.loadMatrices4(k, 4, from + columns * MATRIX);
                }
                for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                    // lo hi, hi lo, hi hi
                    int l = product == 0 ? steps * 4 : 0;
                    int r = product == 1 ? 4 : 0;
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        MmaTile.multiply(s, at, q, m * per + step * 4 + l, k, r, form);
                    }
                }
            }
            if (columns % 2 != 0) {
                int from = lastAddress + j * groupBytes + (columns - 1) * MATRIX;
                int last = planes * steps * 4;
                if (planes == 2) {
                    Mma.loadMatrices4(k, 0, from);
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        Mma.m16n8k8(s, at, q, m * per + last + 4, k, 0);
                        Mma.m16n8k8(s, at + 4, q, m * per + last + 4, k, 2);
                        MmaTile.multiply(s, at, q, m * per + last, k, 0, form);
                    }
                } else {
                    Mma.loadMatrices2(k, 0, from);
                    for (int m = 0; m < queryTiles; m++) {
                        int at = m * (keys / 2) + j * 4;
                        Mma.m16n8k8(s, at, q, m * per + last, k, 0);
                        Mma.m16n8k8(s, at + 4, q, m * per + last, k, 1);
                    }
                }
            }
        }
    }

    /** {@code O = O * factors + P V} in 16 dimensions, from group {@code column} of 8. */
    static void multiplyValues(
            float[] o,
            int column,
            int[] p,
            float[] factors,
            int address,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        float[] sums = Registers.floats(queryTiles * 8);
        int[] v = Registers.ints(8);
        int groupBytes = columns * planes * MATRIX;
        Registers.clear(sums);
        for (int step = 0; step < keys / 16; step++) {
            int from = address + step * 2 * groupBytes;
            Mma.loadMatrices4Transposed(v, 0, from);
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 4, from + columns * MATRIX);
            }
            for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                int l = product == 0 ? keys / 4 : 0;
                int r = product == 1 ? 4 : 0;
                for (int m = 0; m < queryTiles; m++) {
                    int from16 = m * planes * (keys / 4) + step * 4 + l;
                    MmaTile.multiply(sums, m * 8, p, from16, v, r, form);
                }
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 8; i++) {
                join(o, (m * columns + column) * 4 + i, factors, 2 * m + i / 2 % 2, sums, m * 8 + i);
            }
        }
    }

    /** {@link #multiplyValues} of the last 8 dimensions of an odd number of groups. */
    static void multiplyLastValues(
            float[] o,
            int[] p,
            float[] factors,
            int address,
            int queryTiles,
            int keys,
            int columns,
            int planes,
            int form) {
        float[] sums = Registers.floats(queryTiles * 4);
        int[] v = Registers.ints(4);
        int groupBytes = columns * planes * MATRIX;
        Registers.clear(sums);
        for (int step = 0; step < keys / 16; step++) {
            int from = address + step * 2 * groupBytes;
            if (planes == 2) {
                Mma.loadMatrices4Transposed(v, 0, from);
            } else {
                Mma.loadMatrices2Transposed(v, 0, from);
            }
            for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                int l = product == 0 ? keys / 4 : 0;
                int r = product == 1 ? 2 : 0;
                for (int m = 0; m < queryTiles; m++) {
                    MmaTile.multiplyHalf(sums, m * 4, p, m * planes * (keys / 4) + step * 4 + l, v, r, form);
                }
            }
        }
        for (int m = 0; m < queryTiles; m++) {
            for (int i = 0; i < 4; i++) {
                join(o, (m * columns + columns - 1) * 4 + i, factors, 2 * m + i / 2, sums, m * 4 + i);
            }
        }
    }

    private static void join(float[] o, int i, float[] factors, int f, float[] sums, int s) {
        Registers.set(o, i, Approximate.fma(Registers.get(o, i), Registers.get(factors, f), Registers.get(sums, s)));
    }

    /**
     * {@code O += P V}.
     *
     * @param address of the values, a lane's, along keys then dimensions
     * @param lastAddress likewise, along keys: the last 8 dimensions of an odd number of groups
     */
    static void addValues(
            float[] o, int[] p, int address, int lastAddress, int queryTiles, int keys, int columns, int form) {
        int[] v = Registers.ints(4);
        int groupBytes = columns * MATRIX;
        for (int step = 0; step < keys / 16; step++) {
            for (int column = 0; column < columns / 2; column++) {
                int from = address + step * 2 * groupBytes + column * (2 * MATRIX);
                Mma.loadMatrices4Transposed(v, 0, from);
                for (int m = 0; m < queryTiles; m++) {
                    int at = (m * columns + 2 * column) * 4;
                    MmaTile.multiply(o, at, p, m * (keys / 4) + step * 4, v, 0, form);
                }
            }
            if (columns % 2 != 0) {
                int from = lastAddress + step * 2 * groupBytes + (columns - 1) * MATRIX;
                Mma.loadMatrices2Transposed(v, 0, from);
                for (int m = 0; m < queryTiles; m++) {
                    int at = (m * columns + columns - 1) * 4;
                    MmaTile.multiplyHalf(o, at, p, m * (keys / 4) + step * 4, v, 0, form);
                }
            }
        }
    }
}
