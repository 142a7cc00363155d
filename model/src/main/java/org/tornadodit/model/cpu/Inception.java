package org.tornadodit.model.cpu;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.metrics.InceptionWeights;
import org.tornadodit.model.metrics.PictureFeatures;

/**
 * Inception v3 as FID uses it, on the CPU: C. Szegedy et al., arXiv 1512.00567; average pools leave out the padding, the last
 * block takes a maximum. Pictures are shared out among the threads. Activations are (H, W, C).
 */
public final class Inception {
    /** Pictures are resized to so many pixels a side. */
    private static final int SIDE = 299;

    private static final int CHANNELS = 3;
    private static final float MIDDLE = 128;
    /** Channels of Mixed_6d's first branch that are the spatial features. */
    private static final int SPATIAL_CHANNELS = 7;

    private final Workers workers;
    private final Map<String, Layer> layers = new HashMap<>();
    private final PackedMatrix classifier = new PackedMatrix();

    /** @param workers threads to use; not closed here */
    public Inception(InceptionWeights weights, Workers workers) {
        this.workers = workers;
        weights.convolutions().forEach((name, convolution) -> layers.put(name, new Layer(convolution)));
        classifier.resize(InceptionWeights.POOLED, InceptionWeights.CLASSES);
        float[] scratch = {};
        for (int panel = 0; panel < classifier.panels(); panel++) {
            scratch = classifier.packWeight(panel, weights.classifier().data(), 1, scratch);
        }
    }

    /** Bytes that it takes besides the weights, for a thread. */
    public static long bytesOfThread() {
        return 64L << 20;
    }

    /**
     * The features of some pictures.
     *
     * @param pictures (N, height, width, 3), levels 0 to 255
     * @param count N
     * @param into takes them from picture {@code first} on
     */
    public void compute(byte[] pictures, int count, int height, int width, PictureFeatures into, int first) {
        workers.forEach(count, (picture, worker) -> {
            Map3d input = resized(pictures, picture * height * width * CHANNELS, height, width);
            compute(input, into, first + picture);
        });
    }

    private void compute(Map3d picture, PictureFeatures into, int place) {
        Map3d x = layer("Conv2d_1a_3x3", picture);
        x = maximum(layer("Conv2d_2b_3x3", layer("Conv2d_2a_3x3", x)), 2, 0);
        x = maximum(layer("Conv2d_4a_3x3", layer("Conv2d_3b_1x1", x)), 2, 0);
        x = blockA("Mixed_5d.", blockA("Mixed_5c.", blockA("Mixed_5b.", x)));
        x = joined(layer("Mixed_6a.branch3x3", x), chain("Mixed_6a.branch3x3dbl_", x, "1", "2", "3"), maximum(x, 2, 0));
        x = blockC("Mixed_6d.", blockC("Mixed_6c.", blockC("Mixed_6b.", x)));
        float[] spatial = new float[x.pixels() * SPATIAL_CHANNELS];
        for (int pixel = 0; pixel < x.pixels(); pixel++) {
            System.arraycopy(x.data, pixel * x.channels, spatial, pixel * SPATIAL_CHANNELS, SPATIAL_CHANNELS);
        }
        x = blockC("Mixed_6e.", x);
        x = joined(
                chain("Mixed_7a.branch3x3_", x, "1", "2"),
                chain("Mixed_7a.branch7x7x3_", x, "1", "2", "3", "4"),
                maximum(x, 2, 0));
        x = blockE("Mixed_7b.", x, average(x));
        x = blockE("Mixed_7c.", x, maximum(x, 1, 1));
        float[] pooled = pooled(x);
        into.set(place, pooled, spatial, probabilities(pooled));
    }

    private Map3d blockA(String block, Map3d x) {
        return joined(
                layer(block + "branch1x1", x),
                chain(block + "branch5x5_", x, "1", "2"),
                chain(block + "branch3x3dbl_", x, "1", "2", "3"),
                layer(block + "branch_pool", average(x)));
    }

