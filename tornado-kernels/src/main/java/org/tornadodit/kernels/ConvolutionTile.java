package org.tornadodit.kernels;

/** Which kernel convolves, {@link TensorConv2d} or {@link MmaConv2d}, and how its work is cut. */
public sealed interface ConvolutionTile permits TensorConv2d.Tile, MmaConv2d.Tile {

    /** Work groups: as many as run at a time, or fewer. */
    int blocks(ConvolutionShape shape, int taps, int planes, int multiprocessors);

    /** Threads of a work group. */
    int threads();
}
