package org.tornadodit.model.metrics;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

/** VGG16 filled from the hash that metrics.json's "vgg_rule" describes, with LPIPS' published heads. */
public final class HashedVgg {

    private HashedVgg() {}

    public static LpipsWeights weights() {
        List<LpipsWeights.Convolution> convolutions = new ArrayList<>();
        List<Tensor> heads = new ArrayList<>();
        int in = 3;
        for (int stage = 0; stage < LpipsWeights.STAGES.size(); stage++) {
            int out = LpipsWeights.CHANNELS.get(stage);
            for (int i = 0; i < LpipsWeights.STAGES.get(stage); i++) {
                int layer = convolutions.size();
                float[] weight = new float[out * in * 9];
                fill(weight, (long) layer << 32, Math.sqrt(6.0 / (9 * in)));
                float[] bias = new float[out];
                fill(bias, ((long) layer << 32) + (1L << 31), 0.05);
                convolutions.add(new LpipsWeights.Convolution(
                        Tensor.of("conv" + layer + ".weight", Shape.of(out, in, 3, 3), weight),
                        Tensor.of("conv" + layer + ".bias", Shape.of(out), bias)));
                in = out;
            }
            float[] head = MetricReferences.head(stage);
            heads.add(Tensor.of("lin" + stage, Shape.of(1, out, 1, 1), head));
        }
        return new LpipsWeights(convolutions, heads);
    }

    /** splitmix64 of the key, its upper 24 bits as a number between -bound and bound. */
    private static void fill(float[] values, long key, double bound) {
        for (int k = 0; k < values.length; k++) {
            long z = key + k + 0x9E3779B97F4A7C15L;
            z = (z ^ z >>> 30) * 0xBF58476D1CE4E5B9L;
            z = (z ^ z >>> 27) * 0x94D049BB133111EBL;
            z ^= z >>> 31;
            values[k] = (float) ((2 * ((z >>> 40) * 0x1p-24) - 1) * bound);
        }
    }
}
