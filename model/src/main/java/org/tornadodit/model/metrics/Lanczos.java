package org.tornadodit.model.metrics;

/**
 * Pillow's {@code Image.resize(size, Image.LANCZOS)} for 8-bit images, level for level: a horizontal and then a vertical
 * pass with weights of 22 bits after the point and levels rounded in between. Source: Pillow's {@code Resample.c}.
 */
public final class Lanczos {

    /** Zero crossings of the windowed sinc each way. */
    private static final double SUPPORT = 3;

    private static final int FRACTION_BITS = 32 - 8 - 2;

    /** Weights held at a time. */
    private static final int MOST_WEIGHTS = 1 << 20;

    /** Weights of one pixel that are kept as they are computed; more are computed twice. */
    private static final int SCRATCH = 1 << 16;

    private Lanczos() {}

    /**
     * The image at another size.
     *
     * @param width W, pixels
     * @param height H, pixels
     * @throws IllegalArgumentException when {@link #fits} is false
     */
    public static RgbImage resize(RgbImage image, int width, int height) {
        if (!fits(image.height(), width, height)) {
            throw new IllegalArgumentException(
                    "%s to %d x %d pixels: expected 1 to %d pixels, and as many after the width"
                            .formatted(image, width, height, RgbImage.MAX_PIXELS));
        }
        RgbImage wide = image.width() == width ? image : horizontal(image, width);
        return wide.height() == height ? wide : vertical(wide, height);
    }

    /**
     * Whether an image of some height can be resized: the result, and the image between the passes, which has the new
     * width and the old height, have at most {@link RgbImage#MAX_PIXELS}.
     */
    public static boolean fits(int oldHeight, int width, int height) {
        return width >= 1 && height >= 1 && (long) width * Math.max(oldHeight, height) <= RgbImage.MAX_PIXELS;
    }

    /** Heap in bytes that resizing takes, without the image but with the result. */
    public static long heapBytes(int oldWidth, int oldHeight, int width, int height) {
        long weights = Integer.BYTES * 2L * Math.max(MOST_WEIGHTS, Math.max(oldWidth, oldHeight));
        return weights + RgbImage.CHANNELS * width * ((long) oldHeight + height);
    }

    private static RgbImage horizontal(RgbImage image, int width) {
        byte[] levels = new byte[width * image.height() * RgbImage.CHANNELS];
        for (int begin = 0; begin < width; ) {
            Taps taps = Taps.of(image.width(), width, begin);
            for (int y = 0; y < image.height(); y++) {
                int at = (y * width + begin) * RgbImage.CHANNELS;
                for (int tap = 0; tap < taps.count(); tap++) {
                    int from = taps.weightsOf(tap);
                    int pixel = (y * image.width() + taps.firsts()[tap]) * RgbImage.CHANNELS;
                    for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
                        int sum = 1 << FRACTION_BITS - 1;
                        for (int k = from; k < taps.ends()[tap]; k++) {
                            sum += image.level(pixel + (k - from) * RgbImage.CHANNELS + channel) * taps.weights()[k];
                        }
                        levels[at++] = clip(sum);
                    }
                }
            }
            begin += taps.count();
        }
        return new RgbImage(width, image.height(), levels);
    }

    private static RgbImage vertical(RgbImage image, int height) {
        byte[] levels = new byte[image.width() * height * RgbImage.CHANNELS];
        int row = image.width() * RgbImage.CHANNELS;
        int at = 0;
        for (int begin = 0; begin < height; ) {
            Taps taps = Taps.of(image.height(), height, begin);
            for (int tap = 0; tap < taps.count(); tap++) {
                int from = taps.weightsOf(tap);
                for (int i = 0; i < row; i++) {
                    int sum = 1 << FRACTION_BITS - 1;
                    for (int k = from; k < taps.ends()[tap]; k++) {
                        sum += image.level((taps.firsts()[tap] + k - from) * row + i) * taps.weights()[k];
                    }
                    levels[at++] = clip(sum);
                }
            }
            begin += taps.count();
        }
        return new RgbImage(image.width(), height, levels);
    }

    private static byte clip(int sum) {
        return (byte) Math.clamp(sum >> FRACTION_BITS, 0, 255);
    }

    /**
     * What some output pixels are made of, one after the other.
     *
     * @param firsts first input pixel of each
     * @param ends where the weights of each end
     * @param weights of the first pixel and those after it
     */
    @SuppressWarnings("ArrayRecordComponent")
    private record Taps(int[] firsts, int[] ends, int[] weights) {

        int count() {
            return firsts.length;
        }

        int weightsOf(int tap) {
            return tap == 0 ? 0 : ends[tap - 1];
        }

        /** Of the output pixels from {@code begin} on, as many as {@link #MOST_WEIGHTS} allow, at least one. */
        static Taps of(int from, int to, int begin) {
            double scale = (double) from / to;
            double filterScale = Math.max(scale, 1);
            double support = SUPPORT * filterScale;
            int most = (int) Math.clamp(MOST_WEIGHTS / (2 * support + 2), 1, to - begin);
            int[] firsts = new int[most];
            int[] ends = new int[most];
            int end = 0;
            for (int tap = 0; tap < most; tap++) {
                double centre = (begin + tap + 0.5) * scale;
                firsts[tap] = Math.max((int) (centre - support + 0.5), 0);
                end += Math.min((int) (centre + support + 0.5), from) - firsts[tap];
                ends[tap] = end;
            }
            int[] weights = new int[end];
            double[] values = new double[Math.min(end, SCRATCH)];
            for (int tap = 0, at = 0; tap < most; at = ends[tap], tap++) {
                double centre = (begin + tap + 0.5) * scale;
                int count = ends[tap] - at;
                double sum = 0;
                for (int k = 0; k < count; k++) {
                    double value = lanczos((k + firsts[tap] - centre + 0.5) * (1 / filterScale));
                    sum += value;
                    if (count <= SCRATCH) {
                        values[k] = value;
                    }
                }
                for (int k = 0; k < count; k++) {
                    double value = count <= SCRATCH
                            ? values[k]
                            : lanczos((k + firsts[tap] - centre + 0.5) * (1 / filterScale));
                    weights[at + k] = fixedPoint(value, sum);
                }
            }
            return new Taps(firsts, ends, weights);
        }

        private static int fixedPoint(double value, double sum) {
            double weight = (sum == 0 ? value : value / sum) * (1 << FRACTION_BITS);
            return (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
    }

    private static double lanczos(double x) {
        return x >= -SUPPORT && x < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }
}
