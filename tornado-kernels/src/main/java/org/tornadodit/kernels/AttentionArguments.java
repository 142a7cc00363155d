package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link Attention} takes.
 *
 * @param batch see {@link Batch}, for N
 * @param layer (1): the number of the layer, for keys and values that are kept
 * @param qkv (N, T, 3, H, hd), as DiT's {@code attn.qkv} leaves it, or of all layers where they are kept; queries that are not
 *     asked for are not read
 * @param out (N, Q, H * hd)
 * @param shape hd a multiple of {@link Attention#HEAD_SIZE_STEP} up to {@link Attention#MAX_HEAD_SIZE}
 */
public record AttentionArguments(IntArray layer, IntArray batch, FloatArray qkv, FloatArray out, AttentionShape shape) {

    /** The launch. */
    public WorkerGrid grid() {
        return Attention.grid(shape);
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return graph.task(
                name,
                Attention::attention,
                Launch.CONTEXT,
                layer,
                batch,
                qkv,
                out,
                shape.samples(),
                shape.tokens(),
                shape.heads(),
                shape.headSize(),
                shape.queriesFrom(),
                shape.queries());
    }
}
