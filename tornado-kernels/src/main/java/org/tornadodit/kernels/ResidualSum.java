package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.BulkStore;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@code target += gate * sums} after a product of {@link TensorLinear}, both rounded to nearest: through shared memory, from where the copy engine
 * adds whole rows of a tile to those in the second-level cache. A thread's own eight bytes of a row are a quarter of what that cache
 * handles at a time, and to read them first takes as long as to write them. Each warp has a place of its own for {@link #ROWS}
 * rows, so that warps do not wait for each other.
 */
final class ResidualSum {
    /** Rows of a warp that are in shared memory at a time. */
    private static final int ROWS = 8;

    private ResidualSum() {}

    /** Bytes from a row to the next one: four rows' eight columns lie in different banks. */
    private static int rowBytes(int columns) {
        return (columns * 4 + 63) / 64 * 64 + 32;
    }

    /** Shared memory of a work group of {@code warps} warps. */
    static int bytes(int columns, int warps) {
        return warps * ROWS * rowBytes(columns);
    }

    /** Multiplies by the gate of all rows, which {@link TensorEpilogue#loadColumns} has loaded. */
    static void gate(float[] sums, float[] gates, int column, int n, int columns, int thread) {
        for (int j = 0; j < columns / 8; j++) {
            if (TensorEpilogue.isWhole(n, columns) || column + 8 * j < n) {
                float a = TensorEpilogue.ofColumn(gates, j, 0, thread);
                float b = TensorEpilogue.ofColumn(gates, j, 1, thread);
                multiply(sums, j, a, b, a, b);
            }
        }
    }

    /** Multiplies by the gates of rows {@code row} and {@code row + 8}, where a tile's are of more than one pass. */
    static void gate(
            float[] sums,
            FloatArray gate,
            int row,
            int column,
            int m,
            int n,
            int columns,
            int thread,
            int tokens,
            int chunk,
            int chunks) {
        int upper = (Math.min(row, m - 1) / tokens * chunks + chunk) * n + column + thread % 4 * 2;
        boolean isOne = tokens % 16 == 0;
        int lower = isOne ? upper : (Math.min(row + 8, m - 1) / tokens * chunks + chunk) * n + column + thread % 4 * 2;
        for (int j = 0; j < columns / 8; j++) {
            if (TensorEpilogue.isWhole(n, columns) || column + 8 * j < n) {
                float a = GlobalMemory.load(gate, upper + 8 * j);
                float b = GlobalMemory.load(gate, upper + 8 * j + 1);
                float c = isOne ? a : GlobalMemory.load(gate, lower + 8 * j);
                float d = isOne ? b : GlobalMemory.load(gate, lower + 8 * j + 1);
                multiply(sums, j, a, b, c, d);
            }
        }
    }

    private static void multiply(float[] sums, int j, float a, float b, float c, float d) {
        Registers.set(sums, 4 * j, a * Registers.get(sums, 4 * j));
        Registers.set(sums, 4 * j + 1, b * Registers.get(sums, 4 * j + 1));
        Registers.set(sums, 4 * j + 2, c * Registers.get(sums, 4 * j + 2));
        Registers.set(sums, 4 * j + 3, d * Registers.get(sums, 4 * j + 3));
    }

    /**
     * Adds a warp's 16 rows. What it adds last is under way when it returns, see {@link BulkStore#awaitReads}.
     *
     * @param row of the thread's first sums
     * @param place the work group's shared memory
     */
    static void add(
            float[] sums, int place, FloatArray target, int row, int column, int m, int n, int columns, int thread) {
        int lane = thread % 32;
        int own = place + thread / 32 * (ROWS * rowBytes(columns));
        int write = own + lane / 4 * rowBytes(columns) + lane % 4 * 8;
        int from = row - lane / 4 + lane;
        int bytes = (TensorEpilogue.isWhole(n, columns) ? columns : Math.min(columns, n - column)) * 4;
        for (int half = 0; half < 2; half++) {
            BulkStore.awaitReads(0);
            Warp.sync();
            for (int j = 0; j < columns / 8; j++) {
                int i = 4 * j + 2 * half;
                SharedMemory.store2(write + 32 * j, Registers.get(sums, i), Registers.get(sums, i + 1));
            }
            SharedMemory.fenceAsync();
            Warp.sync();
            BulkStore.addIfNegative(
                    target,
                    (from + 8 * half) * n + column,
                    own + lane * rowBytes(columns),
                    bytes,
                    Math.max(from + 8 * half - m, lane - ROWS));
            BulkStore.commit();
        }
    }
}
