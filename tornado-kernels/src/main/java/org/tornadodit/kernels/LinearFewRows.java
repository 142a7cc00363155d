package org.tornadodit.kernels;

import java.util.List;
import java.util.stream.Stream;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Linear for the few rows of the conditioning (adaLN_modulation, t_embedder): all that counts is reading the
 * weight once. A work group takes a few output features and some rows; 32 neighbouring threads read a row of the weight
 * together and share its dot products, of one feature or of two at a time. Variants add in the same order and give the
 * same bits.
 */
public final class LinearFewRows {
    /**
     * Rows of a work group, which takes four at a time: four where there are few features, so that all multiprocessors have
     * enough to wait for, and more where reading the weight once counts for more.
     */
    public static final String ROWS = "rows";

    /** Runs of 32 threads in a work group. */
    public static final String WARPS = "warps";

    /** Features that 32 threads make together, so that a value of x is read once for all of them: 1 or 2. */
    public static final String TOGETHER = "together";

    private static final List<Variant> FOR_MANY_FEATURES = List.of(
            Variant.of(WARPS, 4).and(TOGETHER, 1).and(ROWS, 16),
            Variant.of(WARPS, 2).and(TOGETHER, 1).and(ROWS, 16),
            Variant.of(WARPS, 8).and(TOGETHER, 1).and(ROWS, 16),
            Variant.of(WARPS, 2).and(TOGETHER, 2).and(ROWS, 16),
            Variant.of(WARPS, 4).and(TOGETHER, 2).and(ROWS, 16),
            Variant.of(WARPS, 8).and(TOGETHER, 2).and(ROWS, 16));

    private static final List<Variant> FOR_FEW_FEATURES = List.of(
            Variant.of(WARPS, 4).and(TOGETHER, 1).and(ROWS, 4),
            Variant.of(WARPS, 2).and(TOGETHER, 1).and(ROWS, 4),
            Variant.of(WARPS, 8).and(TOGETHER, 1).and(ROWS, 4),
            Variant.of(WARPS, 2).and(TOGETHER, 2).and(ROWS, 4),
            Variant.of(WARPS, 4).and(TOGETHER, 2).and(ROWS, 4));

    /** Features that make work groups enough with all rows in one. */
    private static final int MANY_FEATURES = 16384;

    /** Rows that make work groups enough, of some rows each. */
    private static final int MANY_ROWS = 64;

    /** Rows that a thread sums at a time. */
    private static final int ROWS_TOGETHER = 4;

    /** Steps of k, of 32 each, whose loads are under way at a time, at least: compilers make more of it. */
    public static final int AHEAD = 4;

    private static final int LANES = 32;

    /** One float more than the lanes, so that the threads that add up partial sums use different banks. */
    private static final int STRIDE = LANES + 1;

    private LinearFewRows() {}

    /** All variants for m rows of n features, the default first. */
    public static List<Variant> variants(int m, int n) {
        boolean few = n < MANY_FEATURES && m < MANY_ROWS;
        List<Variant> first = few ? FOR_FEW_FEATURES : FOR_MANY_FEATURES;
        List<Variant> others = few ? FOR_MANY_FEATURES : FOR_FEW_FEATURES;
        return Stream.concat(first.stream(), others.stream()).toList();
    }

    /** What the autotuner chooses a variant for. */
    public static OperationShape operation(int m, int n, int k, int epilogue) {
        return OperationShape.of("linearFewRows, " + Epilogue.name(epilogue), m, n, k);
    }

    /** The launch for (m, n) outputs. */
    public static WorkerGrid grid(int m, int n, Variant variant) {
        int warps = variant.get(WARPS);
        int groups = Launch.ceilDiv(n, warps * variant.get(TOGETHER)) * Launch.ceilDiv(m, variant.get(ROWS));
        return Launch.groups(groups, warps * LANES);
    }

