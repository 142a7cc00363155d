package org.tornadodit.model.cpu;

import org.tornadodit.model.Tensor;
import org.tornadodit.model.metrics.FeatureConvolution;
import org.tornadodit.model.metrics.FeatureMap;

/**
 * A 3 x 3 convolution as one product over the unfolded input (im2col): for any number of channels, and the oracle of
 * {@link WinogradLayer}.
 */
final class UnfoldedLayer implements FeatureConvolution.Layer {

    private static final int KERNEL = 3;
    private static final int TAPS = KERNEL * KERNEL;
    /** Pixels unfolded at once. */
    private static final int CHUNK = 192;

    private final MatrixProduct product = new PanelProduct();
    private final PackedMatrix right = new PackedMatrix();
    private final Workers workers;
    private final float[] bias;
    private final int in;

    UnfoldedLayer(Workers workers, Tensor weight, Tensor bias) {
        this.workers = workers;
        this.bias = bias.toArray();
        in = (int) weight.shape().dim(1);
        right.resize(in * TAPS, this.bias.length);
        float[] scratch = {};
        for (int panel = 0; panel < right.panels(); panel++) {
            scratch = right.packWeight(panel, weight.data(), 1, scratch);
        }
    }

    @Override
    public void apply(FeatureMap input, FeatureMap output) {
        int width = output.width();
        int chunks = Math.ceilDiv(output.rows() * width, CHUNK);
        float[][] unfolded = new float[workers.threads()][CHUNK * in * TAPS];
        float[][] sums = new float[workers.threads()][CHUNK * bias.length];
        workers.forEach(chunks, (chunk, worker) -> {
            int first = chunk * CHUNK;
            int pixels = Math.min(CHUNK, output.rows() * width - first);
            for (int i = 0; i < pixels; i++) {
                int y = output.firstRow() + (first + i) / width;
                unfold(input, y, (first + i) % width, unfolded[worker], i * in * TAPS);
            }
            product.multiply(
                    MatrixProduct.Left.matrix(unfolded[worker], 0, in * TAPS),
                    pixels,
                    right,
                    new MatrixProduct.Output(sums[worker], 0, bias.length));
            for (int i = 0; i < pixels; i++) {
                int to = output.index(output.firstRow() + (first + i) / width, (first + i) % width);
                for (int c = 0; c < bias.length; c++) {
                    output.data()[to + c] = Math.max(0f, sums[worker][i * bias.length + c] + bias[c]);
                }
            }
        });
    }

    /** The pixel's neighbourhood in the order of a weight: channel, row, column. */
    private void unfold(FeatureMap input, int y, int x, float[] to, int at) {
        for (int row = 0; row < KERNEL; row++) {
            for (int column = 0; column < KERNEL; column++) {
                int from = input.index(y + row - 1, x + column - 1);
                for (int c = 0; c < in; c++) {
                    to[at + c * TAPS + row * KERNEL + column] = input.data()[from + c];
                }
            }
        }
    }
}
