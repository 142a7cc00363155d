package org.tornadodit.model.metrics;

import java.util.Arrays;

/**
 * An image of 8-bit red, green and blue levels, (H, W, 3) row by row as {@code numpy.asarray} of a PIL image.
 *
 * @param width W, pixels
 * @param height H, pixels
 * @param levels H * W * 3 bytes, unsigned; not copied
 */
@SuppressWarnings("ArrayRecordComponent")
public record RgbImage(int width, int height, byte[] levels) {

    public static final int CHANNELS = 3;

    /** Most pixels of an image: 2^26. PIL warns of larger ones as of decompression bombs. */
    public static final int MAX_PIXELS = 1 << 26;

    /** @throws IllegalArgumentException when the sizes do not fit together, or are out of range */
    public RgbImage {
        if (width < 1 || height < 1 || (long) width * height > MAX_PIXELS) {
            throw new IllegalArgumentException(
                    "image of %d x %d pixels: expected 1 to %d pixels".formatted(width, height, MAX_PIXELS));
        }
        if (levels.length != width * height * CHANNELS) {
            throw new IllegalArgumentException(
                    "%d levels for an image of %d x %d pixels".formatted(levels.length, width, height));
        }
    }

    /** Number of levels: H * W * 3. */
    public int size() {
        return levels.length;
    }

    /** The level at {@code index} of (H, W, 3), 0 to 255. */
    public int level(int index) {
        return levels[index] & 0xFF;
    }

    /** The level of a pixel's channel, 0 to 255. */
    public int level(int x, int y, int channel) {
        return level((y * width + x) * CHANNELS + channel);
    }

    /** Whether width and height are those of another image. */
    public boolean sameSize(RgbImage other) {
        return width == other.width && height == other.height;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RgbImage image && sameSize(image) && Arrays.equals(levels, image.levels);
    }

    @Override
    public int hashCode() {
        return 31 * width + Arrays.hashCode(levels);
    }

    /** For example {@code 2058 x 1030 pixels}. */
    @Override
    public String toString() {
        return width + " x " + height + " pixels";
    }
}
