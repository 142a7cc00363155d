package org.tornadodit.model.metrics;

import org.tornadodit.model.Tensor;

/** Where LPIPS' convolutions run: 3 x 3, stride 1, zero padding of 1, followed by ReLU. */
public interface FeatureConvolution {

    /**
     * Prepares a layer, for any number of uses.
     *
     * @param weight (out, in, 3, 3)
     * @param bias (out)
     */
    Layer layer(Tensor weight, Tensor bias);

    /** A prepared layer. */
    @FunctionalInterface
    interface Layer {
        /**
         * Computes all rows that {@code out} has taken on.
         *
         * @param in (in, H, W): holds those rows, and one more each way except at the edges of the image
         * @param out (out, H, W)
         */
        void apply(FeatureMap in, FeatureMap out);
    }
}
