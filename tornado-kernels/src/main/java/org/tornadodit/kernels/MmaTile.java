package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A product of 16 x 16 x 16 by a warp, from 8x8 matrices of halves in shared memory, in the form of any generation
 * ({@link MmaForm}). What a lane loads of an operand, and where its sums lie, is the form's own affair until {@link #arrange}.
 */
final class MmaTile {
    /** {@link MmaForm#AMPERE}. */
    static final int AMPERE = 0;
    /** {@link MmaForm#TURING}. */
    static final int TURING = 1;
    /** {@link MmaForm#VOLTA}. */
    static final int VOLTA = 2;

    /** Bytes of 16 x 16 floats, which {@link #arrange} needs of each warp. */
    static final int ARRANGED = 16 * 16 * 4;

    private MmaTile() {}

    /** Bytes of shared memory that {@link #arrange} needs of a work group. */
    static int scratch(int warps, int form) {
        return form == VOLTA ? warps * ARRANGED : 0;
    }

    /** Registers of 16 x 16 of an operand. On Volta, two quarters of a warp have the same. */
    static int registers(int form) {
        return form == VOLTA ? 8 : 4;
    }

    /**
     * A lane's place in 16 rows and 16 k of the left operand.
     *
     * @param groupBytes from 8 rows to the next
     * @param depthBytes from 8 k to the next
     */
    static int left(int lane, int groupBytes, int depthBytes, int form) {
        return form == VOLTA
                ? (lane % 4 + lane / 16 * 4) * 16 + lane / 8 % 2 * groupBytes
                : lane % 8 * 16 + lane / 8 % 2 * groupBytes + lane / 16 * depthBytes;
    }

    /**
     * A lane's place in 16 columns and 16 k of the right operand, whose rows are its columns. On Volta, every other quarter of a
     * warp has the halves of its 8 columns exchanged, so that no two read the same bank.
     */
    static int right(int lane, int groupBytes, int depthBytes, int form) {
        int odd = lane / 4 % 2;
        return form == VOLTA
                ? (lane % 4 + (lane / 16 + odd) % 2 * 4) * 16 + odd * groupBytes
                : lane % 8 * 16 + lane / 16 * groupBytes + lane / 8 % 2 * depthBytes;
    }

    /**
     * 16 x 16 of an operand.
     *
     * @param address with {@link #left} or {@link #right}
     */
    static void load(int[] registers, int i, int address, int depthBytes, int form) {
        if (form == VOLTA) {
            SharedMemory.load4(address, registers, i);
            SharedMemory.load4(address + depthBytes, registers, i + 4);
        } else {
            Mma.loadMatrices4(registers, i, address);
        }
    }

    /** {@code C += A B}: C in eight of {@code sums} from {@code s}. */
    static void multiply(float[] sums, int s, int[] a, int i, int[] b, int j, int form) {
        if (form == AMPERE) {
            Mma.m16n8k16(sums, s, a, i, b, j);
            Mma.m16n8k16(sums, s + 4, a, i, b, j + 2);
        } else if (form == TURING) {
            Mma.m16n8k8(sums, s, a, i, b, j);
            Mma.m16n8k8(sums, s + 4, a, i, b, j + 2);
            Mma.m16n8k8(sums, s, a, i + 2, b, j + 1);
            Mma.m16n8k8(sums, s + 4, a, i + 2, b, j + 3);
        } else {
            for (int k = 0; k < 4; k++) {
                Mma.m8n8k4(sums, s, a, i + 2 * k, b, j + 2 * k);
            }
        }
    }

    /** 16 x 8 of {@link #multiply}, not in Volta's form: C in four of {@code sums}, B in two registers. */
    static void multiplyHalf(float[] sums, int s, int[] a, int i, int[] b, int j, int form) {
        if (form == AMPERE) {
            Mma.m16n8k16(sums, s, a, i, b, j);
        } else {
            Mma.m16n8k8(sums, s, a, i, b, j);
            Mma.m16n8k8(sums, s, a, i + 2, b, j + 1);
        }
    }

    /**
     * Sums of {@code count} neighbouring products as the epilogues want them: registers 4 j + 2 h + i are row lane / 4 + 8 h,
     * column 8 j + 2 (lane % 4) + i. On Volta by way of shared memory.
     *
     * @param scratch {@link #ARRANGED} bytes of the warp's own
     */
    static void arrange(float[] sums, int s, int count, int scratch, int lane, int form) {
        if (form == VOLTA) {
            int odd = lane / 4 % 2;
            int row = lane / 8 % 2 * 8 + lane / 16 * 4 + lane % 2;
            int from = scratch + (row * 16 + odd * 8 + lane % 4 / 2 * 2) * 4;
            int to = scratch + (lane / 4 * 16 + lane % 4 * 2) * 4;
            for (int n = 0; n < count; n++) {
                Warp.sync();
                for (int i = 0; i < 8; i++) {
                    int half = i < 4 ? odd : 1 - odd;
                    SharedMemory.store(
                            from + (i / 2 % 2 * 32 + half * 4 + i % 2) * 4, Registers.get(sums, s + 8 * n + i));
                }
                Warp.sync();
                for (int i = 0; i < 8; i++) {
                    int at = to + (i / 2 % 2 * 128 + i / 4 * 8 + i % 2) * 4;
                    Registers.set(sums, s + 8 * n + i, SharedMemory.loadFloat(at));
                }
            }
        }
    }

    /** Copies 16 bytes into shared memory: in the background where the form allows. */
    static void copy(int to, IntArray from, int at, int form) {
        if (form == AMPERE) {
            SharedMemory.copyAsync(to, from, at);
        } else {
            int[] piece = Registers.ints(4);
            GlobalMemory.load4(from, at, piece, 0);
            SharedMemory.store(
                    to,
                    Registers.get(piece, 0),
                    Registers.get(piece, 1),
                    Registers.get(piece, 2),
                    Registers.get(piece, 3));
        }
    }

    /** {@link #copy} where {@code wanted} is positive: without a branch where copies are in the background. */
    static void copyIf(int wanted, int to, IntArray from, int at, int form) {
        if (form == AMPERE) {
            SharedMemory.copyAsyncIf(to, from, at, wanted);
        } else if (wanted > 0) {
            copy(to, from, at, form);
        }
    }

    /** Copies up to here are a group. */
    static void commit(int form) {
        if (form == AMPERE) {
            SharedMemory.commitCopies();
        }
    }

    /** Waits for all groups of copies but the last {@code pending}. */
    static void await(int pending, int form) {
        if (form == AMPERE) {
            SharedMemory.awaitCopies(pending);
        }
    }
}
