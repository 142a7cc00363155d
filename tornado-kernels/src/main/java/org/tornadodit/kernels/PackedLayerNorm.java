package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.Float8;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Warp;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link LayerNorm}, its result written as the operand of a product (see {@link Packed}), sm_80 and later. A block serves
 * eight rows, the rows of an 8x8 matrix; a lane has eight columns of a row at a time, 16 bytes of a matrix, and keeps
 * them in registers from the mean to the end.
 */
public final class PackedLayerNorm {
    private static final int LANES = 32;
    private static final int ROWS = 8;
    /** Columns of a warp's step. */
    public static final int STEP = 32;

    /** Steps of a warp: what its loops unroll to must stay within the compiler's limits. */
    private static final int MAX_STEPS = 6;

    private static final int MAX_WARPS = 32;

    /** Columns that a row may have. */
    public static final int LONGEST = MAX_WARPS * MAX_STEPS * STEP;

    /** Blocks of a multiprocessor that registers are limited for: 4 of 6 warps leave 80. */
    private static final int RESIDENT_WARPS = 24;

    private static final float EPSILON = 1e-6f;

    private PackedLayerNorm() {}

    /**
     * Warps of a block: the fewest that share the columns evenly, or nearly.
     *
     * @throws IllegalArgumentException for rows that are too long or no multiple of 16
     */
    public static int warps(int hidden) {
        int steps = Launch.ceilDiv(hidden, STEP);
        int fewest = Launch.ceilDiv(steps, MAX_STEPS);
        if (hidden % 16 != 0 || fewest > MAX_WARPS) {
            throw new IllegalArgumentException("LayerNorm of " + hidden + ": not a multiple of 16 up to " + LONGEST);
        }
        for (int warps = fewest; warps < 2 * fewest; warps++) {
            if (steps % warps == 0) {
                return warps;
            }
        }
        return fewest;
    }

    /** The launch for {@code rows} rows, tokens times samples. */
    public static WorkerGrid grid(int rows, int hidden) {
        return Launch.groups(Launch.ceilDiv(rows, ROWS), LANES * warps(hidden));
    }

    /**
     * LayerNorm and modulation of every row; what is not said here is as in {@link LayerNorm#modulate}, and in
     * {@link LayerNormArguments}, which makes the task.
     *
     * @param most N T that there is room for
     * @param warps {@link #warps} of hidden
     */
    public static void modulate(
            KernelContext context,
            FloatArray x,
            FloatArray conditioning,
            IntArray out,
            IntArray layer,
            IntArray next,
            IntArray batch,
            IntArray overflow,
            @AtLaunch int most,
            int hidden,
            int tokens,
            int shiftOffset,
            int scaleOffset,
            int stride,
            int more,
            int planes,
            int kind,
            int warps) {
        SharedMemory.block(LANES * warps, warps < RESIDENT_WARPS ? RESIDENT_WARPS / warps : 1);
        int partial = SharedMemory.dynamic(2 * warps * ROWS * 4);
        int steps = (hidden + STEP * warps - 1) / (STEP * warps);
        int number = layer.get(0) + more;
        if (context.globalIdx == 0) {
            next.set(0, number);
        }
        int rows = batch.get(Batch.PASSES) * tokens;
        if (context.groupIdx * ROWS < rows) {
            int lane = context.localIdx & 31;
            int warp = context.localIdx >> 5;
            int rowOfEight = lane & 7;
            int row = Math.min(context.groupIdx * ROWS + rowOfEight, rows - 1);
            int firstColumn = warp * STEP + (lane >> 3) * 8;
            int columnStride = STEP * warps;
            boolean even = hidden % columnStride == 0;
            int base = row * hidden + firstColumn;

            // Registers that no column belongs to stay zero.
            float[] values = Registers.floats(steps * 8);
            for (int step = 0; step < steps; step++) {
                if (even || firstColumn + step * columnStride < hidden) {
                    GlobalMemory.load4(x, base + step * columnStride, values, step * 8);
                    GlobalMemory.load4(x, base + step * columnStride + 4, values, step * 8 + 4);
                }
            }
            float sum = 0f;
            for (int step = 0; step < steps; step++) {
                sum += sumOfEight(values, step * 8);
            }
            float mean = sumOfRow(context, sum, partial, lane, warp, warps) / hidden;
            float squares = 0f;
            for (int step = 0; step < steps; step++) {
                if (even || firstColumn + step * columnStride < hidden) {
                    squares += center(values, step * 8, mean);
                }
            }
            float variance = sumOfRow(context, squares, partial + warps * ROWS * 4, lane, warp, warps) / hidden;
            float inverse = LayerNorm.inverse(variance + EPSILON);

            int chunks = row / tokens * stride + number * (LayerNorm.CHUNKS * hidden) + firstColumn;
            int paddedRows = Packed.paddedRows(most);
            int index = Packed.index(context.groupIdx * ROWS + rowOfEight, firstColumn, paddedRows, planes);
            float largest = 0f;
            for (int step = 0; step < steps; step++) {
                if (even || firstColumn + step * columnStride < hidden) {
                    largest = store(
                            out,
                            index
                                    + step
                                            * (columnStride
                                                    / 16
                                                    * Packed.slabs(planes)
                                                    * (paddedRows / 8)
                                                    * Packed.eightRows(planes)),
                            values,
                            step * 8,
                            conditioning,
                            chunks + shiftOffset + step * columnStride,
                            chunks + scaleOffset + step * columnStride,
                            inverse,
                            planes,
                            Mixed.slab(paddedRows),
                            lane >> 3 & 1,
                            largest);
                }
            }
            if (!(largest <= Packed.LARGEST)) {
                overflow.set(number * Overflow.KINDS + kind, 1);
            }
        }
    }