    private Map3d blockC(String block, Map3d x) {
        return joined(
                layer(block + "branch1x1", x),
                chain(block + "branch7x7_", x, "1", "2", "3"),
                chain(block + "branch7x7dbl_", x, "1", "2", "3", "4", "5"),
                layer(block + "branch_pool", average(x)));
    }

    private Map3d blockE(String block, Map3d x, Map3d pool) {
        Map3d single = layer(block + "branch3x3_1", x);
        Map3d twice = chain(block + "branch3x3dbl_", x, "1", "2");
        return joined(
                layer(block + "branch1x1", x),
                layer(block + "branch3x3_2a", single),
                layer(block + "branch3x3_2b", single),
                layer(block + "branch3x3dbl_3a", twice),
                layer(block + "branch3x3dbl_3b", twice),
                layer(block + "branch_pool", pool));
    }

    private Map3d chain(String branch, Map3d x, String... steps) {
        Map3d result = x;
        for (String step : steps) {
            result = layer(branch + step, result);
        }
        return result;
    }

    private Map3d layer(String name, Map3d x) {
        @Nullable Layer layer = layers.get(name);
        if (layer == null) {
            throw new IllegalArgumentException("no convolution " + name);
        }
        return layer.apply(x);
    }

    /** Activations (height, width, channels). */
    private static final class Map3d {
        final int height;
        final int width;
        final int channels;
        final float[] data;

        Map3d(int height, int width, int channels) {
            this.height = height;
            this.width = width;
            this.channels = channels;
            this.data = new float[height * width * channels];
        }

        int pixels() {
            return height * width;
        }

        int index(int row, int column) {
            return (row * width + column) * channels;
        }

        /** With zeros around. */
        Map3d padded(int rows, int columns) {
            if (rows == 0 && columns == 0) {
                return this;
            }
            Map3d wide = new Map3d(height + 2 * rows, width + 2 * columns, channels);
            for (int y = 0; y < height; y++) {
                System.arraycopy(data, index(y, 0), wide.data, wide.index(y + rows, columns), width * channels);
            }
            return wide;
        }
    }

    /** A convolution and ReLU: a product whose left rows lie in the padded input, a piece for each tap. */
    private static final class Layer {
        private final MatrixProduct product = new PanelProduct();
        private final PackedMatrix right = new PackedMatrix();
        private final InceptionWeights.Convolution convolution;
        private final float[] bias;
        private final int rows;
        private final int columns;

        Layer(InceptionWeights.Convolution convolution) {
            this.convolution = convolution;
            this.bias = convolution.bias().toArray();
            int in = (int) convolution.weight().shape().dim(1);
            rows = (int) convolution.weight().shape().dim(2);
            columns = (int) convolution.weight().shape().dim(3);
            right.resize(in * rows * columns, bias.length);
            float[] scratch = {};
            for (int panel = 0; panel < right.panels(); panel++) {
                scratch = right.packWeight(panel, convolution.weight().data(), rows * columns, scratch);
            }
        }

        Map3d apply(Map3d x) {
            Map3d input =
                    x.padded(convolution.padding().rows(), convolution.padding().columns());
            int stride = convolution.stride();
            Map3d result =
                    new Map3d((input.height - rows) / stride + 1, (input.width - columns) / stride + 1, bias.length);
            MatrixProduct.Left left = new MatrixProduct.Left(
                    input.data,
                    rows * columns,
                    (row, tap) -> input.index(
                            row / result.width * stride + tap / columns, row % result.width * stride + tap % columns));
            product.multiply(left, result.pixels(), right, new MatrixProduct.Output(result.data, 0, bias.length));
            for (int pixel = 0; pixel < result.pixels(); pixel++) {
                int at = pixel * bias.length;
                for (int c = 0; c < bias.length; c++) {
                    result.data[at + c] = Math.max(0f, result.data[at + c] + bias[c]);
                }
            }
            return result;
        }
    }

    private static Map3d joined(Map3d... parts) {
        int channels = 0;
        for (Map3d part : parts) {
            channels += part.channels;
        }
        Map3d whole = new Map3d(parts[0].height, parts[0].width, channels);
        int at = 0;
        for (Map3d part : parts) {
            for (int pixel = 0; pixel < part.pixels(); pixel++) {
                System.arraycopy(part.data, pixel * part.channels, whole.data, pixel * channels + at, part.channels);
            }
            at += part.channels;
        }
        return whole;
    }

