package org.tornadodit.model.cpu;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorSpecies;
import org.tornadodit.model.vae.VaeWeights.Norm;

/** GroupNorm (Wu and He, arXiv 1803.08494) of one picture, with or without SiLU after it. */
final class GroupNorm {

    private static final VectorSpecies<Float> SPECIES = TileKernel.SPECIES;
    private static final int LANES = TileKernel.LANES;

    /** Pixels whose sums are made together; fixed, so that no sum depends on the number of threads. */
    private static final int PIXELS = 256;

    private final Workers workers;
    private final int groups;
    private final double eps;

    GroupNorm(Workers workers, int groups, double eps) {
        this.workers = workers;
        this.groups = groups;
        this.eps = eps;
    }

    /** {@code out = norm(x)}, then {@code silu} of it where asked for. */
    void apply(Picture x, Norm norm, boolean silu, Picture out) {
        int channels = x.channels();
        out.resize(x.height(), x.width(), channels);
        float[] scale = norm.weight().toArray();
        float[] shift = norm.bias().toArray();
        scaleAndShift(x, scale, shift);
        workers.forEachInGroups(
                x.pixels(),
                PIXELS,
                (pixel, worker) -> applyTo(x.data(), out.data(), pixel * channels, channels, scale, shift, silu));
    }

    private static void applyTo(
            float[] x, float[] out, int at, int channels, float[] scale, float[] shift, boolean silu) {
        for (int c = 0; c < channels; c += LANES) {
            VectorMask<Float> mask = SPECIES.indexInRange(c, channels);
            FloatVector y = FloatVector.fromArray(SPECIES, x, at + c, mask)
                    .fma(
                            FloatVector.fromArray(SPECIES, scale, c, mask),
                            FloatVector.fromArray(SPECIES, shift, c, mask));
            (silu ? VectorMath.silu(y) : y).intoArray(out, at + c, mask);
        }
    }

    /** From weight and bias to what each channel is multiplied by and what is added: statistics in double. */
    private void scaleAndShift(Picture x, float[] scale, float[] shift) {
        int channels = x.channels();
        double[][] sums = sums(x);
        int size = channels / groups;
        double count = (double) size * x.pixels();
        for (int group = 0; group < groups; group++) {
            double sum = 0;
            double squares = 0;
            for (double[] part : sums) {
                for (int c = group * size; c < (group + 1) * size; c++) {
                    sum += part[c];
                    squares += part[channels + c];
                }
            }
            double mean = sum / count;
            double inverse = 1 / Math.sqrt(Math.max(0, squares / count - mean * mean) + eps);
            for (int c = group * size; c < (group + 1) * size; c++) {
                double factor = scale[c] * inverse;
                scale[c] = (float) factor;
                shift[c] = (float) (shift[c] - mean * factor);
            }
        }
    }

    /** For each part of the picture: each channel's sum, then each channel's sum of squares. */
    private double[][] sums(Picture x) {
        int channels = x.channels();
        double[][] sums = new double[Math.ceilDiv(x.pixels(), PIXELS)][2 * channels];
        workers.forEach(sums.length, (part, worker) -> {
            double[] own = sums[part];
            int last = Math.min(x.pixels(), (part + 1) * PIXELS);
            for (int pixel = part * PIXELS; pixel < last; pixel++) {
                int at = pixel * channels;
                for (int c = 0; c < channels; c++) {
                    double value = x.data()[at + c];
                    own[c] += value;
                    own[channels + c] += value * value;
                }
            }
        });
        return sums;
    }
}
