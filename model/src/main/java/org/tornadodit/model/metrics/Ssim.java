package org.tornadodit.model.metrics;

import java.util.stream.IntStream;

/**
 * Structural similarity (Wang, Bovik, Sheikh and Simoncelli, IEEE TIP 13, 2004) as torchmetrics'
 * {@code StructuralSimilarityIndexMeasure()} has it: 11 x 11 Gaussian window of sigma 1.5, k1 = 0.01, k2 = 0.03, images
 * reflected at the borders, range of values taken from the images, mean over all pixels and channels.
 */
final class Ssim {

    /** Pixels from the middle of the window to its border. */
    private static final int RADIUS = 5;

    private static final int WINDOW = 2 * RADIUS + 1;
    private static final double SIGMA = 1.5;
    private static final double K1 = 0.01;
    private static final double K2 = 0.03;
    /** Means over the window of a, b, a^2, b^2 and ab. */
    private static final int MOMENTS = 5;
    /** Rows that one task computes: few enough to balance threads, many enough to pay for the window's lead-in. */
    private static final int BAND = 64;

    /** Smallest width and height: reflection needs one pixel more than the window's radius. */
    static final int MIN_SIZE = RADIUS + 1;

    private static final double[] KERNEL = kernel();

    private Ssim() {}

    /** Heap in bytes that a comparison takes at most: what each thread works with, and a sum for each row. */
    static long heapBytes(int width, int height) {
        if (width < MIN_SIZE || height < MIN_SIZE) {
            return 0;
        }
        long bands = (height + BAND - 1L) / BAND * RgbImage.CHANNELS;
        long threads = Math.min(bands, Runtime.getRuntime().availableProcessors() + 1L);
        long ofThread = (WINDOW + 2L) * MOMENTS * (width + 2L * RADIUS);
        return Double.BYTES * (threads * ofThread + (long) height * RgbImage.CHANNELS);
    }

    /** The similarity, or NaN when an image is smaller than {@link #MIN_SIZE} either way. */
    static double compare(RgbImage a, RgbImage b) {
        int width = a.width();
        int height = a.height();
        if (width < MIN_SIZE || height < MIN_SIZE) {
            return Double.NaN;
        }
        // In levels; the factor 255 cancels because the constants scale with the range.
        double range = Math.max(ImageMetrics.range(a), ImageMetrics.range(b));
        double c1 = K1 * range * K1 * range;
        double c2 = K2 * range * K2 * range;
        if (range == 0) {
            return flat(a.level(0), b.level(0));
        }
        double[] rowSums = new double[height * RgbImage.CHANNELS];
        int bands = (height + BAND - 1) / BAND;
        IntStream.range(0, bands * RgbImage.CHANNELS).parallel().forEach(task -> {
            int channel = task % RgbImage.CHANNELS;
            int from = task / RgbImage.CHANNELS * BAND;
            band(a, b, channel, from, Math.min(from + BAND, height), c1, c2, rowSums);
        });
        double sum = 0;
        for (double rowSum : rowSums) {
            sum += rowSum;
        }
        return sum / ((double) width * height * RgbImage.CHANNELS);
    }

    /** Two flat images: nothing but their means is left of the formula, as its constants go to 0. */
    static double flat(int a, int b) {
        return a == b ? 1 : 2.0 * a * b / ((double) a * a + (double) b * b);
    }

    /** Sums of similarity of rows {@code from} to {@code to} of one channel; a ring holds the window's filtered rows. */
    private static void band(
            RgbImage a, RgbImage b, int channel, int from, int to, double c1, double c2, double[] rowSums) {
        int width = a.width();
        double[][][] ring = new double[WINDOW][MOMENTS][width];
        double[][] padded = new double[MOMENTS][width + 2 * RADIUS];
        double[][] means = new double[MOMENTS][width];
        for (int y = from - RADIUS; y < to + RADIUS; y++) {
            filterRow(a, b, channel, reflect(y, a.height()), padded, ring[Math.floorMod(y, WINDOW)]);
            int centre = y - RADIUS;
            if (centre >= from) {
                filterColumns(ring, centre, means);
                rowSums[centre * RgbImage.CHANNELS + channel] = similarity(means, c1, c2);
            }
        }
    }

    private static void filterRow(RgbImage a, RgbImage b, int channel, int y, double[][] padded, double[][] filtered) {
        int width = a.width();
        for (int i = 0; i < width + 2 * RADIUS; i++) {
            int x = reflect(i - RADIUS, width);
            int va = a.level(x, y, channel);
            int vb = b.level(x, y, channel);
            padded[0][i] = va;
            padded[1][i] = vb;
            padded[2][i] = va * va;
            padded[3][i] = vb * vb;
            padded[4][i] = va * vb;
        }
        for (int moment = 0; moment < MOMENTS; moment++) {
            double[] in = padded[moment];
            double[] out = filtered[moment];
            for (int x = 0; x < width; x++) {
                // Symmetric taps first: a third fewer products.
                double sum = KERNEL[RADIUS] * in[x + RADIUS];
                for (int k = 0; k < RADIUS; k++) {
                    sum += KERNEL[k] * (in[x + k] + in[x + WINDOW - 1 - k]);
                }
                out[x] = sum;
            }
        }
    }

    private static void filterColumns(double[][][] ring, int centre, double[][] means) {
        for (int moment = 0; moment < MOMENTS; moment++) {
            double[] out = means[moment];
            double[] middle = ring[Math.floorMod(centre, WINDOW)][moment];
            for (int x = 0; x < out.length; x++) {
                out[x] = KERNEL[RADIUS] * middle[x];
            }
            for (int k = 0; k < RADIUS; k++) {
                double weight = KERNEL[k];
                double[] above = ring[Math.floorMod(centre - RADIUS + k, WINDOW)][moment];
                double[] below = ring[Math.floorMod(centre + RADIUS - k, WINDOW)][moment];
                for (int x = 0; x < out.length; x++) {
                    out[x] += weight * (above[x] + below[x]);
                }
            }
        }
    }

    private static double similarity(double[][] means, double c1, double c2) {
        double sum = 0;
        for (int x = 0; x < means[0].length; x++) {
            double meanA = means[0][x];
            double meanB = means[1][x];
            double product = meanA * meanB;
            double squares = meanA * meanA + meanB * meanB;
            double varianceA = Math.max(means[2][x] - meanA * meanA, 0);
            double varianceB = Math.max(means[3][x] - meanB * meanB, 0);
            double covariance = means[4][x] - product;
            sum += (2 * product + c1) * (2 * covariance + c2) / ((squares + c1) * (varianceA + varianceB + c2));
        }
        return sum;
    }

    /** Reflection about the border pixels, which are not repeated: PyTorch's mode "reflect". */
    private static int reflect(int index, int size) {
        int positive = Math.abs(index);
        return positive < size ? positive : 2 * (size - 1) - positive;
    }

    private static double[] kernel() {
        double[] weights = new double[WINDOW];
        double sum = 0;
        for (int i = 0; i < WINDOW; i++) {
            double distance = (i - RADIUS) / SIGMA;
            weights[i] = Math.exp(-distance * distance / 2);
            sum += weights[i];
        }
        for (int i = 0; i < WINDOW; i++) {
            weights[i] /= sum;
        }
        return weights;
    }
}
