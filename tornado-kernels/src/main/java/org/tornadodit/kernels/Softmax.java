package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.math.TornadoMath;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Softmax along rows, for the attention in the middle of the VAE decoder: one head as wide as its channels, for which
 * the scores of one image are two products of {@link Linear} with this between them. A work group takes a row.
 */
public final class Softmax {
    private static final int THREADS = 256;

    private Softmax() {}

    /** The launch for {@code rows} rows. */
    public static WorkerGrid grid(int rows) {
        return Launch.groups(rows, THREADS);
    }

    /**
     * {@code softmax(scale * x)} of every row, in place.
     *
     * @param x (rows, columns)
     */
    public static void softmax(KernelContext context, FloatArray x, int columns, float scale) {
        float[] partial = context.allocateFloatLocalArray(THREADS);
        int thread = context.localIdx;
        int base = context.groupIdx * columns;
        float highest = -1e30f;
        for (int i = thread; i < columns; i += THREADS) {
            highest = TornadoMath.max(highest, scale * x.get(base + i));
        }
        partial[thread] = highest;
        context.localBarrier();
        for (int half = THREADS / 2; half > 0; half = half / 2) {
            if (thread < half) {
                partial[thread] = TornadoMath.max(partial[thread], partial[thread + half]);
            }
            context.localBarrier();
        }
        highest = partial[0];
        context.localBarrier();
        float sum = 0f;
        for (int i = thread; i < columns; i += THREADS) {
            float e = TornadoMath.exp(scale * x.get(base + i) - highest);
            x.set(base + i, e);
            sum += e;
        }
        partial[thread] = sum;
        context.localBarrier();
        for (int half = THREADS / 2; half > 0; half = half / 2) {
            if (thread < half) {
                partial[thread] = partial[thread] + partial[thread + half];
            }
            context.localBarrier();
        }
        float inverse = 1f / partial[0];
        for (int i = thread; i < columns; i += THREADS) {
            x.set(base + i, x.get(base + i) * inverse);
        }
    }

    /** The float64 value of one element, from the scores before {@link #softmax}. */
    public static double reference(FloatArray x, int columns, float scale, int row, int column) {
        double highest = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < columns; i++) {
            highest = Math.max(highest, (double) scale * x.get(row * columns + i));
        }
        double sum = 0;
        for (int i = 0; i < columns; i++) {
            sum += Math.exp((double) scale * x.get(row * columns + i) - highest);
        }
        return Math.exp((double) scale * x.get(row * columns + column) - highest) / sum;
    }
}
