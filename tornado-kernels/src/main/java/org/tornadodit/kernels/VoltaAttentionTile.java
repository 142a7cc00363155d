package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a warp of {@link MmaAttention} does in Volta's form with 16 queries and a tile of keys and values. Scores are arranged for the
 * softmax, and its weights become an operand, by way of {@link MmaTile#ARRANGED} bytes of shared memory; the output stays as the tensor
 * core leaves it until the end.
 */
final class VoltaAttentionTile {
    private static final int MATRIX = WarpgroupAttentionTile.MATRIX;
    private static final int FORM = MmaTile.VOLTA;
    /** Registers of 16 x 16 of an operand. */
    private static final int SIZE = 8;

    private VoltaAttentionTile() {}

    /** Of the queries: 8 dimensions of a plane have four. */
    static int queryRegisters(int columns, int planes) {
        return 4 * columns * planes;
    }

    /** Registers of the output: an odd number of groups of 8 dimensions has one more, of nothing. */
    static int outRegisters(int columns) {
        return (columns + 1) / 2 * SIZE;
    }

    /**
     * Queries into registers.
     *
     * @param at index of the head's queries
     */
    static void loadQueries(
            int[] q, IntArray qkv, int at, int firstGroup, int asked, int lane, int columns, int planes) {
        int group = Math.min(firstGroup + lane / 8 % 2, asked / 8 - 1);
        int from = at + group * (planes * columns * 32) + (lane % 4 + lane / 16 * 4) * 4;
        for (int i = 0; i < columns * planes; i++) {
            GlobalMemory.load4(qkv, from + i * 32, q, 4 * i);
        }
    }

    /**
     * {@code S += Q K^T}.
     *
     * @param address of the keys, with {@link MmaTile#right}
     */
    static void multiplyKeys(float[] s, int[] q, int address, int keys, int columns, int planes) {
        int[] k = Registers.ints(4 * planes);
        for (int j = 0; j < keys / 16; j++) {
            for (int column = 0; column < columns; column++) {
                int from = address + j * (2 * columns * planes * MATRIX) + column * MATRIX;
                for (int plane = 0; plane < planes; plane++) {
                    SharedMemory.load4(from + plane * columns * MATRIX, k, 4 * plane);
                }
                for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                    // lo hi, hi lo, hi hi
                    int l = product == 0 ? 4 * columns : 0;
                    int r = product == 1 ? 4 : 0;
                    Mma.m8n8k4(s, j * SIZE, q, 4 * column + l, k, r);
                    Mma.m8n8k4(s, j * SIZE, q, 4 * column + l + 2, k, r + 2);
                }
            }
        }
    }

    /**
     * {@code O = O * factors + P V}.
     *
     * @param tile as many registers as {@code o}
     * @param factors of rows lane / 4 and 8 further
     * @param address of the values, with {@link #values}
     * @param scratch {@link MmaTile#ARRANGED} bytes of the warp's own
     */
    static void multiplyValues(
            float[] o,
            float[] tile,
            int[] p,
            float[] factors,
            int address,
            int scratch,
            int lane,
            int keys,
            int columns,
            int planes) {
        int[] a = Registers.ints(planes * SIZE);
        int[] v = Registers.ints(planes * SIZE);
        int groupBytes = columns * planes * MATRIX;
        int left = scratch + MmaTile.left(lane, MATRIX, 2 * MATRIX, FORM);
        Registers.clear(tile);
        for (int step = 0; step < keys / 16; step++) {
            Warp.sync();
            for (int i = 0; i < 4 * planes; i++) {
                int weight = Registers.get(p, i / 4 * (keys / 4) + step * 4 + i % 4);
                SharedMemory.store(scratch + i * MATRIX + lane * 4, weight);
            }
            Warp.sync();
            for (int plane = 0; plane < planes; plane++) {
                MmaTile.load(a, plane * SIZE, left + plane * (4 * MATRIX), 2 * MATRIX, FORM);
            }
            for (int column = 0; column < columns; column += 2) {
                // Behind an odd number of columns lies what others are copying: the last once more, which nobody
                // stores.
                int there = column + 1 < columns ? address : address - lane / 4 % 2 * MATRIX;
                for (int plane = 0; plane < planes; plane++) {
                    for (int k = 0; k < 4; k++) {
                        int from = there
                                + (2 * step + k / 2) * groupBytes
                                + plane * (columns * MATRIX)
                                + column * MATRIX
                                + k % 2 * (MATRIX / 2);
                        SharedMemory.load2(from, v, plane * SIZE + 2 * k);
                    }
                }
                for (int product = 3 - (2 * planes - 1); product < 3; product++) {
                    int l = product == 0 ? SIZE : 0;
                    int r = product == 1 ? SIZE : 0;
                    for (int k = 0; k < 4; k++) {
                        Mma.m8n8k4Rows(tile, column / 2 * SIZE, a, l + 2 * k, v, r + 2 * k);
                    }
                }
            }
        }
        Warp.sync();
        if (lane % 4 == 0) {
            SharedMemory.store(scratch + lane, Registers.get(factors, 0));
            SharedMemory.store(scratch + 32 + lane, Registers.get(factors, 1));
        }
        Warp.sync();
        int row = lane / 8 % 2 * 8 + lane / 16 * 4 + lane % 2;
        float upper = SharedMemory.loadFloat(scratch + row * 4);
        float lower = SharedMemory.loadFloat(scratch + row * 4 + 8);
        for (int i = 0; i < outRegisters(columns); i++) {
            float factor = i / 2 % 2 == 0 ? upper : lower;
            Registers.set(o, i, Approximate.fma(Registers.get(o, i), factor, Registers.get(tile, i)));
        }
        Warp.sync();
    }

    /** A lane's place in a tile of values: 4 keys and 16 dimensions, the halves of every other quarter's 8 exchanged. */
    static int values(int lane) {
        int odd = lane / 4 % 2;
        return lane % 4 * 16 + odd * MATRIX + (lane / 16 + odd) % 2 * 8;
    }
}
