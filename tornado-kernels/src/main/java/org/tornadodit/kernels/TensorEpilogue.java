package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What follows a product of {@link TensorLinear} or {@link MmaLinear}, in the registers of a warp: 16 rows and {@code columns} columns of sums, as
 * {@link org.tornadodit.kernels.ptx.Wgmma#multiply} and mma.sync leave them, from {@code register} on. A thread has {@code row} and
 * the row 8 below.
 */
final class TensorEpilogue {
    /** Groups of eight columns whose places among the heads are one piece of code: for more there are no registers. */
    static final int PIECE = 6;

    /** GELU is x / (1 + 2^(x (this + {@link #GELU_CUBIC} x x))): -2 sqrt(2 / pi) / ln 2. */
    private static final float GELU_LINEAR = -2.3022082f;

    private static final float GELU_CUBIC = -0.102943240f;

    private TensorEpilogue() {}

    /** Whether no tile, nor a warp's part of one, reaches beyond n: a branch for each of its columns would hold up their loads. */
    static boolean isWhole(int n, int columns) {
        return n % columns == 0;
    }

    /**
     * Whether the matrix has a piece's first column. Opaque: where TornadoVM knows the answer by then, it writes a branch on a
     * register that it does not set.
     */
    static boolean isThere(int column, int piece, int n) {
        return Registers.opaque(column) + 8 * piece < n;
    }

    static void storeHalves(
            float[] sums,
            int register,
            IntArray packed,
            IntArray overflow,
            int layer,
            int row,
            int column,
            int m,
            int most,
            int n,
            int planes,
            int columns,
            int thread,
            int epilogue,
            int tokens,
            int heads) {
        if (epilogue == Epilogue.BIAS_GELU) {
            storeGelu(sums, register, packed, overflow, layer, row, column, m, most, n, planes, columns, thread);
        } else {
            storeHeads(
                    sums,
                    register,
                    packed,
                    overflow,
                    layer,
                    row,
                    column,
                    m,
                    most,
                    n,
                    Packed.halves(planes),
                    columns,
                    thread,
                    tokens,
                    heads);
        }
    }

    /** Columns of a warp: lane l of register i has that of column 32 i + l, loaded before a product that hides how long it takes. */
    static void loadColumns(float[] values, FloatArray source, int from, int column, int n, int columns, int thread) {
        for (int i = 0; i < (columns + 31) / 32; i++) {
            int at = isWhole(n, columns) && columns % 32 == 0
                    ? column + 32 * i + thread % 32
                    : Math.min(column + 32 * i + thread % 32, n - 1);
            Registers.set(values, i, GlobalMemory.load(source, from + at));
        }
    }

    /** A thread's value of the column {@code next}, 0 or 1, of its two in the group j of eight. */
    static float ofColumn(float[] values, int j, int next, int thread) {
        return Warp.shuffle(Registers.get(values, j / 4), j % 4 * 8 + next + thread % 4 * 2);
    }

    /** Undoes the weight's scale and adds the bias, with what {@link #loadColumns} has loaded. */
    static void addBias(float[] sums, float[] biases, float factor, int column, int n, int columns, int thread) {
        for (int j = 0; j < columns / 8; j++) {
            if (isWhole(n, columns) || column + 8 * j < n) {
                float first = ofColumn(biases, j, 0, thread);
                float second = ofColumn(biases, j, 1, thread);
                Registers.set(sums, 4 * j, Registers.get(sums, 4 * j) * factor + first);
                Registers.set(sums, 4 * j + 1, Registers.get(sums, 4 * j + 1) * factor + second);
                Registers.set(sums, 4 * j + 2, Registers.get(sums, 4 * j + 2) * factor + first);
                Registers.set(sums, 4 * j + 3, Registers.get(sums, 4 * j + 3) * factor + second);
            }
        }
    }

    static void store(
            float[] sums, int register, FloatArray target, int row, int column, int m, int n, int columns, int thread) {
        int at = row * n + column + thread % 4 * 2;
        for (int j = 0; j < columns / 8; j++) {
            if (isWhole(n, columns) || column + 8 * j < n) {
                float a = Registers.get(sums, register + 4 * j);
                float b = Registers.get(sums, register + 4 * j + 1);
                float c = Registers.get(sums, register + 4 * j + 2);
                float d = Registers.get(sums, register + 4 * j + 3);
                GlobalMemory.store2IfNegative(target, at + 8 * j, a, b, row - m);
                GlobalMemory.store2IfNegative(target, at + 8 * n + 8 * j, c, d, row + 8 - m);
            }
        }
    }

    /** GELU into an operand of any kind; one that is {@link Mixed} takes two groups of eight columns at a time. */
    static void storeGelu(
            float[] sums,
            int register,
            IntArray packed,
            IntArray overflow,
            int layer,
            int row,
            int column,
            int m,
            int most,
            int n,
            int planes,
            int columns,
            int thread) {
        int padded = (most + Packed.ROWS - 1) / Packed.ROWS * Packed.ROWS;
        int slab = padded * 8 * Packed.halves(planes);
        int below = Packed.eightRows(planes);
        int at = column / 16 * slab + row / 8 * below + thread % 32;
        // Where tiles are no whole operands of 16 columns, every second one begins in the middle of one.
        int odd = columns % 16 == 0 ? 0 : column / 8 % 2;
        // A tile of more rows than the padding allows for: the rows behind are the next slab's.
        int inside = row - padded;
        float largest = 0f;
        for (int piece = 0; piece < columns / 8; piece += PIECE) {
            if (isThere(column, piece, n)) {
                for (int j = piece; j < Math.min(piece + PIECE, columns / 8); j += planes == Packed.MIXED ? 2 : 1) {
                    if (isWhole(n, columns) || column + 8 * j < n) {
                        int to = at + (j + odd) / 2 * slab + (j + odd) % 2 * 32;
                        int i = register + 4 * j;
                        largest = storeGelu(sums, i, packed, to, slab / 2, planes, inside, largest, row - m);
                        largest = storeGelu(
                                sums, i + 2, packed, to + below, slab / 2, planes, inside, largest, row + 8 - m);
                    }
                }
            }
        }
        Overflow.report(overflow, layer, Overflow.FC1, largest);
    }

    /**
     * GELU of a row's numbers in registers i and i + 1, and with {@link Mixed} i + 4 and i + 5; the largest magnitude of rows that count,
     * {@code real} negative.
     */
    private static float storeGelu(
            float[] sums, int i, IntArray packed, int to, int slab, int planes, int inside, float before, int real) {
        float a = gelu(Registers.get(sums, i));
        float b = gelu(Registers.get(sums, i + 1));
        float largest = Packed.largest(before, a, b);
        if (planes == Packed.MIXED) {
            float c = gelu(Registers.get(sums, i + 4));
            float d = gelu(Registers.get(sums, i + 5));
            Mixed.storeIfNegative(packed, to, slab, a, b, c, d, 1f, Mixed.ACTIVATION_LOW, inside);
            largest = Packed.largest(largest, c, d);
        } else {
            Packed.storeIfNegative(packed, to, Packed.PLANE, a, b, planes, inside);
        }
        return real < 0 ? largest : before;
    }

    /** {@link FloatMath#gelu} in seven instructions: its division and its exponential take 13 more for numbers that they do not meet here. */
    private static float gelu(float x) {
        float power = Approximate.exp2(x * (GELU_LINEAR + GELU_CUBIC * (x * x)));
        return x * Approximate.reciprocal(1f + power);
    }

    /** Columns are q, k and v of all heads. */
    private static void storeHeads(
            float[] sums,
            int register,
            IntArray packed,
            IntArray overflow,
            int layer,
            int row,
            int column,
            int m,
            int most,
            int n,
            int planes,
            int columns,
            int thread,
            int tokens,
            int heads) {
        int hidden = n / 3;
        int size = hidden / heads;
        int plane = size * 4;
        // Rows r and r + 8 of the last tile may be past the end.
        int upper = Math.min(row, m - 1);
        int lower = Math.min(row + 8, m - 1);
        int upperAt = (upper / tokens * heads * (tokens / 8) + upper % tokens / 8) * (plane * planes) + thread % 32;
        int lowerAt = (lower / tokens * heads * (tokens / 8) + lower % tokens / 8) * (plane * planes) + thread % 32;
        int headInts = tokens / 8 * (plane * planes);
        int dimension = column % hidden % size;
        int head = column % hidden / size;
        int to = (column / hidden * (most / tokens * heads) + head) * headInts + dimension * 4;
        float largest = 0f;
        for (int piece = 0; piece < columns / 8; piece += PIECE) {
            if (isThere(column, piece, n)) {
                for (int j = piece; j < Math.min(piece + PIECE, columns / 8); j++) {
                    if (isWhole(n, columns) || column + 8 * j < n) {
                        float a = Registers.get(sums, register + 4 * j);
                        float b = Registers.get(sums, register + 4 * j + 1);
                        float c = Registers.get(sums, register + 4 * j + 2);
                        float d = Registers.get(sums, register + 4 * j + 3);
                        Packed.storeIfNegative(packed, upperAt + to, plane, a, b, planes, row - m);
                        Packed.storeIfNegative(packed, lowerAt + to, plane, c, d, planes, row + 8 - m);
                        largest = row < m ? Packed.largest(largest, a, b) : largest;
                        largest = row + 8 < m ? Packed.largest(largest, c, d) : largest;
                        // On to the next eight dimensions, the next head, or the first of k or v: divisions cost more.
                        dimension += 8;
                        boolean isNext = dimension == size;
                        dimension = isNext ? 0 : dimension;
                        head = isNext ? head + 1 : head;
                        boolean isLast = head == heads;
                        head = isLast ? 0 : head;
                        to += isNext ? headInts - (size - 8) * 4 : 32;
                        to += isLast ? (most / tokens - 1) * heads * headInts : 0;
                    }
                }
            }
        }
        Overflow.report(overflow, layer, Overflow.QKV, largest);
    }
}
