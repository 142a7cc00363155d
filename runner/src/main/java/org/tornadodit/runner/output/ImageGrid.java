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
        grid = new BufferedImage(width(count, perRow, size), height(count, perRow, size), BufferedImage.TYPE_INT_RGB);
    }

    private static int padding(int count) {
        return count == 1 ? 0 : PADDING;
    }

    private static int extent(int images, int count, int size) {
        return images * (size + padding(count)) + padding(count);
    }

    /** Pixels of a row of the grid of {@code count} images. */
    public static int width(int count, int perRow, int size) {
        return extent(Math.min(perRow, count), count, size);
    }

    /** Rows of pixels. */
    public static int height(int count, int perRow, int size) {
        return extent(Math.ceilDiv(count, perRow), count, size);
    }

    /** Pixels of the grid of {@code count} images. */
    public static long pixels(int count, int perRow, int size) {
        long height = (long) Math.ceilDiv(count, perRow) * (size + padding(count)) + padding(count);
        return height * width(count, perRow, size);
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
            draw(grid, left(place), top(place), images, image, size);
        }
    }

    /**
     * One image of several alone.
     *
     * @param images (N, 3, size, size), about -1..1
     * @param place of the image among them
     */
    public static BufferedImage one(float[] images, int place, int size) {
        BufferedImage picture = new BufferedImage(size, size, BufferedImage.TYPE_INT_RGB);
        draw(picture, 0, 0, images, place, size);
        return picture;
    }

    private static void draw(BufferedImage picture, int left, int top, float[] images, int place, int size) {
        int plane = size * size;
        int red = 3 * place * plane;
        int[] pixels = new int[plane];
        for (int i = 0; i < plane; i++) {
            pixels[i] = PixelLevel.of(images[red + i]) << 16
                    | PixelLevel.of(images[red + plane + i]) << 8
                    | PixelLevel.of(images[red + 2 * plane + i]);
        }
        picture.setRGB(left, top, size, size, pixels, 0, size);
    }
}
