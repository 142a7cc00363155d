package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link LayerNorm} takes, and one of {@link PackedLayerNorm} too.
 *
 * @param step from the layer that ran before to the one that runs
 * @param batch see {@link Batch}, for N
 * @param x (N, T, D); not what is written
 * @param modulation shift and scale
 * @param samples N that there is room for
 * @param tokens T
 * @param hidden D
 */
public record LayerNormArguments(
        LayerStep step, IntArray batch, FloatArray x, Modulation modulation, int samples, int tokens, int hidden) {

    /**
     * Which layer runs, found on the device, so that one graph serves all of them.
     *
     * @param before (1): the layer that ran before
     * @param more 1 to go on to the next, 0 to stay
     * @param now (1): where the sum of both is written, for the kernels that follow; another array than {@code before}
     */
    public record LayerStep(IntArray before, int more, IntArray now) {}

    /**
     * Shift and scale: chunks of D columns of the outputs of adaLN_modulations.
     *
     * @param conditioning (N, chunks D), a layer having {@link LayerNorm#CHUNKS} chunks
     * @param shiftChunk the shift's in layer 0
     * @param scaleChunk the scale's in layer 0
     * @param chunks of a row: 6 for each block, 2 for the final layer
     */
    public record Modulation(FloatArray conditioning, int shiftChunk, int scaleChunk, int chunks) {}

    /**
     * Where {@link PackedLayerNorm} writes.
     *
     * @param operand of (N T, D), see {@link Packed}; D a multiple of 16
     * @param planes 1 or 2
     * @param overflow (layers, {@link Overflow#KINDS}): set where a value does not fit a half
     * @param kind of {@link Overflow}
     */
    public record PackedOut(IntArray operand, int planes, IntArray overflow, int kind) {}

    private int rows() {
        return samples * tokens;
    }

    /** The launch of {@link LayerNorm}. */
    public WorkerGrid grid(Variant variant) {
        return LayerNorm.grid(rows(), variant);
    }

    /**
     * Adds a task of {@link LayerNorm} to a graph.
     *
     * @param out (N, T, D)
     * @param variant of {@link LayerNorm#VARIANTS}
     */
    public TaskGraph task(TaskGraph graph, String name, FloatArray out, Variant variant) {
        return graph.task(
                name,
                LayerNorm::modulate,
                Launch.CONTEXT,
                step.before(),
                step.now(),
                batch,
                x,
                modulation.conditioning(),
                out,
                hidden,
                tokens,
                modulation.shiftChunk() * hidden,
                modulation.scaleChunk() * hidden,
                modulation.chunks() * hidden,
                step.more(),
                variant.get(LayerNorm.ROWS));
    }

    /**
     * The launch of {@link PackedLayerNorm}.
     *
     * @throws IllegalArgumentException for rows that are too long or no multiple of 16
     */
    public WorkerGrid packedGrid() {
        return PackedLayerNorm.grid(rows(), hidden);
    }

    /** Adds a task of {@link PackedLayerNorm} to a graph. */
    public TaskGraph packedTask(TaskGraph graph, String name, PackedOut out) {
        return graph.task(
                name,
                PackedLayerNorm::modulate,
                Launch.CONTEXT,
                x,
                modulation.conditioning(),
                out.operand(),
                step.before(),
                step.now(),
                batch,
                out.overflow(),
                rows(),
                hidden,
                tokens,
                modulation.shiftChunk() * hidden,
                modulation.scaleChunk() * hidden,
                modulation.chunks() * hidden,
                step.more(),
                out.planes(),
                out.kind(),
                PackedLayerNorm.warps(hidden));
    }
}