    private static Map3d maximum(Map3d x, int stride, int padding) {
        Map3d result = new Map3d(
                (x.height + 2 * padding - 3) / stride + 1, (x.width + 2 * padding - 3) / stride + 1, x.channels);
        pool(x, result, stride, padding, false);
        return result;
    }

    /** Over the pixels that there are. */
    private static Map3d average(Map3d x) {
        Map3d result = new Map3d(x.height, x.width, x.channels);
        pool(x, result, 1, 1, true);
        return result;
    }

    /** 3 x 3. Activations are not negative, so that a maximum may begin at 0. */
    private static void pool(Map3d x, Map3d result, int stride, int padding, boolean mean) {
        for (int row = 0; row < result.height; row++) {
            for (int column = 0; column < result.width; column++) {
                int to = result.index(row, column);
                int count = 0;
                for (int y = Math.max(0, row * stride - padding);
                        y < Math.min(x.height, row * stride - padding + 3);
                        y++) {
                    for (int c = Math.max(0, column * stride - padding);
                            c < Math.min(x.width, column * stride - padding + 3);
                            c++) {
                        int from = x.index(y, c);
                        count++;
                        for (int i = 0; i < x.channels; i++) {
                            result.data[to + i] = mean
                                    ? result.data[to + i] + x.data[from + i]
                                    : Math.max(result.data[to + i], x.data[from + i]);
                        }
                    }
                }
                for (int i = 0; mean && i < x.channels; i++) {
                    result.data[to + i] /= count;
                }
            }
        }
    }

    private static float[] pooled(Map3d x) {
        float[] sums = new float[x.channels];
        for (int pixel = 0; pixel < x.pixels(); pixel++) {
            for (int c = 0; c < x.channels; c++) {
                sums[c] += x.data[pixel * x.channels + c];
            }
        }
        for (int c = 0; c < x.channels; c++) {
            sums[c] /= x.pixels();
        }
        return sums;
    }

    private float[] probabilities(float[] pooled) {
        float[] logits = new float[InceptionWeights.CLASSES];
        new PanelProduct()
                .multiply(
                        MatrixProduct.Left.matrix(pooled, 0, pooled.length),
                        1,
                        classifier,
                        new MatrixProduct.Output(logits, 0, logits.length));
        float most = Float.NEGATIVE_INFINITY;
        for (float logit : logits) {
            most = Math.max(most, logit);
        }
        double sum = 0;
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.exp(logits[i] - most);
            sum += logits[i];
        }
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) (logits[i] / sum);
        }
        return logits;
    }

    /** TensorFlow 1's bilinear interpolation, whose pixel i lies at i H / 299, and then (x - 128) / 128. */
    private static Map3d resized(byte[] levels, int at, int height, int width) {
        Map3d result = new Map3d(SIDE, SIDE, CHANNELS);
        float down = (float) height / SIDE;
        float across = (float) width / SIDE;
        for (int row = 0; row < SIDE; row++) {
            int y0 = (int) (row * down);
            int y1 = Math.min(y0 + 1, height - 1);
            float fy = row * down - y0;
            for (int column = 0; column < SIDE; column++) {
                int x0 = (int) (column * across);
                int x1 = Math.min(x0 + 1, width - 1);
                float fx = column * across - x0;
                for (int c = 0; c < CHANNELS; c++) {
                    float top = between(levels, at + c, y0 * width + x0, y0 * width + x1, fx);
                    float bottom = between(levels, at + c, y1 * width + x0, y1 * width + x1, fx);
                    result.data[result.index(row, column) + c] = (top + (bottom - top) * fy - MIDDLE) / MIDDLE;
                }
            }
        }
        return result;
    }

    private static float between(byte[] levels, int at, int left, int right, float part) {
        int first = levels[at + left * CHANNELS] & 0xff;
        int second = levels[at + right * CHANNELS] & 0xff;
        return first + (second - first) * part;
    }
}
