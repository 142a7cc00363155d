package org.tornadodit.model.metrics;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.tornadodit.model.metrics.FeatureConvolution.Layer;

/**
 * Learned perceptual image patch similarity (Zhang, Isola, Efros, Shechtman and Wang, CVPR 2018) on VGG16's activations,
 * as torchmetrics' {@code LearnedPerceptualImagePatchSimilarity(net_type='vgg', normalize=True)} has it: the distance of
 * activations that are normalised at each pixel, weighed by channel, averaged over pixels and summed over five stages.
 *
 * <p>Images go through the network in bands of rows, so that of its wide first stages only a band is held, and of the
 * others what a pooling left: see {@link #bytes}.
 */
public final class Lpips {

    /** Smallest width and height: four poolings by 2 leave one pixel. */
    public static final int MIN_SIZE = 16;

    /** What ImageNet's mean and deviation are for levels in -1 to 1: {@code ScalingLayer} in torchmetrics. */
    private static final float[] SHIFT = {-0.030f, -0.088f, -0.188f};

    private static final float[] SCALE = {0.458f, 0.448f, 0.450f};
    private static final double EPSILON = 1e-8;
    /** Rows of a stage that are computed at once; even, for the pooling. */
    private static final int BAND = 32;

    private final LpipsWeights weights;
    private final FeatureConvolution engine;

    /** @param engine where the convolutions run */
    public Lpips(LpipsWeights weights, FeatureConvolution engine) {
        this.weights = weights;
        this.engine = engine;
    }

    /** Memory in bytes that a comparison of two images of this size takes at most, besides weights and images. */
    public static long bytes(int width, int height) {
        long most = 0;
        long in = 2L * height * width * RgbImage.CHANNELS;
        for (int stage = 0; stage < LpipsWeights.STAGES.size(); stage++) {
            long w = width >> stage;
            long h = height >> stage;
            long channels = LpipsWeights.CHANNELS.get(stage);
            long bands = 2 * 2 * (BAND + 8) * w * channels;
            long pooled = 2 * (h / 2) * (w / 2) * channels;
            most = Math.max(most, in + bands + pooled);
            in = pooled;
        }
        return Float.BYTES * most;
    }

    /**
     * The distance of two images, 0 for equal ones.
     *
     * @throws IllegalArgumentException when the sizes differ, or are below {@link #MIN_SIZE}
     */
    public double compare(RgbImage baseline, RgbImage candidate) {
        if (!baseline.sameSize(candidate) || Math.min(baseline.width(), baseline.height()) < MIN_SIZE) {
            throw new IllegalArgumentException("candidate of %s, baseline of %s: LPIPS needs one size, at least %d x %d"
                    .formatted(candidate, baseline, MIN_SIZE, MIN_SIZE));
        }
        List<FeatureMap> images = List.of(input(baseline), input(candidate));
        double distance = 0;
        int next = 0;
        for (int stage = 0; stage < LpipsWeights.STAGES.size(); stage++) {
            List<Layer> layers = new ArrayList<>();
            for (int i = 0; i < LpipsWeights.STAGES.get(stage); i++) {
                LpipsWeights.Convolution convolution = weights.convolutions().get(next++);
                layers.add(engine.layer(convolution.weight(), convolution.bias()));
            }
            Stage run = new Stage(
                    images,
                    layers,
                    LpipsWeights.CHANNELS.get(stage),
                    weights.heads().get(stage).toArray());
            distance += run.distance();
            images = run.pooled();
        }
        return distance;
    }

