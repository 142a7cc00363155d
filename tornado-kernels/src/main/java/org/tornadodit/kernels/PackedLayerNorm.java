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
 *
 * <p>Eight lanes read 128 contiguous bytes of a row and hand each other what each is to have: read as they are written,
 * they would be 16 bytes of eight rows, which takes the first-level cache eight times as long. Where there are few rows, a block is
 * alone on its multiprocessor, and takes as long as its reads that wait for one another: so x is read before anything else,
 * and shift and scale come into shared memory meanwhile, where eight rows have the same ones. Else those of a step are read before
 * the step before is stored, since no read goes before a store in the source that could have written the same. The last rows come
 * first: of what the product before has written, they are in the second-level cache still, and
 * the first rows of what is written here are when the next product begins with them.
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

    /** Warps of a multiprocessor that registers are limited for: 3 blocks of 6 leave 96. */
    private static final int RESIDENT_WARPS = 18;

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
        boolean together = tokens % ROWS == 0; // eight rows are of one pass
        int partial = SharedMemory.dynamic(2 * warps * ROWS * 4 + (together ? 2 * hidden * 4 : 0));
        int shifts = partial + 2 * warps * ROWS * 4;
        int steps = (hidden + STEP * warps - 1) / (STEP * warps);
        int lane = context.localIdx & 31;
        int warp = context.localIdx >> 5;
        int rowOfEight = lane & 7;
        int eight = (most + ROWS - 1) / ROWS - 1 - context.groupIdx;
        int firstColumn = warp * STEP + (lane >> 3) * 8;
        int columnStride = STEP * warps;
        boolean even = hidden % columnStride == 0;
        // Registers that no column belongs to stay zero.
        float[] loaded = Registers.floats(steps * 8);
        load(x, eight * ROWS, most, hidden, lane, warp * STEP, columnStride, loaded, steps);
        int rows = batch.get(Batch.PASSES) * tokens;
        int number = layer.get(0) + more;
        if (context.globalIdx == 0) {
            next.set(0, number);
        }
        if (eight * ROWS < rows) {
            int row = Math.min(eight * ROWS + rowOfEight, rows - 1);
            int chunks = row / tokens * stride + number * (LayerNorm.CHUNKS * hidden) + firstColumn;
            float[] shift = Registers.floats(8);
            float[] scale = Registers.floats(8);
            int threads = LANES * warps;
            int pieces = (2 * hidden + 4 * threads - 1) / (4 * threads);
            float[] part = Registers.floats(together ? pieces * 4 : 1);
            if (together) {
                int from = eight * ROWS / tokens * stride + number * (LayerNorm.CHUNKS * hidden);
                loadChunks(
                        conditioning,
                        from + shiftOffset,
                        from + scaleOffset,
                        context.localIdx,
                        threads,
                        hidden,
                        part,
                        pieces);
            } else if (even || firstColumn < hidden) {
                load8(conditioning, chunks + shiftOffset, shift);
                load8(conditioning, chunks + scaleOffset, scale);
            }
            float[] values = Registers.floats(steps * 8);
            for (int step = 0; step < steps; step++) {
                exchange(loaded, values, step * 8, lane);
            }

            if (together) {
                storeChunks(part, shifts, context.localIdx, threads, hidden, pieces);
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

            int paddedRows = Packed.paddedRows(most);
            int index = Packed.index(eight * ROWS + rowOfEight, firstColumn, paddedRows, planes);
            int stepInts = columnStride / 16 * Packed.slabs(planes) * (paddedRows / 8) * Packed.eightRows(planes);
            float largest = 0f;
            for (int step = 0; step < steps; step++) {
                if (even || firstColumn + step * columnStride < hidden) {
                    float[] shiftNow = Registers.floats(8);
                    float[] scaleNow = Registers.floats(8);
                    if (together) {
                        int at = shifts + (firstColumn + step * columnStride) * 4;
                        loadShared8(at, shift);
                        loadShared8(at + hidden * 4, scale);
                    }
                    for (int i = 0; i < 8; i++) {
                        Registers.set(shiftNow, i, Registers.get(shift, i));
                        Registers.set(scaleNow, i, 1f + Registers.get(scale, i));
                    }
                    if (!together && step + 1 < steps && (even || firstColumn + (step + 1) * columnStride < hidden)) {
                        load8(conditioning, chunks + shiftOffset + (step + 1) * columnStride, shift);
                        load8(conditioning, chunks + scaleOffset + (step + 1) * columnStride, scale);
                    }
                    largest = store(
                            out,
                            index + step * stepInts,
                            values,
                            step * 8,
                            shiftNow,
                            scaleNow,
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

    /** Reads a thread's part of shift and scale, one behind the other, four columns at a time. */
    private static void loadChunks(
            FloatArray conditioning,
            int shift,
            int scale,
            int thread,
            int threads,
            int hidden,
            float[] part,
            int pieces) {
        for (int i = 0; i < pieces; i++) {
            int column = (i * threads + thread) * 4;
            if (2 * hidden % (4 * threads) == 0 || column < 2 * hidden) {
                GlobalMemory.load4(
                        conditioning, column < hidden ? shift + column : scale + column - hidden, part, i * 4);
            }
        }
    }

    /** Stores what {@link #loadChunks} has read. */
    private static void storeChunks(float[] part, int shifts, int thread, int threads, int hidden, int pieces) {
        for (int i = 0; i < pieces; i++) {
            int column = (i * threads + thread) * 4;
            if (2 * hidden % (4 * threads) == 0 || column < 2 * hidden) {
                int to = shifts + column * 4;
                SharedMemory.store2(to, Registers.get(part, i * 4), Registers.get(part, i * 4 + 1));
                SharedMemory.store2(to + 8, Registers.get(part, i * 4 + 2), Registers.get(part, i * 4 + 3));
            }
        }
    }

    /**
     * Reads a warp's columns of eight rows from row {@code first} on. Lane {@code 8 q + j} reads four columns of row q, then
     * of row {@code q + 4}: the j-th four of 32, then those of the lane beside it, see {@link #exchange}.
     */
    private static void load(
            FloatArray x,
            int first,
            int rows,
            int hidden,
            int lane,
            int column,
            int columnStride,
            float[] loaded,
            int steps) {
        int upper = column + (lane & 7) * 4;
        int lower = column + ((lane & 7) ^ 1) * 4;
        int upperBase = Math.min(first + (lane >> 3), rows - 1) * hidden;
        int lowerBase = Math.min(first + (lane >> 3) + 4, rows - 1) * hidden;
        boolean even = hidden % columnStride == 0;
        for (int step = 0; step < steps; step++) {
            // Sixteen columns are inside or outside together.
            if (even || upper + step * columnStride < hidden) {
                GlobalMemory.load4(x, upperBase + upper + step * columnStride, loaded, step * 8);
                GlobalMemory.load4(x, lowerBase + lower + step * columnStride, loaded, step * 8 + 4);
            }
        }
    }

    /**
     * Gives lane {@code 8 q + r} columns {@code 8 q} to {@code 8 q + 7} of row r, of what {@link #load} has read. Even lanes
     * have the first four columns of eight of one of the upper rows and the last four of a lower one, odd lanes the others:
     * so each lane gives one of its two numbers at a time, and all lanes take one.
     */
    private static void exchange(float[] loaded, float[] values, int at, int lane) {
        int upper = (lane & 3) * 8 + (lane >> 3) * 2;
        boolean isUpper = (lane & 4) == 0;
        boolean even = (lane & 1) == 0;
        int firstFour = isUpper ? upper : upper + 1;
        int lastFour = isUpper ? upper + 1 : upper;
        for (int i = 0; i < 4; i++) {
            float ofUpper = Registers.get(loaded, at + i);
            float ofLower = Registers.get(loaded, at + 4 + i);
            Registers.set(values, at + i, Warp.shuffle(even ? ofUpper : ofLower, firstFour));
            Registers.set(values, at + 4 + i, Warp.shuffle(even ? ofLower : ofUpper, lastFour));
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

    /**
     * Modulates eight differences from the mean and writes them; the largest magnitude so far.
     *
     * @param scale 1 more than the conditioning's
     */
    private static float store(
            IntArray out,
            int index,
            float[] values,
            int first,
            float[] shift,
            float[] scale,
            float inverse,
            int planes,
            int slab,
            int odd,
            float largestBefore) {
        int[] high = Registers.ints(4);
        int[] low = Registers.ints(4);
        int[] high8 = Registers.ints(4);
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
        return Registers.get(values, v) * inverse * Registers.get(scale, i) + Registers.get(shift, i);
    }

    private static void load8(FloatArray source, int index, float[] registers) {
        GlobalMemory.load4(source, index, registers, 0);
        GlobalMemory.load4(source, index + 4, registers, 4);
    }

    private static void loadShared8(int address, float[] registers) {
        SharedMemory.load4(address, registers, 0);
        SharedMemory.load4(address + 16, registers, 4);
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
