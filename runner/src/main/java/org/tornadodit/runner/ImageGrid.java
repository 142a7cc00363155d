package org.tornadodit.runner;

import java.awt.image.BufferedImage;

/**
 * Lays images out as torchvision's {@code save_image(images, nrow=4, normalize=True, value_range=(-1, 1))} does: four a
 * row, two black pixels around each, float32 arithmetic, rounding by adding one half.
 */
final class ImageGrid {
    static final int IMAGES_PER_ROW = 4;
    static final int PADDING = 2;

    private ImageGrid() {}

    /**
     * The grid of a batch; a single image comes without padding, as from torchvision.
     *
     * @param images (N, 3, size, size), about -1..1
     */
    static BufferedImage of(float[] images, int count, int size) {
        int plane = size * size;
        if (images.length != (long) count * 3 * plane) {
            throw new IllegalArgumentException(
                    "%d values for %d images of 3 x %d x %d".formatted(images.length, count, size, size));
        }
        int padding = count == 1 ? 0 : PADDING;
        int columns = Math.min(IMAGES_PER_ROW, count);
        int rows = (count + columns - 1) / columns;
        int pitch = size + padding;
        BufferedImage grid =
                new BufferedImage(columns * pitch + padding, rows * pitch + padding, BufferedImage.TYPE_INT_RGB);
        for (int n = 0; n < count; n++) {
            int left = n % columns * pitch + padding;
            int top = n / columns * pitch + padding;
            for (int i = 0; i < plane; i++) {
                int red = level(images[3 * n * plane + i]);
                int green = level(images[(3 * n + 1) * plane + i]);
                int blue = level(images[(3 * n + 2) * plane + i]);
                grid.setRGB(left + i % size, top + i / size, red << 16 | green << 8 | blue);
            }
        }
        return grid;
    }

    /** -1..1 to 0..255: clamp, (x + 1) / 2, times 255 plus 0.5, clamp, truncate; each step rounded to float32. */
    static int level(float value) {
        float unit = (Math.clamp(value, -1f, 1f) + 1f) / 2f;
        return (int) Math.clamp(unit * 255f + 0.5f, 0f, 255f);
    }
}
