package org.tornadodit.kernels;

import java.util.List;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Linear for the few rows of the conditioning (adaLN_modulation, t_embedder): all that counts is reading the
 * weight once. A work group takes a few output features and up to 16 rows; 32 neighbouring threads read a row of the
 * weight together and share its dot products, of one feature or of two at a time. Variants add in the same order and
 * give the same bits.
 */
public final class LinearFewRows {
    /** Rows that one pass over the weight serves; more rows take more passes. */
    public static final int ROWS = 16;

    /** Runs of 32 threads in a work group. */
    public static final String WARPS = "warps";

    /** Features that 32 threads make together, so that a value of x is read once for all of them: 1 or 2. */
    public static final String TOGETHER = "together";

    /** The default first. */
    public static final List<Variant> VARIANTS = List.of(
            Variant.of(WARPS, 4).and(TOGETHER, 1),
            Variant.of(WARPS, 2).and(TOGETHER, 1),
            Variant.of(WARPS, 8).and(TOGETHER, 1),
            Variant.of(WARPS, 2).and(TOGETHER, 2),
            Variant.of(WARPS, 4).and(TOGETHER, 2),
            Variant.of(WARPS, 8).and(TOGETHER, 2));

    private static final int LANES = 32;
    /** One float more than the lanes, so that the threads that add up partial sums use different banks. */
    private static final int STRIDE = LANES + 1;

    private LinearFewRows() {}

    /** What the autotuner chooses a variant for. */
    public static OperationShape operation(int m, int n, int k, int epilogue) {
        return OperationShape.of("linearFewRows, " + Epilogue.name(epilogue), m, n, k);
    }

    /** The launch for (m, n) outputs. */
    public static WorkerGrid grid(int m, int n, Variant variant) {
        int warps = variant.get(WARPS);
        return Launch.groups(Launch.ceilDiv(n, warps * variant.get(TOGETHER)) * Launch.ceilDiv(m, ROWS), warps * LANES);
    }

    /**
     * {@code out(M,N) = x(M,K) W(N,K)^T + bias}, then SiLU where the epilogue says so. What is not said here is in
     * {@link LinearFewRowsArguments}, which makes the task.
     *
     * @param warps see {@link #WARPS}
     * @param together see {@link #TOGETHER}
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
            int together) {
        int m = batch.get(Batch.PASSES);
        int features = warps * together;
        float[] partial = context.allocateFloatLocalArray(features * ROWS * STRIDE);
        int thread = context.localIdx;
        int lane = thread % LANES;
        int local = thread / LANES * together;
        int groups = (n + features - 1) / features;
        int feature = context.groupIdx % groups * features;
        int firstRow = context.groupIdx / groups * ROWS;
        int layerBase = layer.get(0) * n;
        int w = (layerBase + Math.min(feature + local, n - 1)) * k;
        int v = (layerBase + Math.min(feature + local + together - 1, n - 1)) * k;
        int at = local * ROWS * STRIDE + lane;
        // Four rows at a time: as many sums as hide the latency of the loads.
        for (int rows = 0; rows < ROWS; rows += 4) {
            int row = firstRow + rows;
            float s0 = 0f;
            float s1 = 0f;
            float s2 = 0f;
            float s3 = 0f;
            float t0 = 0f;
            float t1 = 0f;
            float t2 = 0f;
            float t3 = 0f;
            if (row < m) {
                int x0 = row * k;
                int x1 = Math.min(row + 1, m - 1) * k;
                int x2 = Math.min(row + 2, m - 1) * k;
                int x3 = Math.min(row + 3, m - 1) * k;
                for (int i = lane; i < k; i += LANES) {
                    float first = weight.get(w + i);
                    float a0 = x.get(x0 + i);
                    float a1 = x.get(x1 + i);
                    float a2 = x.get(x2 + i);
                    float a3 = x.get(x3 + i);
                    s0 += a0 * first;
                    s1 += a1 * first;
                    s2 += a2 * first;
                    s3 += a3 * first;
                    if (together == 2) {
                        float second = weight.get(v + i);
                        t0 += a0 * second;
                        t1 += a1 * second;
                        t2 += a2 * second;
                        t3 += a3 * second;
                    }
                }
            }
            partial[at + rows * STRIDE] = s0;
            partial[at + (rows + 1) * STRIDE] = s1;
            partial[at + (rows + 2) * STRIDE] = s2;
            partial[at + (rows + 3) * STRIDE] = s3;
            if (together == 2) {
                partial[at + (ROWS + rows) * STRIDE] = t0;
                partial[at + (ROWS + rows + 1) * STRIDE] = t1;
                partial[at + (ROWS + rows + 2) * STRIDE] = t2;
                partial[at + (ROWS + rows + 3) * STRIDE] = t3;
            }
        }
        context.localBarrier();
        if (thread < features * ROWS) {
            float sum = 0f;
            for (int i = 0; i < LANES; i++) {
                sum += partial[thread * STRIDE + i];
            }
            int row = firstRow + thread % ROWS;
            int column = feature + thread / ROWS;
            if (row < m && column < n) {
                Epilogue.store(bias, layerBase, bias, bias, out, 0, row, column, n, epilogue, 1, 0, 0, sum);
            }
        }
    }
}
