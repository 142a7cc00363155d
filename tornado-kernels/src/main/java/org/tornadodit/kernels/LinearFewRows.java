package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Linear for the few rows of the conditioning (adaLN_modulation, t_embedder): all that counts is reading the
 * weight once. A work group takes four output features and up to 16 rows; 32 neighbouring threads read a row of the
 * weight together and share its dot products.
 */
public final class LinearFewRows {
    /** Rows that one pass over the weight serves; more rows take more passes. */
    public static final int ROWS = 16;

    private static final int LANES = 32;
    private static final int FEATURES = 4;
    private static final int THREADS = LANES * FEATURES;
    /** One float more than the lanes, so that the threads that add up partial sums use different banks. */
    private static final int STRIDE = LANES + 1;

    private LinearFewRows() {}

    /** The launch for (m, n) outputs. */
    public static WorkerGrid grid(int m, int n) {
        return Launch.groups(Launch.ceilDiv(n, FEATURES) * Launch.ceilDiv(m, ROWS), THREADS);
    }

    /**
     * {@code out(M,N) = x(M,K) W(N,K)^T + bias}, then SiLU where the epilogue says so.
     *
     * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
     * @param epilogue {@link Epilogue#BIAS}, {@link Epilogue#BIAS_SILU} or {@link Epilogue#NONE}
     */
    public static void linear(
            KernelContext context,
            IntArray layer,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray out,
            int m,
            int n,
            int k,
            int epilogue) {
        float[] partial = context.allocateFloatLocalArray(FEATURES * ROWS * STRIDE);
        int thread = context.localIdx;
        int lane = thread % LANES;
        int local = thread / LANES;
        int groups = (n + FEATURES - 1) / FEATURES;
        int feature = context.groupIdx % groups * FEATURES;
        int firstRow = context.groupIdx / groups * ROWS;
        int w = (layer.get(0) * n + Math.min(feature + local, n - 1)) * k;
        int at = local * ROWS * STRIDE + lane;
        // Four rows at a time: as many sums as hide the latency of the loads.
        for (int rows = 0; rows < ROWS; rows += 4) {
            int row = firstRow + rows;
            float s0 = 0f;
            float s1 = 0f;
            float s2 = 0f;
            float s3 = 0f;
            if (row < m) {
                int x0 = row * k;
                int x1 = Math.min(row + 1, m - 1) * k;
                int x2 = Math.min(row + 2, m - 1) * k;
                int x3 = Math.min(row + 3, m - 1) * k;
                for (int i = lane; i < k; i += LANES) {
                    float v = weight.get(w + i);
                    s0 += x.get(x0 + i) * v;
                    s1 += x.get(x1 + i) * v;
                    s2 += x.get(x2 + i) * v;
                    s3 += x.get(x3 + i) * v;
                }
            }
            partial[at + rows * STRIDE] = s0;
            partial[at + (rows + 1) * STRIDE] = s1;
            partial[at + (rows + 2) * STRIDE] = s2;
            partial[at + (rows + 3) * STRIDE] = s3;
        }
        context.localBarrier();
        if (thread < FEATURES * ROWS) {
            float sum = 0f;
            for (int i = 0; i < LANES; i++) {
                sum += partial[thread * STRIDE + i];
            }
            int row = firstRow + thread % ROWS;
            int column = feature + thread / ROWS;
            if (row < m && column < n) {
                Epilogue.store(bias, layer.get(0) * n, bias, bias, out, 0, row, column, n, epilogue, 1, 0, 0, sum);
            }
        }
    }
}
