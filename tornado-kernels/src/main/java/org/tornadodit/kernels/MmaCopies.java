package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * How a work group of {@link MmaLinear} copies stages of its operands into shared memory: pieces of 16 bytes as they lie in global
 * memory, neighbours by neighbouring threads.
 */
final class MmaCopies {
    private MmaCopies() {}

    /**
     * A thread's part of the copy of a stage, and the end of its group of copies.
     *
     * @param xAt index of the thread's first piece of x, whose slabs are {@code xSlab} ints apart; the weight's likewise
     */
    static void copyStage(
            int to,
            IntArray x,
            int xAt,
            int xSlab,
            int rows,
            IntArray weight,
            int weightAt,
            int weightSlab,
            int columns,
            int thread,
            int threads,
            int planes,
            int slabs,
            int form) {
        copy(to, x, xAt, xSlab, thread, threads, rows, planes, slabs, form);
        int toWeight = to + slabs * rows * 32 * planes;
        copy(toWeight, weight, weightAt, weightSlab, thread, threads, columns, planes, slabs, form);
        MmaTile.commit(form);
    }

    /** Pieces of 16 bytes that a thread copies of one operand for 16 k, the last perhaps not. */
    static int pieces(int count, int planes, int threads) {
        return (count * 2 * planes + threads - 1) / threads;
    }

    /**
     * A thread's part of the copy of a stage of one operand: {@code count} rows of it, slabs of 16 k, {@code slab} ints apart.
     */
    private static void copy(
            int to,
            IntArray from,
            int at,
            int slab,
            int thread,
            int threads,
            int count,
            int planes,
            int slabs,
            int form) {
        int pieces = count * 2 * planes;
        for (int s = 0; s < slabs; s++) {
            for (int piece = 0; piece < pieces; piece += threads) {
                int address = to + s * (count * 32 * planes) + (piece + thread) * 16;
                if (piece + threads <= pieces) {
                    MmaTile.copy(address, from, at + s * slab + piece * 4, form);
                } else {
                    MmaTile.copyIf(pieces - piece - thread, address, from, at + s * slab + piece * 4, form);
                }
            }
        }
    }

    /** The first half of {@link #copy}, into registers. */
    static void fetch(
            int[] staged,
            int first,
            IntArray from,
            int at,
            int slab,
            int thread,
            int threads,
            int count,
            int planes,
            int slabs) {
        int pieces = count * 2 * planes;
        int per = pieces(count, planes, threads);
        for (int s = 0; s < slabs; s++) {
            for (int piece = 0; piece < per; piece++) {
                if ((piece + 1) * threads <= pieces || piece * threads + thread < pieces) {
                    GlobalMemory.load4(
                            from, at + s * slab + piece * threads * 4, staged, (first + s * per + piece) * 4);
                }
            }
        }
    }

    /** The second half of {@link #copy}. */
    static void put(
            int[] staged, int first, int to, int thread, int threads, int count, int planes, int slabs) {
        int pieces = count * 2 * planes;
        int per = pieces(count, planes, threads);
        for (int s = 0; s < slabs; s++) {
            for (int piece = 0; piece < per; piece++) {
                if ((piece + 1) * threads <= pieces || piece * threads + thread < pieces) {
                    int register = (first + s * per + piece) * 4;
                    SharedMemory.store(
                            to + s * (count * 32 * planes) + (piece * threads + thread) * 16,
                            Registers.get(staged, register),
                            Registers.get(staged, register + 1),
                            Registers.get(staged, register + 2),
                            Registers.get(staged, register + 3));
                }
            }
        }
    }
}
