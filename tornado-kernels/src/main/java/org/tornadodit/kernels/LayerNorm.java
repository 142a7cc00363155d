package org.tornadodit.kernels;

import java.util.List;
import java.util.function.IntToDoubleFunction;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * LayerNorm without weights and what DiT does to its result, {@code norm(x) * (1 + scale) + shift} with a sample's
 * shift and scale from its conditioning (W. Peebles and S. Xie, Scalable Diffusion Models with Transformers, 2023,
 * adaLN). 32 threads share a row, a few rows share a work group; the variance is that of the differences from the mean.
 */
public final class LayerNorm {
    /** Chunks of a block's adaLN_modulation: shift, scale and gate of attention, then of the MLP. */
    public static final int CHUNKS = 6;

    /** Rows of a work group. */
    public static final String ROWS = "rows";

    /** The default first. */
    public static final List<Variant> VARIANTS =
            List.of(Variant.of(ROWS, 4), Variant.of(ROWS, 1), Variant.of(ROWS, 2), Variant.of(ROWS, 8));

    /** Loads that a thread has under way. */
    public static final int TOGETHER = 4;

    private static final int LANES = 32;
    private static final float EPSILON = 1e-6f;

    private LayerNorm() {}

    /** What the autotuner chooses a variant for. */
    public static OperationShape operation(int samples, int tokens, int hidden) {
        return OperationShape.of("layerNorm", samples, tokens, hidden);
    }

    /** The launch for {@code rows} rows, tokens times samples. */
    public static WorkerGrid grid(int rows, Variant variant) {
        int groupRows = variant.get(ROWS);
        return Launch.groups(Launch.ceilDiv(rows, groupRows), groupRows * LANES);
    }

    /**
     * LayerNorm and modulation of every row.
     *
     * @param layer (1): with {@code more} added, which of the layers whose chunks lie one after the other in a row of the
     *     conditioning
     * @param next (1): where that sum is written, for the kernels that follow; another array than {@code layer}
     * @param batch see {@link Batch}, for N
     * @param x (N, T, D)
     * @param conditioning (N, stride): the outputs of adaLN_modulations
     * @param out (N, T, D); not x itself
     * @param hidden D
     * @param tokens T
     * @param shiftOffset first column of the shift's chunk in layer 0
     * @param scaleOffset first column of the scale's chunk in layer 0
     * @param stride columns of the conditioning: 6 D for each block, 2 D for the final layer
     * @param more 1 to go on to the next layer, 0 to stay
     * @param groupRows see {@link #ROWS}
     */
    public static void modulate(
            KernelContext context,
            IntArray layer,
            IntArray next,
            IntArray batch,
            FloatArray x,
            FloatArray conditioning,
            FloatArray out,
            int hidden,
            int tokens,
            int shiftOffset,
            int scaleOffset,
            int stride,
            int more,
            int groupRows) {
        int rows = batch.get(Batch.PASSES) * tokens;
        int threads = groupRows * LANES;
        float[] partial = context.allocateFloatLocalArray(2 * threads);
        int thread = context.localIdx;
        int number = layer.get(0) + more;
        if (context.globalIdx == 0) {
            next.set(0, number);
        }
        if (context.groupIdx * groupRows < rows) {
            int lane = thread % LANES;
            int lanes = thread / LANES * LANES;
            int row = context.groupIdx * groupRows + thread / LANES;
            int base = Math.min(row, rows - 1) * hidden;

            float sum = 0f;
            // The inner loop is unrolled.
            for (int first = lane; first < hidden; first += TOGETHER * LANES) {
                for (int i = 0; i < TOGETHER; i++) {
                    if (hidden % (TOGETHER * LANES) == 0 || first + i * LANES < hidden) {
                        sum += x.get(base + first + i * LANES);
                    }
                }
            }
            partial[thread] = sum;
            context.localBarrier();
            float mean = 0f;
            for (int i = 0; i < LANES; i++) {
                mean += partial[lanes + i];
            }
            mean = mean / hidden;

            float squares = 0f;
            for (int first = lane; first < hidden; first += TOGETHER * LANES) {
                for (int i = 0; i < TOGETHER; i++) {
                    if (hidden % (TOGETHER * LANES) == 0 || first + i * LANES < hidden) {
                        float difference = x.get(base + first + i * LANES) - mean;
                        squares += difference * difference;
                    }
                }
            }
            partial[threads + thread] = squares;
            context.localBarrier();
            float variance = 0f;
            for (int i = 0; i < LANES; i++) {
                variance += partial[threads + lanes + i];
            }
            float inverse = inverse(variance / hidden + EPSILON);

            if (row < rows) {
                int sample = row / tokens * stride + number * (CHUNKS * hidden);
                for (int i = lane; i < hidden; i += LANES) {
                    float scale = 1f + conditioning.get(sample + scaleOffset + i);
                    float shift = conditioning.get(sample + shiftOffset + i);
                    out.set(base + i, (x.get(base + i) - mean) * inverse * scale + shift);
                }
            }
        }
    }

    /**
     * {@code 1 / sqrt(variance)}, and NaN of a variance that a float does not hold, of which it would be zero: a row of
     * zeros looks as if all were well, NaN is noticed.
     */
    static float inverse(float variance) {
        return 1f / TornadoMath.sqrt(variance) + 0f * variance;
    }

    /**
     * The float64 values of {@link #modulate}'s out, counted along its rows; one thread's, which remembers a row's moments
     * for the next element.
     */
    public static IntToDoubleFunction reference(
            IntArray layer,
            FloatArray x,
            FloatArray conditioning,
            int hidden,
            int tokens,
            int shiftOffset,
            int scaleOffset,
            int stride) {
        double[] moments = new double[2];
        int[] known = {-1};
        return index -> {
            int row = index / hidden;
            int i = index % hidden;
            if (row != known[0]) {
                moments(x, hidden, row, moments);
                known[0] = row;
            }
            int sample = row / tokens * stride + layer.get(0) * CHUNKS * hidden;
            return (x.get(index) - moments[0]) * moments[1] * (1 + (double) conditioning.get(sample + scaleOffset + i))
                    + conditioning.get(sample + shiftOffset + i);
        };
    }

    /** Mean and 1 / sqrt(variance + 1e-6) of a row. */
    private static void moments(FloatArray x, int hidden, int row, double[] moments) {
        double sum = 0;
        for (int i = 0; i < hidden; i++) {
            sum += x.get(row * hidden + i);
        }
        double mean = sum / hidden;
        double squares = 0;
        for (int i = 0; i < hidden; i++) {
            double difference = x.get(row * hidden + i) - mean;
            squares += difference * difference;
        }
        moments[0] = mean;
        moments[1] = 1 / Math.sqrt(squares / hidden + 1e-6);
    }
}
