package org.tornadodit.model.metrics;

/** Baseline, candidate and their amplified difference side by side, for the eye. */
public final class DifferencePicture {

    private DifferencePicture() {}

    /**
     * The picture, three times as wide as the images. The third part is {@code min(255, gain * |a - b|)} in each channel.
     *
     * @param gain factor on the difference, at least 1
     * @throws IllegalArgumentException when the sizes differ, or the picture would be too large
     */
    public static RgbImage of(RgbImage baseline, RgbImage candidate, int gain) {
        if (!baseline.sameSize(candidate) || gain < 1) {
            throw new IllegalArgumentException(
                    "candidate of %s, baseline of %s, gain %d".formatted(candidate, baseline, gain));
        }
        int row = baseline.width() * RgbImage.CHANNELS;
        if (3L * baseline.size() / RgbImage.CHANNELS > RgbImage.MAX_PIXELS) {
            throw new IllegalArgumentException(
                    "difference picture of three times %s: at most %d pixels".formatted(baseline, RgbImage.MAX_PIXELS));
        }
        byte[] levels = new byte[3 * baseline.size()];
        for (int y = 0; y < baseline.height(); y++) {
            System.arraycopy(baseline.levels(), y * row, levels, 3 * y * row, row);
            System.arraycopy(candidate.levels(), y * row, levels, (3 * y + 1) * row, row);
            for (int i = 0; i < row; i++) {
                int difference = Math.abs(baseline.level(y * row + i) - candidate.level(y * row + i));
                levels[(3 * y + 2) * row + i] = (byte) Math.min(255L, (long) gain * difference);
            }
        }
        return new RgbImage(3 * baseline.width(), baseline.height(), levels);
    }

    /** Heap in bytes that the picture takes, and writing it, for images of a size. */
    public static long heapBytes(int width, int height) {
        return 3L * width * height * (2L * RgbImage.CHANNELS + Integer.BYTES); // levels, the PNG at worst, the raster
    }

    /** The gain that shows the largest difference at full brightness; 1 for equal images. */
    public static int gain(RgbImage baseline, RgbImage candidate) {
        int largest = 1;
        for (int i = 0; i < Math.min(baseline.size(), candidate.size()); i++) {
            largest = Math.max(largest, Math.abs(baseline.level(i) - candidate.level(i)));
        }
        return baseline.equals(candidate) ? 1 : Math.max(1, 255 / largest);
    }
}
