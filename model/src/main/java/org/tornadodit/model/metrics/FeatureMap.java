package org.tornadodit.model.metrics;

import java.util.Arrays;

/**
 * Some rows of the activations of one image, channels last, with a border of one pixel all around: (R + 2, W + 2, C).
 * A border at the edge of the image is the zero padding of a convolution; elsewhere it is not used.
 */
public final class FeatureMap {

    private final int height;
    private final int width;
    private final int channels;
    private final float[] data;
    private int firstRow;
    private int rows;

    /**
     * Memory for up to {@code capacity} rows of an image.
     *
     * @param height H of the whole image
     * @param width W
     * @param channels C
     * @param capacity most rows that it will hold, without the border
     */
    public FeatureMap(int height, int width, int channels, int capacity) {
        this.height = height;
        this.width = width;
        this.channels = channels;
        data = new float[Math.toIntExact((capacity + 2L) * (width + 2L) * channels)];
    }

    /** Takes on the rows {@code from} to {@code to - 1} of the image, and clears the border where that is its edge. */
    public void setRows(int from, int to) {
        firstRow = from;
        rows = to - from;
        int row = (width + 2) * channels;
        if (from == 0) {
            Arrays.fill(data, 0, row, 0f);
        }
        if (to == height) {
            Arrays.fill(data, (rows + 1) * row, (rows + 2) * row, 0f);
        }
        for (int y = 1; y <= rows; y++) {
            Arrays.fill(data, y * row, y * row + channels, 0f);
            Arrays.fill(data, (y + 1) * row - channels, (y + 1) * row, 0f);
        }
    }

    /** Rows of the whole image, H. */
    public int height() {
        return height;
    }

    /** Pixels of a row, W, without the border. */
    public int width() {
        return width;
    }

    /** Channels of a pixel, C. */
    public int channels() {
        return channels;
    }

    /** Row of the image that comes first here. */
    public int firstRow() {
        return firstRow;
    }

    /** Rows held, without the border. */
    public int rows() {
        return rows;
    }

    /** The values. */
    public float[] data() {
        return data;
    }

    /**
     * Where a pixel's channels begin in {@link #data}.
     *
     * @param row of the image; one more each way is the border
     * @param x -1 to W, where the first and the last are the border
     */
    public int index(int row, int x) {
        return ((row - firstRow + 1) * (width + 2) + x + 1) * channels;
    }
}
