package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link LinearFewRows} takes.
 *
 * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
 * @param batch see {@link Batch}: the rows that count are its passes
 * @param x (M, K)
 * @param weight (layers, N, K)
 * @param bias (layers, N)
 * @param out (M, N)
 * @param shape M being the passes that there is room for
 * @param epilogue {@link Epilogue#BIAS}, {@link Epilogue#BIAS_SILU} or {@link Epilogue#NONE}
 * @param variant of {@link LinearFewRows#variants}
 */
public record LinearFewRowsArguments(
        IntArray layer,
        IntArray batch,
        FloatArray x,
        FloatArray weight,
        FloatArray bias,
        FloatArray out,
        ProductShape shape,
        int epilogue,
        Variant variant) {

    /** The launch. */
    public WorkerGrid grid() {
        return LinearFewRows.grid(shape.m(), shape.n(), variant);
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return graph.task(
                name,
                LinearFewRows::linear,
                Launch.CONTEXT,
                layer,
                batch,
                x,
                weight,
                bias,
                out,
                shape.n(),
                shape.k(),
                epilogue,
                variant.get(LinearFewRows.WARPS),
                variant.get(LinearFewRows.TOGETHER),
                variant.get(LinearFewRows.ROWS));
    }
}