    /**
     * {@code out(M,N) = x(M,K) W(N,K)^T + bias}, then SiLU where the epilogue says so. What is not said here is in
     * {@link LinearFewRowsArguments}, which makes the task.
     *
     * @param warps see {@link #WARPS}
     * @param together see {@link #TOGETHER}
     * @param rows see {@link #ROWS}, a multiple of 4
     */
    public static void linear(
            KernelContext context,
            IntArray layer,
            IntArray batch,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray out,
            int n,
            int k,
            int epilogue,
            int warps,
            int together,
            int rows) {
        int m = batch.get(Batch.PASSES);
        int features = warps * together;
        float[] partial = context.allocateFloatLocalArray(features * rows * STRIDE);
        int thread = context.localIdx;
        int lane = thread % LANES;
        int local = thread / LANES * together;
        int groups = (n + features - 1) / features;
        int feature = context.groupIdx % groups * features;
        int firstRow = context.groupIdx / groups * rows;
        int layerBase = layer.get(0) * n;
        int w = (layerBase + Math.min(feature + local, n - 1)) * k + lane;
        int v = (layerBase + Math.min(feature + local + together - 1, n - 1)) * k + lane;
        int at = local * rows * STRIDE + lane;
        // Four rows at a time, and four of k: as many sums and loads as hide the latency of the loads.
        for (int first = 0; first < rows; first += ROWS_TOGETHER) {
            int row = firstRow + first;
            float s0 = 0f;
            float s1 = 0f;
            float s2 = 0f;
            float s3 = 0f;
            float t0 = 0f;
            float t1 = 0f;
            float t2 = 0f;
            float t3 = 0f;
            if (row < m) {
                int x0 = row * k + lane;
                int x1 = Math.min(row + 1, m - 1) * k + lane;
                int x2 = Math.min(row + 2, m - 1) * k + lane;
                int x3 = Math.min(row + 3, m - 1) * k + lane;
                // TornadoVM unrolls a loop of four rounds, none of eight.
                for (int step = 0; step + AHEAD * LANES <= k; step += AHEAD * LANES) {
                    for (int round = 0; round < AHEAD; round++) {
                        int i = step + round * LANES;
                        float a0 = x.get(x0 + i);
                        float a1 = x.get(x1 + i);
                        float a2 = x.get(x2 + i);
                        float a3 = x.get(x3 + i);
                        float one = weight.get(w + i);
                        s0 += a0 * one;
                        s1 += a1 * one;
                        s2 += a2 * one;
                        s3 += a3 * one;
                        if (together == 2) {
                            float two = weight.get(v + i);
                            t0 += a0 * two;
                            t1 += a1 * two;
                            t2 += a2 * two;
                            t3 += a3 * two;
                        }
                    }
                }
                for (int i = k / (AHEAD * LANES) * (AHEAD * LANES); i < k - lane; i += LANES) {
                    float a0 = x.get(x0 + i);
                    float a1 = x.get(x1 + i);
                    float a2 = x.get(x2 + i);
                    float a3 = x.get(x3 + i);
                    float one = weight.get(w + i);
                    s0 += a0 * one;
                    s1 += a1 * one;
                    s2 += a2 * one;
                    s3 += a3 * one;
                    if (together == 2) {
                        float two = weight.get(v + i);
                        t0 += a0 * two;
                        t1 += a1 * two;
                        t2 += a2 * two;
                        t3 += a3 * two;
                    }
                }
            }
            partial[at + first * STRIDE] = s0;
            partial[at + (first + 1) * STRIDE] = s1;
            partial[at + (first + 2) * STRIDE] = s2;
            partial[at + (first + 3) * STRIDE] = s3;
            if (together == 2) {
                partial[at + (rows + first) * STRIDE] = t0;
                partial[at + (rows + first + 1) * STRIDE] = t1;
                partial[at + (rows + first + 2) * STRIDE] = t2;
                partial[at + (rows + first + 3) * STRIDE] = t3;
            }
        }
        context.localBarrier();
        if (thread < features * rows) {
            float sum = 0f;
            for (int i = 0; i < LANES; i++) {
                sum += partial[thread * STRIDE + i];
            }
            int row = firstRow + thread % rows;
            int column = feature + thread / rows;
            if (row < m && column < n) {
                Epilogue.store(bias, layerBase, bias, bias, out, 0, row, column, n, epilogue, 1, 0, 0, sum);
            }
        }
    }
}
