package org.tornadodit.kernels;

/**
 * What the host tells the decoder's kernels before each graph, an int array: which of the layers runs whose weights lie one
 * after the other, and for how many images of those that there is room for.
 */
public final class DecoderRun {
    /** Index of the layer; 0 for a single one. */
    public static final int LAYER = 0;
    /** Index of the images. */
    public static final int IMAGES = 1;
    /** Ints of the array. */
    public static final int LENGTH = 2;

    private DecoderRun() {}
}
