package org.tornadodit.kernels;

import org.tornadodit.kernels.WarpgroupAttention.Tiling;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link WarpgroupAttention} takes.
 *
 * @param qkv heads (see {@link Packed}) of q, k, v, not scaled
 * @param out operand (see {@link Packed}) of (N * T, H * hd)
 * @param layer (1): the number of the layer, for {@code overflow}
 * @param batch see {@link Batch}, for N
 * @param overflow (layers, {@link Overflow#KINDS}): set where a value does not fit a half
 * @param shape T, a multiple of 8; H and hd with H * hd a multiple of 16, hd one of 8 up to
 *     {@link WarpgroupAttention#MAX_HEAD_SIZE}
 * @param planes 1 or 2
 * @param tiling how the work is cut
 * @param blocks work groups, see {@link WarpgroupAttention#blocks}
 */
public record WarpgroupAttentionArguments(
        IntArray qkv,
        IntArray out,
        IntArray layer,
        IntArray batch,
        IntArray overflow,
        AttentionShape shape,
        int planes,
        Tiling tiling,
        int blocks) {

    /**
     * The launch.
     *
     * @throws IllegalArgumentException for sizes that the kernel does not take
     */
    public WorkerGrid grid() {
        return WarpgroupAttention.grid(shape, planes, tiling, blocks);
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return graph.task(
                name,
                WarpgroupAttention::attention,
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
                tiling.consumers(),
                tiling.keys(),
                tiling.stages(),
                tiling.held(),
                tiling.turns(),
                blocks);
    }
}
