package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What the decoder's kernels ask, an int array of each of its graphs: which of the layers runs whose weights lie one after
 * the other, and for how many images of those that there is room for. The host sends all of them before a pass, with the first
 * layer; {@link #next} comes at a graph's end.
 */
public final class DecoderRun {
    /** Index of the layer; 0 for a single one. */
    public static final int LAYER = 0;
    /** Index of the images. */
    public static final int IMAGES = 1;
    /** Ints of the array. */
    public static final int LENGTH = 2;

    private DecoderRun() {}

    /** The layer after this one. Launch: {@link Launch#elementwise} of 1. */
    public static void next(KernelContext context, IntArray run) {
        if (context.globalIdx == 0) {
            run.set(LAYER, run.get(LAYER) + 1);
        }
    }
}
