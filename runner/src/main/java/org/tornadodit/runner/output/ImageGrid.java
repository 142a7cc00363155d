package org.tornadodit.runner.output;

import java.awt.image.BufferedImage;
import org.tornadodit.model.vae.PixelLevel;

/**
 * Lays images out as torchvision's {@code save_image(images, nrow, normalize=True, value_range=(-1, 1))} does: so many a
 * row, two black pixels around each, float32 arithmetic, rounding by adding one half.
 */
public final class ImageGrid {
    public static final int IMAGES_PER_ROW = 4;
    static final int PADDING = 2;

    private final BufferedImage grid;
    private final int count;
    private final int perRow;
    private final int size;
    private final int padding;

    /** A black grid for {@code count} images, {@code perRow} a row. */
    ImageGrid(int count, int perRow, int size) {
        this.count = count;
        this.perRow = perRow;
        this.size = size;
        this.padding = padding(count);
        grid = new BufferedImage(
                extent(Math.min(perRow, count), count, size),
                extent(Math.ceilDiv(count, perRow), count, size),
                BufferedImage.TYPE_INT_RGB);
    }

    private static int padding(int count) {
        return count == 1 ? 0 : PADDING;
    }

    private static int extent(int images, int count, int size) {
        return images * (size + padding(count)) + padding(count);
    }

    /** Pixels of the grid of {@code count} images. */
    public static long pixels(int count, int perRow, int size) {
        long height = (long) Math.ceilDiv(count, perRow) * (size + padding(count)) + padding(count);
        return height * extent(Math.min(perRow, count), count, size);
    }

    private int left(int place) {
        return place % perRow * (size + padding) + padding;
    }

    private int top(int place) {
        return place / perRow * (size + padding) + padding;
    }

    /** One image as it is so far, without padding; not copied. */
    BufferedImage image(int place) {
        return grid.getSubimage(left(place), top(place), size, size);
    }

    /** The picture as it is so far; not copied. */
    BufferedImage picture() {
        return grid;
    }

    /**
     * The grid of a batch, four a row; a single image comes without padding, as from torchvision.
     *
     * @param images (N, 3, size, size), about -1..1
     */
    public static BufferedImage of(float[] images, int count, int size) {
        ImageGrid grid = new ImageGrid(count, IMAGES_PER_ROW, size);
        grid.add(images, 0, count);
        return grid.picture();
    }

    /**
     * Lays out some of the images.
     *
     * @param images (N, 3, size, size), about -1..1
     * @param first place of the first of them in the batch
     * @param n N
     */
    void add(float[] images, int first, int n) {
        int plane = size * size;
        if (images.length != n * 3L * plane || first < 0 || first + n > count) {
            throw new IllegalArgumentException("%d values for %d of %d images of 3 x %d x %d from %d on"
                    .formatted(images.length, n, count, size, size, first));
        }
        for (int image = 0; image < n; image++) {
            int place = first + image;
            int left = left(place);
            int top = top(place);
            for (int i = 0; i < plane; i++) {
                int red = PixelLevel.of(images[3 * image * plane + i]);
                int green = PixelLevel.of(images[(3 * image + 1) * plane + i]);
                int blue = PixelLevel.of(images[(3 * image + 2) * plane + i]);
                grid.setRGB(left + i % size, top + i / size, red << 16 | green << 8 | blue);
            }
        }
    }
}