    /** Levels scaled as the network expects them, in float32 and in torchmetrics' order. */
    private static FeatureMap input(RgbImage image) {
        FeatureMap map = new FeatureMap(image.height(), image.width(), RgbImage.CHANNELS, image.height());
        map.setRows(0, image.height());
        for (int y = 0; y < image.height(); y++) {
            int at = map.index(y, 0);
            for (int x = 0; x < image.width(); x++) {
                for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
                    float unit = image.level(x, y, channel) / 255f;
                    map.data()[at++] = (2 * unit - 1 - SHIFT[channel]) / SCALE[channel];
                }
            }
        }
        return map;
    }

    /** One stage: convolutions at one resolution, for both images, band by band. */
    private static final class Stage {

        private final List<FeatureMap> images;
        private final List<Layer> layers;
        private final float[] head;
        private final List<FeatureMap> pooled = new ArrayList<>();
        /** Two buffers for each image, used in turn by its layers. */
        private final List<List<FeatureMap>> buffers = new ArrayList<>();

        private final int height;
        private final int width;

        Stage(List<FeatureMap> images, List<Layer> layers, int channels, float[] head) {
            this.images = images;
            this.layers = layers;
            this.head = head;
            height = images.getFirst().height();
            width = images.getFirst().width();
            int capacity = Math.min(height, BAND + 2 * (layers.size() - 1));
            for (int image = 0; image < images.size(); image++) {
                buffers.add(List.of(
                        new FeatureMap(height, width, channels, capacity),
                        new FeatureMap(height, width, channels, capacity)));
                FeatureMap half = new FeatureMap(height / 2, width / 2, channels, height / 2);
                half.setRows(0, height / 2);
                pooled.add(half);
            }
        }

        /** Both images after the pooling; complete once {@link #distance} has run. */
        List<FeatureMap> pooled() {
            return pooled;
        }

        /** Mean over the pixels of the weighed squared difference. */
        double distance() {
            double sum = 0;
            for (int from = 0; from < height; from += BAND) {
                int to = Math.min(height, from + BAND);
                List<FeatureMap> activations = new ArrayList<>();
                for (int image = 0; image < images.size(); image++) {
                    FeatureMap band = band(image, from, to);
                    activations.add(band);
                    pool(band, from, to, pooled.get(image));
                }
                sum += difference(activations.get(0), activations.get(1), from, to);
            }
            return sum / ((double) width * height);
        }

        /** The last layer's activations of these rows; the layers before compute a row more each way for each after. */
        private FeatureMap band(int image, int from, int to) {
            FeatureMap in = images.get(image);
            for (int i = 0; i < layers.size(); i++) {
                FeatureMap out = buffers.get(image).get(i % 2);
                int halo = layers.size() - 1 - i;
                out.setRows(Math.max(0, from - halo), Math.min(height, to + halo));
                layers.get(i).apply(in, out);
                in = out;
            }
            return in;
        }

        private double difference(FeatureMap a, FeatureMap b, int from, int to) {
            double[] rows = new double[to - from];
            IntStream.range(from, to).parallel().forEach(y -> rows[y - from] = rowDifference(a, b, y));
            double sum = 0;
            for (double row : rows) {
                sum += row;
            }
            return sum;
        }

        private double rowDifference(FeatureMap a, FeatureMap b, int y) {
            double sum = 0;
            for (int x = 0; x < width; x++) {
                int at = a.index(y, x);
                double scaleA = 1 / norm(a.data(), at);
                double scaleB = 1 / norm(b.data(), at);
                double pixel = 0;
                for (int c = 0; c < head.length; c++) {
                    double difference = a.data()[at + c] * scaleA - b.data()[at + c] * scaleB;
                    pixel += head[c] * difference * difference;
                }
                sum += pixel;
            }
            return sum;
        }

        private double norm(float[] data, int at) {
            double squares = EPSILON;
            for (int c = 0; c < head.length; c++) {
                squares += (double) data[at + c] * data[at + c];
            }
            return Math.sqrt(squares);
        }

        /** The largest of each 2 x 2 pixels; an odd last row or column is dropped. */
        private static void pool(FeatureMap in, int from, int to, FeatureMap out) {
            float[] data = in.data();
            IntStream.range(from / 2, to / 2).parallel().forEach(y -> {
                for (int x = 0; x < out.width(); x++) {
                    int upper = in.index(2 * y, 2 * x);
                    int lower = in.index(2 * y + 1, 2 * x);
                    int target = out.index(y, x);
                    int channels = in.channels();
                    for (int c = 0; c < channels; c++) {
                        float top = Math.max(data[upper + c], data[upper + channels + c]);
                        float bottom = Math.max(data[lower + c], data[lower + channels + c]);
                        out.data()[target + c] = Math.max(top, bottom);
                    }
                }
            });
        }
    }
}
