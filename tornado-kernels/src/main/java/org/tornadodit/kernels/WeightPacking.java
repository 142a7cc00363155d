package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.FloatBits;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights on their way into the arrays that the model's kernels read: the host sends tensors as they are in the checkpoint, in
 * an array that all take in turn, and these kernels put them where they belong, as {@link WeightJobs} say. The values are
 * {@link PackedWeights}' and {@link ConvolutionWeights}', bit for bit.
 */
public final class WeightPacking {
    /** Arrays of {@link #copy} and {@link #touch}. */
    public static final int FLOAT_ARRAYS = 10;

    /** Arrays of {@link #pack} and {@link #clear}. */
    public static final int PACKED_ARRAYS = 4;

    private static final int THREADS = 256;
    private static final int MOST_GROUPS = 1024;
    private static final int EACH = 8;

    private static final int LARGEST_EXPONENT = 13;
    private static final int MOST_EXPONENT = 100;

    private WeightPacking() {}

    /** Work groups where so many weights are sent at a time. */
    public static int groups(long weights) {
        return (int) Math.clamp(weights / (THREADS * EACH), 1L, (long) MOST_GROUPS);
    }

    /** The launch of kernels that do jobs. */
    public static WorkerGrid grid(int groups) {
        return Launch.groups(groups, THREADS);
    }

    /**
     * Sets the last elements of arrays to zero. Launch: {@link Launch#elementwise} of {@code count}.
     *
     * @param first0 index of the first such element of the first array
     */
    public static void clear(
            KernelContext context,
            IntArray array0,
            IntArray array1,
            IntArray array2,
            IntArray array3,
            int first0,
            int first1,
            int first2,
            int first3,
            int count) {
        int i = context.globalIdx;
        if (i < count) {
            array0.set(first0 + i, 0);
            array1.set(first1 + i, 0);
            array2.set(first2 + i, 0);
            array3.set(first3 + i, 0);
        }
    }

    /** Sets the first element of arrays to zero, which brings them into being. Launch: {@link Launch#elementwise} of 1. */
    public static void touch(
            KernelContext context,
            FloatArray array0,
            FloatArray array1,
            FloatArray array2,
            FloatArray array3,
            FloatArray array4,
            FloatArray array5,
            FloatArray array6,
            FloatArray array7,
            FloatArray array8,
            FloatArray array9) {
        if (context.globalIdx == 0) {
            array0.set(0, 0f);
            array1.set(0, 0f);
            array2.set(0, 0f);
            array3.set(0, 0f);
            array4.set(0, 0f);
            array5.set(0, 0f);
            array6.set(0, 0f);
            array7.set(0, 0f);
            array8.set(0, 0f);
            array9.set(0, 0f);
        }
    }

    /** A number of a job. */
    static int of(IntArray jobs, int job, int number) {
        return jobs.get(WeightJobs.row(job) + number);
    }

    /**
     * The largest magnitudes of the jobs' elements, NaN where there is one.
     *
     * @param sent what was sent
     * @param maxima ({@link WeightJobs#SLOTS}, groups): of what each work group has seen
     */
    public static void largest(KernelContext context, IntArray jobs, FloatArray sent, FloatArray maxima, int groups) {
        float[] most = context.allocateFloatLocalArray(THREADS);
        int thread = context.localIdx;
        int all = jobs.get(0);
        for (int job = 0; job < all; job++) {
            if (of(jobs, job, WeightJobs.SCANNED) == 1) {
                int at = of(jobs, job, WeightJobs.SLOT) * groups + context.groupIdx;
                int from = of(jobs, job, WeightJobs.FROM);
                int count = of(jobs, job, WeightJobs.COUNT);
                float mine = 0f;
                if (thread == 0 && of(jobs, job, WeightJobs.KEEP) == 1) {
                    mine = maxima.get(at);
                }
                for (int i = context.globalIdx; i < count; i += groups * THREADS) {
                    mine = Approximate.maxOrNaN(mine, Math.abs(sent.get(from + i)));
                }
                most[thread] = mine;
                context.localBarrier();
                if (thread == 0) {
                    for (int i = 1; i < THREADS; i++) {
                        mine = Approximate.maxOrNaN(mine, most[i]);
                    }
                    maxima.set(at, mine);
                }
                context.localBarrier();
            }
        }
    }

