package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * x_embedder and pos_embed for patches of few features: a product whose sums are so short that all of them are at hand from the
 * start, and whose time is that of its output. A work group makes eight rows of 128 columns, a thread a column of them: many small groups,
 * whose reads hide one another's latency. Sums have the order, and so the bits, of {@link Linear}.
 */
public final class PatchEmbedding {
    /** Features that a patch may have; {@link Linear} is there for more. */
    public static final int LONGEST = 32;

    private static final int ROWS = 8;
    private static final int COLUMNS = 128;

    /** One float more than the columns, so that features of a column are in different banks. */
    private static final int STRIDE = COLUMNS + 1;

    /** Reads of a thread that are under way together. */
    private static final int TOGETHER = 4;

    private PatchEmbedding() {}

    /** The launch for {@code rows} rows of n columns. */
    public static WorkerGrid grid(int rows, int n) {
        return Launch.groups(Launch.ceilDiv(rows, ROWS) * Launch.ceilDiv(n, COLUMNS), COLUMNS);
    }

    /** What it is called in tables. */
    public static OperationShape operation(int rows, int n, int k) {
        return OperationShape.of("patchEmbedding", rows, n, k);
    }

    /**
     * {@code out(N T, n) = positions(T, n) + (patches(N T, k) W(n, k)^T + bias(n))}.
     *
     * @param batch see {@link Batch}, for N
     * @param k {@link #LONGEST} at most
     * @param tokens T
     */
    public static void embed(
            KernelContext context,
            IntArray batch,
            FloatArray patches,
            FloatArray weight,
            FloatArray bias,
            FloatArray positions,
            FloatArray out,
            int n,
            int k,
            int tokens) {
        float[] weights = context.allocateFloatLocalArray(k * STRIDE);
        float[] rows = context.allocateFloatLocalArray(k * ROWS);
        int thread = context.localIdx;
        int m = batch.get(Batch.PASSES) * tokens;
        int columnTiles = (n + COLUMNS - 1) / COLUMNS;
        int row = context.groupIdx / columnTiles * ROWS;
        int firstColumn = context.groupIdx % columnTiles * COLUMNS;
        if (row < m) {
            int column = Math.min(firstColumn + thread, n - 1);
            // All that comes from memory is asked for before anything is waited for.
            float p0 = positions.get(row % tokens * n + column);
            float p1 = positions.get((row + 1) % tokens * n + column);
            float p2 = positions.get((row + 2) % tokens * n + column);
            float p3 = positions.get((row + 3) % tokens * n + column);
            float p4 = positions.get((row + 4) % tokens * n + column);
            float p5 = positions.get((row + 5) % tokens * n + column);
            float p6 = positions.get((row + 6) % tokens * n + column);
            float p7 = positions.get((row + 7) % tokens * n + column);
            float biasAt = bias.get(column);
            for (int i = thread; i < ROWS * k; i += COLUMNS) {
                rows[i % k * ROWS + i / k] = patches.get(Math.min(row + i / k, m - 1) * k + i % k);
            }
            int last = (n - firstColumn) * k - 1;
            for (int part = 0; part < k; part += TOGETHER) {
                int a = part * COLUMNS + thread;
                int b = Math.min(part + 1, k - 1) * COLUMNS + thread;
                int c = Math.min(part + 2, k - 1) * COLUMNS + thread;
                int d = Math.min(part + 3, k - 1) * COLUMNS + thread;
                float w0 = weight.get(firstColumn * k + Math.min(a, last));
                float w1 = weight.get(firstColumn * k + Math.min(b, last));
                float w2 = weight.get(firstColumn * k + Math.min(c, last));
                float w3 = weight.get(firstColumn * k + Math.min(d, last));
                weights[a % k * STRIDE + a / k] = w0;
                weights[b % k * STRIDE + b / k] = w1;
                weights[c % k * STRIDE + c / k] = w2;
                weights[d % k * STRIDE + d / k] = w3;
            }
            context.localBarrier();
            float s0 = 0f;
            float s1 = 0f;
            float s2 = 0f;
            float s3 = 0f;
            float s4 = 0f;
            float s5 = 0f;
            float s6 = 0f;
            float s7 = 0f;
            for (int i = 0; i < k; i++) {
                float w = weights[i * STRIDE + thread];
                int at = i * ROWS;
                s0 += rows[at] * w;
                s1 += rows[at + 1] * w;
                s2 += rows[at + 2] * w;
                s3 += rows[at + 3] * w;
                s4 += rows[at + 4] * w;
                s5 += rows[at + 5] * w;
                s6 += rows[at + 6] * w;
                s7 += rows[at + 7] * w;
            }
            int at = row * n + column;
            if (firstColumn + thread < n) {
                // spotless:off
                out.set(at, p0 + (s0 + biasAt));
                if (row + 1 < m) { out.set(at + n, p1 + (s1 + biasAt)); }
                if (row + 2 < m) { out.set(at + 2 * n, p2 + (s2 + biasAt)); }
                if (row + 3 < m) { out.set(at + 3 * n, p3 + (s3 + biasAt)); }
                if (row + 4 < m) { out.set(at + 4 * n, p4 + (s4 + biasAt)); }
                if (row + 5 < m) { out.set(at + 5 * n, p5 + (s5 + biasAt)); }
                if (row + 6 < m) { out.set(at + 6 * n, p6 + (s6 + biasAt)); }
                if (row + 7 < m) { out.set(at + 7 * n, p7 + (s7 + biasAt)); }
                // spotless:on
            }
        }
    }
}
