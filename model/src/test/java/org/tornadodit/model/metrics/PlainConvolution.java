package org.tornadodit.model.metrics;

import org.tornadodit.model.Tensor;

/** The convolution as its definition has it, in double precision. */
final class PlainConvolution {

    private PlainConvolution() {}

    static FeatureConvolution.Layer layer(Tensor weight, Tensor bias) {
        float[] w = weight.toArray();
        int channels = (int) weight.shape().dim(1);
        return (in, out) -> {
            for (int y = out.firstRow(); y < out.firstRow() + out.rows(); y++) {
                for (int x = 0; x < out.width(); x++) {
                    for (int o = 0; o < out.channels(); o++) {
                        double sum = bias.get(o);
                        for (int c = 0; c < channels; c++) {
                            for (int tap = 0; tap < 9; tap++) {
                                int from = in.index(y + tap / 3 - 1, x + tap % 3 - 1);
                                sum += (double) w[(o * channels + c) * 9 + tap] * in.data()[from + c];
                            }
                        }
                        out.data()[out.index(y, x) + o] = (float) Math.max(0, sum);
                    }
                }
            }
        };
    }
}