    /**
     * A power of two that brings a magnitude to between {@code 2^exponent} and twice that, as far as {@code most} powers lead.
     *
     * @param largest also NaN
     * @param fewer times that it may be halved
     * @param more times that it may be doubled
     */
    static float scale(float largest, int exponent, int fewer, int more) {
        // TornadoVM turns comparisons round as if there were no NaN.
        float magnitude = Approximate.min(largest, Float.MAX_VALUE);
        float scale = 1 << exponent;
        for (int i = 0; i < fewer; i++) {
            if (magnitude >= 2f) {
                magnitude = magnitude * 0.5f;
                scale = scale * 0.5f;
            }
        }
        for (int i = 0; i < more; i++) {
            if (magnitude < 1f) {
                magnitude = magnitude * 2f;
                scale = scale * 2f;
            }
        }
        return scale;
    }

    /** Of a power of two that is a normal float, as is the result: exponents, biased by 127, add up to 0. */
    static float reciprocal(float power) {
        return FloatBits.of((254 << 23) - FloatBits.bits(power));
    }

    /**
     * Packs operands of products.
     *
     * @param sent (rows, K) weights of each job
     * @param maxima see {@link #largest}
     * @param weight0 see {@link PackedWeights#weight}, of target 0; a job's factor that undoes the scale goes to {@code undo0}
     */
    public static void pack(
            KernelContext context,
            IntArray jobs,
            FloatArray sent,
            FloatArray maxima,
            IntArray weight0,
            FloatArray undo0,
            IntArray weight1,
            FloatArray undo1,
            IntArray weight2,
            FloatArray undo2,
            IntArray weight3,
            FloatArray undo3,
            int planes,
            int groups) {
        float[] most = context.allocateFloatLocalArray(THREADS);
        int all = jobs.get(0);
        for (int job = 0; job < all; job++) {
            int kind = of(jobs, job, WeightJobs.KIND);
            if (kind >= WeightJobs.PACK && kind <= WeightJobs.PACK_PLACED) {
                float scale = 1f;
                if (kind != WeightJobs.PLACE) {
                    int slot = of(jobs, job, WeightJobs.SLOT) * groups;
                    float largest = 0f;
                    for (int i = context.localIdx; i < groups; i += THREADS) {
                        largest = Approximate.maxOrNaN(largest, maxima.get(slot + i));
                    }
                    // Here, not in a method: TornadoVM takes an index into shared memory that is a parameter for bytes.
                    most[context.localIdx] = largest;
                    context.localBarrier();
                    for (int i = 0; i < THREADS; i++) {
                        largest = Approximate.maxOrNaN(largest, most[i]);
                    }
                    context.localBarrier();
                    scale = scale(largest, LARGEST_EXPONENT, MOST_EXPONENT, MOST_EXPONENT);
                }
                int target = of(jobs, job, WeightJobs.TARGET);
                int from = of(jobs, job, WeightJobs.FROM);
                int at = of(jobs, job, WeightJobs.AT);
                int rows = of(jobs, job, WeightJobs.ROWS);
                int columns = of(jobs, job, WeightJobs.COLUMNS);
                int together = planes == Packed.MIXED ? 4 : 2;
                int pieces = columns / together;
                int count = of(jobs, job, WeightJobs.COUNT) / together;
                int slab = Mixed.slab(rows);
                for (int i = context.globalIdx; i < count; i += groups * THREADS) {
                    int row = i / pieces;
                    int piece = i - row * pieces;
                    int column = planes == Packed.MIXED ? Mixed.column(piece) : piece * 2;
                    int index = at + Packed.index(row, column, rows, planes);
                    int first = from + row * columns + column;
                    if (target == 0) {
                        piece(weight0, sent, kind, first, index, scale, planes, slab);
                    } else if (target == 1) {
                        piece(weight1, sent, kind, first, index, scale, planes, slab);
                    } else if (target == 2) {
                        piece(weight2, sent, kind, first, index, scale, planes, slab);
                    } else {
                        piece(weight3, sent, kind, first, index, scale, planes, slab);
                    }
                }
                if (kind != WeightJobs.PLACE && context.globalIdx == 0) {
                    int undoAt = of(jobs, job, WeightJobs.UNDO_AT);
                    float undo = reciprocal(scale);
                    if (target == 0) {
                        undo0.set(undoAt, undo);
                    } else if (target == 1) {
                        undo1.set(undoAt, undo);
                    } else if (target == 2) {
                        undo2.set(undoAt, undo);
                    } else {
                        undo3.set(undoAt, undo);
                    }
                }
            }
        }
    }

