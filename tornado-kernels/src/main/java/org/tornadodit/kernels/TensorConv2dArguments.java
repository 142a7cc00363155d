package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link TensorConv2d} or {@link MmaConv2d} takes; which one, {@code tile} says.
 *
 * @param run see {@link DecoderRun}: the layer, and the images, of which tiles are made
 * @param map {@link PackedMap} of (N, H, W, C)
 * @param weight {@link ConvolutionWeights}
 * @param bias for each layer O biases, what the product is multiplied by to undo scales of weights and map, and what makes
 *     it {@link ConvolutionWeights#biases} floats
 * @param weightAt index of the first layer's first weight
 * @param biasAt index of the first layer's first bias, even
 * @param residual as {@code out}, for {@link Epilogue#RESIDUAL}, else any array
 * @param out (N, H, W, O), or (N, 2 H, 2 W, O) with two taps a side; residual may be the same array
 * @param shape N that there is room for; H and W of the map; C a multiple of 16, O even
 * @param taps a side: 3; 1; or 2 for a 3 x 3 convolution of the doubled image
 * @param planes 1, or 2 for FP32's accuracy
 * @param epilogue {@link Epilogue#BIAS} or {@link Epilogue#RESIDUAL}
 * @param tile how the work is cut
 * @param blocks work groups, see {@link ConvolutionTile#blocks}
 */
public record TensorConv2dArguments(
        IntArray run,
        IntArray map,
        IntArray weight,
        FloatArray bias,
        FloatArray residual,
        FloatArray out,
        int weightAt,
        int biasAt,
        ConvolutionShape shape,
        int taps,
        int planes,
        int epilogue,
        ConvolutionTile tile,
        int blocks) {

    /** The launch. */
    public WorkerGrid grid() {
        return Launch.groups(blocks, tile.threads());
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return switch (tile) {
            case TensorConv2d.Tile _ ->
                graph.task(
                        name,
                        TensorConv2d::conv,
                        Launch.CONTEXT,
                        run,
                        map,
                        weight,
                        bias,
                        residual,
                        out,
                        weightAt,
                        biasAt,
                        shape.n(),
                        shape.height(),
                        shape.width(),
                        shape.channels(),
                        shape.outChannels(),
                        taps,
                        planes,
                        epilogue,
                        blocks);
            case MmaConv2d.Tile(MmaForm form) ->
                graph.task(
                        name,
                        MmaConv2d::conv,
                        Launch.CONTEXT,
                        run,
                        map,
                        weight,
                        bias,
                        residual,
                        out,
                        weightAt,
                        biasAt,
                        shape.n(),
                        shape.height(),
                        shape.width(),
                        shape.channels(),
                        shape.outChannels(),
                        taps,
                        planes,
                        epilogue,
                        blocks,
                        form.code());
        };
    }
}
