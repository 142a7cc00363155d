package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link Linear} takes: one product, or one for each matrix of a stack.
 *
 * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
 * @param batch see {@link Batch}: rows from its passes times {@code after.rowsPerPass} on mean nothing, and tiles of such
 *     rows alone are left out
 * @param x (M, K), of each matrix
 * @param weight (layers, N, K) as PyTorch keeps it, of each matrix
 * @param bias (layers, N) or, for {@link Epilogue#BIAS_ROW}, (M); any array where there is none
 * @param out (M, N), of each matrix
 * @param shape of each product
 * @param after what becomes of the product
 * @param stack of matrices, {@link Stack#ONE} for one
 */
public record LinearArguments(
        IntArray layer,
        IntArray batch,
        FloatArray x,
        FloatArray weight,
        FloatArray bias,
        FloatArray out,
        ProductShape shape,
        After after,
        Stack stack) {

    /**
     * What a product does to its sums; made by its methods.
     *
     * @param epilogue of {@link Epilogue}
     * @param residual (M, N) or a table, any array where the epilogue has none
     * @param gate (passes, chunks N), any array where the epilogue has none
     * @param chunk the gate's in layer 0, of a row's chunks of N columns
     * @param chunks of a row of the gate's array, {@link LayerNorm#CHUNKS} for each layer
     * @param rowsPerPass rows that share a row of the gate, or rows of the table
     */
    public record After(int epilogue, FloatArray residual, FloatArray gate, int chunk, int chunks, int rowsPerPass) {

        /**
         * An epilogue that reads no more than a bias.
         *
         * @param unread stands for the arrays that it does not read
         */
        public static After of(int epilogue, FloatArray unread, int rowsPerPass) {
            return new After(epilogue, unread, unread, 0, 0, rowsPerPass);
        }

        /** Adds the rows of {@code table} (rowsPerPass, N), over and over. */
        public static After addTable(FloatArray table, FloatArray unread, int rowsPerPass) {
            return new After(Epilogue.ADD_TABLE, table, unread, 0, 0, rowsPerPass);
        }

        /** Adds to {@code residual} (M, N), which may be the output. */
        public static After residual(FloatArray residual, FloatArray unread, int rowsPerPass) {
            return new After(Epilogue.RESIDUAL, residual, unread, 0, 0, rowsPerPass);
        }

        /** Adds, times a gate, to {@code residual} (M, N), which may be the output. */
        public static After gateResidual(FloatArray residual, FloatArray gate, int chunk, int chunks, int rowsPerPass) {
            return new After(Epilogue.GATE_RESIDUAL, residual, gate, chunk, chunks, rowsPerPass);
        }
    }

    /**
     * Where the matrices of a stack lie.
     *
     * @param count matrices
     * @param xStride floats from one matrix of x to the next; 0 where all share one
     * @param weightStride of the weight
     * @param outStride of the output
     */
    public record Stack(int count, int xStride, int weightStride, int outStride) {
        /** A single product. */
        public static final Stack ONE = new Stack(1, 0, 0, 0);
    }

    /** The launch. */
    public WorkerGrid grid() {
        return Linear.grid(shape.m(), shape.n(), stack.count());
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return graph.task(
                name,
                Linear::linear,
                Launch.CONTEXT,
                layer,
                batch,
                x,
                weight,
                bias,
                after.residual(),
                after.gate(),
                out,
                shape.m(),
                shape.n(),
                shape.k(),
                after.epilogue(),
                after.rowsPerPass(),
                after.chunk() * shape.n(),
                after.chunks() * shape.n(),
                stack.xStride(),
                stack.weightStride(),
                stack.outStride());
    }
}