    /** Two weights, or four of {@link Mixed} operands. */
    private static void piece(
            IntArray weight, FloatArray sent, int kind, int first, int index, float scale, int planes, int slab) {
        if (planes == Packed.MIXED) {
            four(weight, sent, kind, first, index, scale, slab);
        } else {
            pair(weight, sent, kind, first, index, scale, planes);
        }
    }

    private static void four(IntArray weight, FloatArray sent, int kind, int first, int index, float scale, int slab) {
        float a;
        float b;
        float c;
        float d;
        if (kind == WeightJobs.PACK_PLACED) {
            a = FloatBits.of(weight.get(index));
            b = FloatBits.of(weight.get(index + 32));
            c = FloatBits.of(weight.get(index + slab));
            d = FloatBits.of(weight.get(index + slab + 32));
        } else {
            a = sent.get(first);
            b = sent.get(first + 1);
            c = sent.get(first + 8);
            d = sent.get(first + 9);
        }
        if (kind == WeightJobs.PLACE) {
            weight.set(index, FloatBits.bits(a));
            weight.set(index + 32, FloatBits.bits(b));
            weight.set(index + slab, FloatBits.bits(c));
            weight.set(index + slab + 32, FloatBits.bits(d));
        } else {
            Mixed.storeIfNegative(
                    weight, index, slab, a * scale, b * scale, c * scale, d * scale, Mixed.WEIGHT_HIGH, 1f, -1);
        }
    }

    /** Two weights of an operand; before they are packed their bits lie where their planes will. */
    private static void pair(
            IntArray weight, FloatArray sent, int kind, int first, int index, float scale, int planes) {
        float x;
        float y;
        if (planes == 2 && kind == WeightJobs.PACK_PLACED) {
            x = FloatBits.of(weight.get(index));
            y = FloatBits.of(weight.get(index + Packed.PLANE));
        } else {
            x = sent.get(first);
            y = sent.get(first + 1);
        }
        if (planes == 2 && kind == WeightJobs.PLACE) {
            weight.set(index, FloatBits.bits(x));
            weight.set(index + Packed.PLANE, FloatBits.bits(y));
        } else {
            Packed.store(weight, index, Packed.PLANE, x * scale, y * scale, planes);
        }
    }

    /**
     * Copies floats.
     *
     * @param first number of target {@code array0} among all
     */
    public static void copy(
            KernelContext context,
            IntArray jobs,
            int first,
            FloatArray sent,
            FloatArray array0,
            FloatArray array1,
            FloatArray array2,
            FloatArray array3,
            FloatArray array4,
            FloatArray array5,
            FloatArray array6,
            FloatArray array7,
            FloatArray array8,
            FloatArray array9,
            int groups) {
        int all = jobs.get(0);
        for (int job = 0; job < all; job++) {
            int kind = of(jobs, job, WeightJobs.KIND);
            int target = of(jobs, job, WeightJobs.TARGET) - first;
            if (kind >= WeightJobs.COPY && kind <= WeightJobs.CHANNELS_LAST && target >= 0 && target < FLOAT_ARRAYS) {
                int from = of(jobs, job, WeightJobs.FROM);
                int count = of(jobs, job, WeightJobs.COUNT);
                int at = of(jobs, job, WeightJobs.AT);
                int channels = of(jobs, job, WeightJobs.IN);
                for (int i = context.globalIdx; i < count; i += groups * THREADS) {
                    int index = at + i;
                    if (kind == WeightJobs.CHANNELS_LAST) {
                        int matrix = i / 9;
                        int out = matrix / channels;
                        index = at + (out * 9 + i - matrix * 9) * channels + matrix - out * channels;
                    }
                    float value = sent.get(from + i);
                    if (target == 0) {
                        array0.set(index, value);
                    } else if (target == 1) {
                        array1.set(index, value);
                    } else if (target == 2) {
                        array2.set(index, value);
                    } else if (target == 3) {
                        array3.set(index, value);
                    } else if (target == 4) {
                        array4.set(index, value);
                    } else if (target == 5) {
                        array5.set(index, value);
                    } else if (target == 6) {
                        array6.set(index, value);
                    } else if (target == 7) {
                        array7.set(index, value);
                    } else if (target == 8) {
                        array8.set(index, value);
                    } else {
                        array9.set(index, value);
                    }
                }
            }
        }
    }
}
