package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One layer's weights on their way into the arrays that products read: the host sends them as they are in the checkpoint,
 * in an array that all layers take in turn, and these kernels put them where they belong. The values are
 * {@link PackedWeights}', bit for bit.
 *
 * <p>What is to be done is a job, numbers in an array, since a number that is passed as an argument is compiled in.
 */
public final class WeightPacking {
    /** In a job: which of the arrays the layer goes to; the kernels of the others do nothing. */
    public static final int TARGET = 0;

    /** In a job: floats among which {@link #largest} looks, from the first on; 0 if it is not to look. */
    public static final int SCANNED = 1;

    /** In a job: 1 if what was largest in the jobs before counts too, 0 if not. */
    public static final int KEEP = 2;

    /** In a job: index of the layer's first weight in its array. */
    public static final int WEIGHT_AT = 3;

    /** In a job: index of the layer's first bias in its array. */
    public static final int BIAS_AT = 4;

    /** In a job: index in the biases' array of the factor that undoes the weights' scale. */
    public static final int SCALE_AT = 5;

    /** Numbers of a job. */
    public static final int LENGTH = 8;

    /** A {@link #TARGET} that no array has. */
    public static final int NONE = -1;

    private static final int THREADS = 256;
    private static final int MOST_GROUPS = 1024;
    private static final int EACH = 8;

    private static final int LARGEST_EXPONENT = 13;
    private static final int MOST_EXPONENT = 100;

    private WeightPacking() {}

    /** Work groups for layers of up to so many weights; {@link #largest} writes as many floats. */
    public static int groups(long weights) {
        return (int) Math.clamp(weights / (THREADS * EACH), 1L, (long) MOST_GROUPS);
    }

    /** The launch of all kernels but {@link #clear}. */
    public static WorkerGrid grid(int groups) {
        return Launch.groups(groups, THREADS);
    }

    /** Sets {@code count} elements from {@code first} on to zero. Launch: {@link Launch#elementwise}. */
    public static void clear(KernelContext context, IntArray array, int first, int count) {
        int i = context.globalIdx;
        if (i < count) {
            array.set(first + i, 0);
        }
    }

    /** As the other one. */
    public static void clearFloats(KernelContext context, FloatArray array, int first, int count) {
        int i = context.globalIdx;
        if (i < count) {
            array.set(first + i, 0f);
        }
    }

    /**
     * The largest magnitudes of a layer's weights, NaN where there is one.
     *
     * @param staging the weights
     * @param maxima (groups): of what each work group has seen
     */
    public static void largest(KernelContext context, IntArray job, FloatArray staging, FloatArray maxima, int groups) {
        float[] most = context.allocateFloatLocalArray(THREADS);
        int thread = context.localIdx;
        int count = job.get(SCANNED);
        if (count > 0) {
            float mine = 0f;
            if (thread == 0 && job.get(KEEP) == 1) {
                mine = maxima.get(context.groupIdx);
            }
            for (int i = context.globalIdx; i < count; i += groups * THREADS) {
                mine = Approximate.maxOrNaN(mine, Math.abs(staging.get(i)));
            }
            most[thread] = mine;
            context.localBarrier();
            if (thread == 0) {
                for (int i = 1; i < THREADS; i++) {
                    mine = Approximate.maxOrNaN(mine, most[i]);
                }
                maxima.set(context.groupIdx, mine);
            }
        }
    }

    /**
     * Packs a layer.
     *
     * @param target of these arrays
     * @param staging (N, K) weights, then (N) biases
     * @param maxima see {@link #largest}
     * @param weight see {@link PackedWeights#weight}
     * @param bias see {@link PackedWeights#bias}
     * @param n rows N
     * @param allRows rows of the operand that the layer is a part of
     * @param k columns K, a multiple of 16
     */
    public static void pack(
            KernelContext context,
            IntArray job,
            int target,
            FloatArray staging,
            FloatArray maxima,
            IntArray weight,
            FloatArray bias,
            int n,
            int allRows,
            int k,
            int planes,
            int groups) {
        float[] most = context.allocateFloatLocalArray(THREADS);
        int thread = context.localIdx;
        if (job.get(TARGET) == target) {
            float mine = 0f;
            for (int i = thread; i < groups; i += THREADS) {
                mine = Approximate.maxOrNaN(mine, maxima.get(i));
            }
            most[thread] = mine;
            context.localBarrier();
            for (int i = 0; i < THREADS; i++) {
                mine = Approximate.maxOrNaN(mine, most[i]);
            }
            // Also of NaN. TornadoVM turns comparisons round as if there were none.
            float magnitude = Approximate.min(mine, Float.MAX_VALUE);
            float scale = 1 << LARGEST_EXPONENT;
            float inverse = 1f / (1 << LARGEST_EXPONENT);
            for (int i = 0; i < MOST_EXPONENT; i++) {
                if (magnitude >= 2f) {
                    magnitude = magnitude * 0.5f;
                    scale = scale * 0.5f;
                    inverse = inverse * 2f;
                }
            }
            for (int i = 0; i < MOST_EXPONENT; i++) {
                if (magnitude < 1f) {
                    magnitude = magnitude * 2f;
                    scale = scale * 2f;
                    inverse = inverse * 0.5f;
                }
            }
            int at = job.get(WEIGHT_AT);
            int pairs = n * (k / 2);
            for (int i = context.globalIdx; i < pairs; i += groups * THREADS) {
                int row = i / (k / 2);
                int column = i % (k / 2) * 2;
                float x = staging.get(2 * i) * scale;
                float y = staging.get(2 * i + 1) * scale;
                Packed.store(weight, at + Packed.index(row, column, allRows, planes), Packed.PLANE, x, y, planes);
            }
            int first = job.get(BIAS_AT);
            for (int i = context.globalIdx; i < n; i += groups * THREADS) {
                bias.set(first + i, staging.get(2 * pairs + i));
            }
            if (context.globalIdx == 0) {
                bias.set(job.get(SCALE_AT), inverse);
            }
        }
    }

    /**
     * Copies a layer as it is.
     *
     * @param target of these arrays
     * @param staging {@code weights} weights, then {@code biases} biases
     */
    public static void copy(
            KernelContext context,
            IntArray job,
            int target,
            FloatArray staging,
            FloatArray weight,
            FloatArray bias,
            int weights,
            int biases,
            int groups) {
        if (job.get(TARGET) == target) {
            int at = job.get(WEIGHT_AT);
            for (int i = context.globalIdx; i < weights; i += groups * THREADS) {
                weight.set(at + i, staging.get(i));
            }
            int first = job.get(BIAS_AT);
            for (int i = context.globalIdx; i < biases; i += groups * THREADS) {
                bias.set(first + i, staging.get(weights + i));
            }
        }
    }
}
