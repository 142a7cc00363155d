package org.tornadodit.kernels.ptx.tutorial;

import java.util.SplittableRandom;
import org.tornadodit.kernels.Packed;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What all steps compute: {@code C (M, N) = A (M, K) B (N, K)^T}, as torch.nn.Linear does with its weight B. */
record Problem(int m, int n, int k, FloatArray a, FloatArray b) {
    private static final long SEED = 20261127;

    /** Normal numbers, always the same. */
    static Problem of(int m, int n, int k) {
        SplittableRandom random = new SplittableRandom(SEED);
        return new Problem(m, n, k, normals(random, m * k), normals(random, n * k));
    }

    static FloatArray normals(SplittableRandom random, int size) {
        FloatArray array = new FloatArray(size);
        for (int i = 0; i < size; i++) {
            array.set(i, (float) random.nextGaussian());
        }
        return array;
    }

    /** The plain reference, in double precision. */
    double[] reference() {
        double[] c = new double[m * n];
        for (int row = 0; row < m; row++) {
            for (int column = 0; column < n; column++) {
                for (int i = 0; i < k; i++) {
                    c[row * n + column] += (double) a.get(row * k + i) * b.get(column * k + i);
                }
            }
        }
        return c;
    }

    /** Asserts {@code ||c - reference|| / ||reference|| <= bound}, and prints what it is. */
    void check(String step, FloatArray c, double[] reference, double bound) {
        TensorAssert.assertRelativeError(step, Shape.of(m, n), c.toHeapArray(), reference, bound);
    }

    /** A matrix (rows, columns) as tensor cores read it: halves in 8x8 matrices, one plane. */
    static IntArray packed(FloatArray matrix, int rows, int columns) {
        IntArray packed = new IntArray(Packed.size(rows, columns, 1));
        for (int i = 0; i < rows * columns; i += 2) {
            int index = Packed.index(i / columns, i % columns, Packed.paddedRows(rows), 1);
            packed.set(index, Packed.high(matrix.get(i), matrix.get(i + 1)));
        }
        return packed;
    }

    /** Executes a graph once. */
    static void execute(TaskGraph graph, GridScheduler grids) throws TornadoExecutionPlanException {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(grids).execute();
        }
    }
}
