package org.tornadodit.model.metrics;

/**
 * Pillow's {@code Image.resize(size, Image.LANCZOS)} for 8-bit images, level for level: a horizontal and then a vertical
 * pass with weights of 22 bits after the point and levels rounded in between. Source: Pillow's {@code Resample.c}.
 */
public final class Lanczos {

    /** Zero crossings of the windowed sinc each way. */
    private static final double SUPPORT = 3;

    private static final int FRACTION_BITS = 32 - 8 - 2;

    private Lanczos() {}

    /**
     * The image at another size.
     *
     * @param width W, pixels
     * @param height H, pixels
     */
    public static RgbImage resize(RgbImage image, int width, int height) {
        RgbImage wide = image.width() == width ? image : horizontal(image, width);
        return wide.height() == height ? wide : vertical(wide, height);
    }

    /**
     * What one output pixel is made of.
     *
     * @param first first input pixel
     * @param weights of that pixel and those after it
     */
    @SuppressWarnings("ArrayRecordComponent")
    private record Taps(int first, int[] weights) {}

    private static RgbImage horizontal(RgbImage image, int width) {
        Taps[] taps = taps(image.width(), width);
        byte[] levels = new byte[new RgbSize(width, image.height()).levels()];
        int at = 0;
        for (int y = 0; y < image.height(); y++) {
            for (Taps tap : taps) {
                for (int channel = 0; channel < RgbImage.CHANNELS; channel++) {
                    int sum = 1 << FRACTION_BITS - 1;
                    for (int i = 0; i < tap.weights.length; i++) {
                        sum += image.level(tap.first + i, y, channel) * tap.weights[i];
                    }
                    levels[at++] = clip(sum);
                }
            }
        }
        return new RgbImage(width, image.height(), levels);
    }

    private static RgbImage vertical(RgbImage image, int height) {
        Taps[] taps = taps(image.height(), height);
        byte[] levels = new byte[new RgbSize(image.width(), height).levels()];
        int at = 0;
        int row = image.width() * RgbImage.CHANNELS;
        for (Taps tap : taps) {
            for (int i = 0; i < row; i++) {
                int sum = 1 << FRACTION_BITS - 1;
                for (int k = 0; k < tap.weights.length; k++) {
                    sum += image.level((tap.first + k) * row + i) * tap.weights[k];
                }
                levels[at++] = clip(sum);
            }
        }
        return new RgbImage(image.width(), height, levels);
    }

    private static byte clip(int sum) {
        return (byte) Math.clamp(sum >> FRACTION_BITS, 0, 255);
    }

    private static Taps[] taps(int from, int to) {
        double scale = (double) from / to;
        double filterScale = Math.max(scale, 1);
        double support = SUPPORT * filterScale;
        Taps[] taps = new Taps[to];
        for (int i = 0; i < to; i++) {
            double centre = (i + 0.5) * scale;
            int first = Math.max((int) (centre - support + 0.5), 0);
            int end = Math.min((int) (centre + support + 0.5), from);
            double[] weights = new double[end - first];
            double sum = 0;
            for (int k = 0; k < weights.length; k++) {
                weights[k] = lanczos((k + first - centre + 0.5) * (1 / filterScale));
                sum += weights[k];
            }
            taps[i] = new Taps(first, fixedPoint(weights, sum));
        }
        return taps;
    }

    private static int[] fixedPoint(double[] weights, double sum) {
        int[] fixed = new int[weights.length];
        for (int k = 0; k < fixed.length; k++) {
            double weight = (sum == 0 ? weights[k] : weights[k] / sum) * (1 << FRACTION_BITS);
            fixed[k] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
        }
        return fixed;
    }

    private static double lanczos(double x) {
        return x >= -SUPPORT && x < SUPPORT ? sinc(x) * sinc(x / SUPPORT) : 0;
    }

    private static double sinc(double x) {
        return x == 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI);
    }

    /** Checks a size before memory is taken for it. */
    private record RgbSize(int width, int height) {
        int levels() {
            if (width < 1 || height < 1 || (long) width * height > RgbImage.MAX_PIXELS) {
                throw new IllegalArgumentException("size of %d x %d pixels: expected 1 to %d pixels"
                        .formatted(width, height, RgbImage.MAX_PIXELS));
            }
            return width * height * RgbImage.CHANNELS;
        }
    }
}
