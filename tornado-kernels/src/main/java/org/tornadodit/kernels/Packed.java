package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What the tensor cores read: matrices of halves, cut into 8x8 matrices of 128 contiguous bytes, so that a tile of a product
 * is a few contiguous pieces and every 8x8 matrix one access of a warp. Two halves lie in an int; all indices count ints.
 *
 * <p>A number x is one half or two, planes 0 and 1: {@code hi = half(x)} and {@code lo = half(x - hi)}, together 22 bits of x
 * from 2^-3 on, and good to 2^-25 below. A product of two such numbers is {@code hi hi + hi lo + lo hi}, all in one
 * accumulator; the fourth product is below FP32's rounding (Ootomo and Yokota, 2022, "Recovering single precision accuracy
 * from Tensor Cores", who scale lo, which takes an accumulator of its own).
 *
 * <p>An operand of a product is (rows, columns), rows padded to {@link #ROWS}, columns a multiple of 16:
 * {@code [columns / 16][rows / 8][plane][2][8 rows][8 columns]}. The heads of attention are
 * {@code [q, k, v][sample][head][tokens / 8][plane][headSize / 8][8 tokens][8 dimensions]}.
 */
public final class Packed {
    /**
     * Rows of an operand are padded to a multiple of this. Tiles read the padding with the rows, whatever it holds: it
     * reaches only the results of rows in the padding, which are stored in padding or not at all and do not count as
     * overflow.
     */
    public static final int ROWS = 128;
    /** Largest finite half. */
    public static final float LARGEST = 65504f;

    /**
     * As a number of planes: a half and two numbers of eight bits, see {@link Mixed}; the columns are a multiple of 32. Heads of attention
     * are not of this kind.
     */
    public static final int MIXED = 3;

    private Packed() {}

    /** Room that a number takes, in halves. */
    public static int halves(int planes) {
        return planes == MIXED ? 2 : planes;
    }

    /** Slabs of {@link #eightRows} that follow each other for sixteen columns. */
    public static int slabs(int planes) {
        return planes == MIXED ? 2 : 1;
    }

    /** Ints of eight rows in a slab. */
    public static int eightRows(int planes) {
        return planes == 2 ? 128 : 64;
    }

    /** Rows with their padding. */
    public static int paddedRows(int rows) {
        return (rows + ROWS - 1) / ROWS * ROWS;
    }

    /** Ints of an operand. */
    public static int size(int rows, int columns, int planes) {
        return Math.toIntExact(elements(rows, columns, planes));
    }

    /** As {@link #size}, also where it is more than an array can have. */
    public static long elements(long rows, int columns, int planes) {
        return Math.ceilDiv(rows, ROWS) * ROWS * (columns / 2) * halves(planes);
    }

    /**
     * Index of plane 0 of columns {@code column} and the next one, {@code column} even; plane 1 is 64 further.
     *
     * @param paddedRows see {@link #paddedRows}
     */
    public static int index(int row, int column, int paddedRows, int planes) {
        return (column / 16 * slabs(planes) * (paddedRows / 8) + row / 8) * eightRows(planes)
                + column % 16 / 8 * 32
                + row % 8 * 4
                + column % 8 / 2;
    }

    /** Distance in ints from plane 0 to plane 1 of the same place in an operand of a product. */
    public static final int PLANE = 64;

    /**
     * Index of plane 0 of two dimensions of a token in one of q, k, v (0, 1, 2); plane 1 is {@code headSize * 4} further.
     *
     * @param sample one of {@code samples}
     * @param dimension even
     * @param tokens a multiple of 8
     */
    public static int headIndex(
            int which,
            int sample,
            int head,
            int token,
            int dimension,
            int samples,
            int heads,
            int tokens,
            int headSize,
            int planes) {
        return (((which * samples + sample) * heads + head) * (tokens / 8) + token / 8) * (headSize * 4 * planes)
                + dimension / 8 * 32
                + token % 8 * 4
                + dimension % 8 / 2;
    }

    /** Plane 0 of two numbers. */
    public static int high(float x, float y) {
        return Halves.pack(x, y);
    }

    /** Plane 1 of two numbers whose plane 0 is {@code high}. */
    public static int low(float x, float y, int high) {
        return Halves.pack(x - Halves.first(high), y - Halves.second(high));
    }

    /**
     * Stores two numbers.
     *
     * @param at index of their plane 0
     * @param plane ints from there to plane 1
     */
    static void store(IntArray packed, int at, int plane, float x, float y, int planes) {
        int high = high(x, y);
        GlobalMemory.store(packed, at, high);
        if (planes == 2) {
            GlobalMemory.store(packed, at + plane, low(x, y, high));
        }
    }

    /** As {@link #store}, if {@code condition} is negative. */
    static void storeIfNegative(IntArray packed, int at, int plane, float x, float y, int planes, int condition) {
        int high = high(x, y);
        GlobalMemory.storeIfNegative(packed, at, high, condition);
        if (planes == 2) {
            GlobalMemory.storeIfNegative(packed, at + plane, low(x, y, high), condition);
        }
    }

    /** As {@link #storeIfNegative}, into the array at an address, see {@link PeerMemory}. */
    static void sendIfNegative(
            IntArray addresses, int slot, int at, int plane, float x, float y, int planes, int condition) {
        int high = high(x, y);
        PeerMemory.sendIfNegative(addresses, slot, at, high, condition);
        if (planes == 2) {
            PeerMemory.sendIfNegative(addresses, slot, at + plane, low(x, y, high), condition);
        }
    }

    /** The largest magnitude so far, NaN once there was one: what is not {@code <= LARGEST} does not fit a half. */
    public static float largest(float soFar, float x, float y) {
        return Approximate.maxOrNaN(soFar, Approximate.maxOrNaN(Math.abs(x), Math.abs(y)));
    }
}
