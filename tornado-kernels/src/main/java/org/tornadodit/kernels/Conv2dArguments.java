package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What a launch of {@link Conv2d} takes.
 *
 * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
 * @param x (N, H, W, C), or (N, H/2, W/2, C) when scale is 2
 * @param weight (layers, O, 3, 3, C), see {@link Conv2d#channelsLast}
 * @param bias (layers, O)
 * @param residual (N, H, W, O) for {@link Epilogue#RESIDUAL}, else any array
 * @param out (N, H, W, O); residual may be the same array
 * @param shape H and W of the output
 * @param scale 1, or 2 to double the input's size first
 * @param epilogue {@link Epilogue#BIAS} or {@link Epilogue#RESIDUAL}
 */
public record Conv2dArguments(
        IntArray layer,
        FloatArray x,
        FloatArray weight,
        FloatArray bias,
        FloatArray residual,
        FloatArray out,
        ConvolutionShape shape,
        int scale,
        int epilogue) {

    /** The launch for the first images. */
    public WorkerGrid grid(int images) {
        return Conv2d.grid(images, shape.height(), shape.width(), shape.outChannels());
    }

    /** Adds the task to a graph. */
    public TaskGraph task(TaskGraph graph, String name) {
        return graph.task(
                name,
                Conv2d::conv3x3,
                Launch.CONTEXT,
                layer,
                x,
                weight,
                bias,
                residual,
                out,
                shape.n(),
                shape.height(),
                shape.width(),
                shape.channels(),
                shape.outChannels(),
                scale,
                epilogue);
    }
}
