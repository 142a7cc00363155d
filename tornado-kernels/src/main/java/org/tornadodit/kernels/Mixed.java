package org.tornadodit.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.stream.IntStream;
import org.tornadodit.kernels.ptx.Float8;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Operands of {@link Packed#MIXED} planes: {@code hi = half(x)}, and of hi and of {@code lo = x - hi} numbers of eight bits
 * ({@link Float8}). A product of two such numbers is {@code hi hi + hi8 lo8 + lo8 hi8}: one product of halves and two of twice the
 * rate, with an error of 1e-5.
 *
 * <p>Where an operand of one plane has 16 columns of halves there are two such slabs: of hi, and of hi8 and lo8, 8 rows of 16 columns
 * each: {@code [columns / 16]([rows / 8][2][8 rows][8 columns], [rows / 8][hi8, lo8][8 rows][16 columns])}. So it is moved as an
 * operand of one plane with twice as many columns. The 16 columns lie as the threads of a product's result have them: columns 2t,
 * 2t + 1, 2t + 8 and 2t + 9 in an int.
 *
 * <p>Factors bring lo8 into Float8's range, and those of hi8 undo them, so that all three products have one scale. Activations are taken
 * to be of order one: hi8 saturates beyond 448, where the product's error is that of halves.
 */
public final class Mixed {
    /** Of an activation's lo8: it is then as large as hi at most. */
    static final float ACTIVATION_LOW = 1 << 11;
    /** Of a weight's hi8, whose largest are 2^13: undoes {@link #ACTIVATION_LOW}. Weights' lo8 and activations' hi8 have 1. */
    static final float WEIGHT_HIGH = 1f / (1 << 11);

    private static final ValueLayout.OfFloat FLOAT =
            ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private Mixed() {}

    /** Index of a column in the first eight of a group of sixteen, of those that share an int with {@code quarter} 0 to 3. */
    static int column(int quarter) {
        return quarter / 4 * 16 + quarter % 4 * 2;
    }

    /** Ints from a group of sixteen columns' halves to their hi8. */
    static int slab(int paddedRows) {
        return paddedRows * 8;
    }

    /**
     * Stores four numbers, of which two are 8 columns further, if {@code condition} is negative.
     *
     * @param at {@link Packed#index} of the first two
     * @param slab see {@link #slab}
     * @param highFactor of hi8, {@code lowFactor} of lo8
     */
    static void storeIfNegative(
            IntArray packed,
            int at,
            int slab,
            float a,
            float b,
            float c,
            float d,
            float highFactor,
            float lowFactor,
            int condition) {
        int first = Packed.high(a, b);
        int second = Packed.high(c, d);
        float ha = Halves.first(first);
        float hb = Halves.second(first);
        float hc = Halves.first(second);
        float hd = Halves.second(second);
        GlobalMemory.storeIfNegative(packed, at, first, condition);
        GlobalMemory.storeIfNegative(packed, at + 32, second, condition);
        GlobalMemory.storeIfNegative(
                packed,
                at + slab,
                Float8.pack(ha * highFactor, hb * highFactor, hc * highFactor, hd * highFactor),
                condition);
        GlobalMemory.storeIfNegative(
                packed,
                at + slab + 32,
                Float8.pack((a - ha) * lowFactor, (b - hb) * lowFactor, (c - hc) * lowFactor, (d - hd) * lowFactor),
                condition);
    }

    /** Stores two numbers of an activation, whose neighbours 8 columns away another thread stores. */
    static void store(IntArray packed, int at, int slab, int odd, float a, float b) {
        int high = Packed.high(a, b);
        float ha = Halves.first(high);
        float hb = Halves.second(high);
        GlobalMemory.store(packed, at, high);
        int corrections = at - odd * 32 + slab;
        GlobalMemory.storeHalf(packed, corrections, odd, Float8.pack(ha, hb, 0f, 0f));
        GlobalMemory.storeHalf(
                packed,
                corrections + 32,
                odd,
                Float8.pack((a - ha) * ACTIVATION_LOW, (b - hb) * ACTIVATION_LOW, 0f, 0f));
    }

    /** As {@link #store}, into the array at an address if {@code condition} is negative, see {@link PeerMemory}. */
    static void sendIfNegative(
            IntArray addresses, int slot, int at, int slab, int odd, float a, float b, int condition) {
        int high = Packed.high(a, b);
        float ha = Halves.first(high);
        float hb = Halves.second(high);
        PeerMemory.sendIfNegative(addresses, slot, at, high, condition);
        int corrections = at - odd * 32 + slab;
        PeerMemory.sendHalfIfNegative(addresses, slot, corrections, odd, Float8.pack(ha, hb, 0f, 0f), condition);
        PeerMemory.sendHalfIfNegative(
                addresses,
                slot,
                corrections + 32,
                odd,
                Float8.pack((a - ha) * ACTIVATION_LOW, (b - hb) * ACTIVATION_LOW, 0f, 0f),
                condition);
    }

    /** What is stored of an element of an activation: hi and lo8. */
    public static double value(IntArray packed, int row, int column, int paddedRows) {
        int at = Packed.index(row, column & ~1, paddedRows, Packed.MIXED);
        int high = packed.get(at);
        int low = packed.get(at - column % 16 / 8 * 32 + slab(paddedRows) + 32);
        int place = (column % 16 / 8 * 2 + column % 2) * 8;
        return (column % 2 == 0 ? Halves.first(high) : Halves.second(high))
                + Float8.value(low >>> place & 0xff) / (double) ACTIVATION_LOW;
    }

    /** Packs (rows, columns) floats times {@code scale}, as weights or as activations; see {@link PackedWeights#pack}. */
    static void pack(
            MemorySegment from,
            IntArray to,
            int at,
            int rows,
            int paddedRows,
            int columns,
            float scale,
            boolean isWeight) {
        IntStream.range(0, rows).parallel().forEach(row -> {
            for (int quarter = 0; quarter < columns / 4; quarter++) {
                long i = (long) row * columns + column(quarter);
                storeIfNegative(
                        to,
                        at + Packed.index(row, column(quarter), paddedRows, Packed.MIXED),
                        slab(paddedRows),
                        from.getAtIndex(FLOAT, i) * scale,
                        from.getAtIndex(FLOAT, i + 1) * scale,
                        from.getAtIndex(FLOAT, i + 8) * scale,
                        from.getAtIndex(FLOAT, i + 9) * scale,
                        isWeight ? WEIGHT_HIGH : 1f,
                        isWeight ? 1f : ACTIVATION_LOW,
                        -1);
            }
        });
    }
}