    /** A row's sum over the lanes and warps that share it. */
    private static float sumOfRow(KernelContext context, float part, int partial, int lane, int warp, int warps) {
        float sum = part + Warp.shuffleXor(part, 8);
        sum = sum + Warp.shuffleXor(sum, 16);
        if (lane < ROWS) {
            SharedMemory.store(partial + (warp * ROWS + lane) * 4, sum);
        }
        context.localBarrier();
        float total = 0f;
        for (int i = 0; i < warps; i++) {
            total += SharedMemory.loadFloat(partial + (i * ROWS + (lane & 7)) * 4);
        }
        return total;
    }

    private static float sumOfEight(float[] values, int i) {
        float even = Registers.get(values, i);
        float odd = Registers.get(values, i + 1);
        for (int j = 2; j < 8; j += 2) {
            even += Registers.get(values, i + j);
            odd += Registers.get(values, i + j + 1);
        }
        return even + odd;
    }

    /** Subtracts the mean from eight values; the sum of their squares then. */
    private static float center(float[] values, int i, float mean) {
        float squares = 0f;
        for (int j = 0; j < 8; j++) {
            float difference = Registers.get(values, i + j) - mean;
            Registers.set(values, i + j, difference);
            squares += difference * difference;
        }
        return squares;
    }

    /** Modulates eight differences from the mean and writes them; the largest magnitude so far. */
    private static float store(
            IntArray out,
            int index,
            float[] values,
            int first,
            FloatArray conditioning,
            int shiftAt,
            int scaleAt,
            float inverse,
            int planes,
            int slab,
            int odd,
            float largestBefore) {
        float[] shift = Registers.floats(8);
        float[] scale = Registers.floats(8);
        int[] high = Registers.ints(4);
        int[] low = Registers.ints(4);
        int[] high8 = Registers.ints(4);
        GlobalMemory.load4(conditioning, shiftAt, shift, 0);
        GlobalMemory.load4(conditioning, shiftAt + 4, shift, 4);
        GlobalMemory.load4(conditioning, scaleAt, scale, 0);
        GlobalMemory.load4(conditioning, scaleAt + 4, scale, 4);
        float largest = largestBefore;
        for (int i = 0; i < 4; i++) {
            float a = modulated(values, first + 2 * i, inverse, shift, scale, 2 * i);
            float b = modulated(values, first + 2 * i + 1, inverse, shift, scale, 2 * i + 1);
            largest = Packed.largest(largest, a, b);
            int pair = Packed.high(a, b);
            Registers.set(high, i, pair);
            if (planes == 2) {
                Registers.set(low, i, Packed.low(a, b, pair));
            }
            if (planes == Packed.MIXED) {
                float ha = Halves.first(pair);
                float hb = Halves.second(pair);
                Registers.set(high8, i, Float8.pack(ha, hb, 0f, 0f));
                Registers.set(
                        low, i, Float8.pack((a - ha) * Mixed.ACTIVATION_LOW, (b - hb) * Mixed.ACTIVATION_LOW, 0f, 0f));
            }
        }
        store4(out, index, high);
        if (planes == 2) {
            store4(out, index + Packed.PLANE, low);
        }
        if (planes == Packed.MIXED) {
            // The thread 8 lanes on has the other eight of sixteen columns. This one stores hi8 of both, that one lo8,
            // where 32
            // ints further lies what is one matrix of halves further.
            for (int i = 0; i < 4; i++) {
                int mine = odd == 0 ? Registers.get(high8, i) : Registers.get(low, i);
                int given = odd == 0 ? Registers.get(low, i) : Registers.get(high8, i);
                int other = Warp.shuffleXor(given, 8);
                Registers.set(high8, i, odd == 0 ? mine | other << 16 : other | mine << 16);
            }
            store4(out, index + slab, high8);
        }
        return largest;
    }

    private static float modulated(float[] values, int v, float inverse, float[] shift, float[] scale, int i) {
        return Registers.get(values, v) * inverse * (1f + Registers.get(scale, i)) + Registers.get(shift, i);
    }

    private static void store4(IntArray out, int index, int[] registers) {
        GlobalMemory.store4(
                out,
                index,
                Registers.get(registers, 0),
                Registers.get(registers, 1),
                Registers.get(registers, 2),
                Registers.get(registers, 3));
    }
}
