package org.tornadodit.model.cpu;

import org.tornadodit.model.Tensor;
import org.tornadodit.model.metrics.FeatureConvolution;

/**
 * LPIPS' convolutions on the CPU: Winograd's algorithm for a whole network of 1.3 TFLOP an image of 2058 x 1030 pixels,
 * which saves three of four multiplications; a plain product for the three channels of the first layer.
 */
public final class CpuFeatureConvolution implements FeatureConvolution {

    private final Workers workers;

    /** @param workers threads to use; not closed here */
    public CpuFeatureConvolution(Workers workers) {
        this.workers = workers;
    }

    @Override
    public Layer layer(Tensor weight, Tensor bias) {
        boolean wholeVectors =
                weight.shape().dim(0) % TileKernel.LANES == 0 && weight.shape().dim(1) % TileKernel.LANES == 0;
        return wholeVectors ? new WinogradLayer(workers, weight, bias) : new UnfoldedLayer(workers, weight, bias);
    }
}
