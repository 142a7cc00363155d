package org.tornadodit.kernels;

import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link WarpgroupAttention} or {@link MmaAttention} takes; which one, {@code tiling} says.
 *
 * @param qkv heads (see {@link Packed}) of q, k, v, not scaled; k and v of one layer after the other where they are kept; queries
 *     that are not asked for are not read
 * @param out operand (see {@link Packed}) of (N * Q, H * hd)
 * @param layer (1): the number of the layer, for {@code overflow}
 * @param batch see {@link Batch}, for N
 * @param overflow (layers, {@link Overflow#KINDS}): set where a value does not fit a half
 * @param shape T, Q and the first query, multiples of 8; H and hd with H * hd a multiple of 16, hd one of 8 up to
 *     {@link WarpgroupAttention#MAX_HEAD_SIZE}
 * @param planes 1 or 2
 * @param tiling how the work is cut
 * @param blocks work groups, see {@link AttentionTiling#blocks}
 * @param sending where {@code qkv} is what devices send to one another, and {@code out} is sent by {@link WarpgroupAttention}; else null
 */
public record TensorAttentionArguments(
        IntArray qkv,
        IntArray out,
        IntArray layer,
        IntArray batch,
        IntArray overflow,
        AttentionShape shape,
        int planes,
        int outPlanes,
        AttentionTiling tiling,
        int blocks,
        @Nullable Sending sending) {

    /**
     * The launch.
     *
     * @throws IllegalArgumentException for sizes that the kernel does not take
     */
    public WorkerGrid grid() {
        return tiling.grid(shape, planes, blocks);
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return switch (tiling) {
            case WarpgroupAttention.Tiling(int consumers, int keys, int stages, int held, int turns) ->
                graph.task(
                        name,
                        WarpgroupAttention::attention,
                        Launch.CONTEXT,
                        qkv,
                        sending == null ? out : sending.link(),
                        layer,
                        batch,
                        overflow,
                        shape.samples(),
                        shape.tokens(),
                        shape.heads(),
                        shape.headSize(),
                        planes,
                        consumers,
                        keys,
                        stages,
                        held,
                        turns,
                        blocks,
                        shape.queriesFrom(),
                        shape.queries(),
                        sending == null ? outPlanes : sending.with(outPlanes));
            case MmaAttention.Tiling(int warps, int queryTiles, int keys, int stages, int together, MmaForm form) ->
                graph.task(
                        name,
                        MmaAttention::attention,
                        Launch.CONTEXT,
                        qkv,
                        out,
                        layer,
                        batch,
                        overflow,
                        shape.samples(),
                        shape.tokens(),
                        shape.heads(),
                        shape.headSize(),
                        planes,
                        warps,
                        queryTiles,
                        keys,
                        stages,
                        together,
                        blocks,
                        form.code(),
                        shape.queriesFrom(),
                        shape.queries());
        };
    }
}
