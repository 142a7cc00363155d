package org.tornadodit.model.cpu;

import java.util.Arrays;
import org.tornadodit.model.Shape;
import org.tornadodit.model.cpu.MatrixProduct.Left;

/**
 * The activations of one image, (H, W, C): a pixel is a row of a product. One more pixel of zeros follows the last, the
 * padding of convolutions. A buffer that takes on one size after another.
 */
final class Picture {

    /** Pixels of a 3x3 neighbourhood. */
    static final int NEIGHBOURS = 9;

    private float[] data = {};
    private int height;
    private int width;
    private int channels;

    /** Takes on a size; the values are undefined, the padding is zero. */
    void resize(int newHeight, int newWidth, int newChannels) {
        height = newHeight;
        width = newWidth;
        channels = newChannels;
        long size = ((long) height * width + 1) * channels;
        if (size > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("activations of %d x %d pixels and %d channels do not fit into an array"
                    .formatted(newHeight, newWidth, newChannels));
        }
        if (data.length < size) {
            data = new float[0]; // not both at a time
            data = new float[(int) size];
        }
        Arrays.fill(data, pixels() * channels, (int) size, 0f);
    }

    float[] data() {
        return data;
    }

    int height() {
        return height;
    }

    int width() {
        return width;
    }

    int channels() {
        return channels;
    }

    int pixels() {
        return height * width;
    }

    /** The pixels as rows of a matrix, (H W, C). */
    Left rows() {
        return Left.matrix(data, 0, channels);
    }

    /**
     * The neighbourhoods of a 3x3 convolution with a border of zeros, one row for each pixel of the picture enlarged
     * {@code factor} times by repeating pixels.
     */
    Left neighbourhoods(int factor, Workers workers) {
        int outWidth = width * factor;
        int outHeight = height * factor;
        int pixels = Math.multiplyExact(outWidth, outHeight);
        int[] offsets = new int[Math.multiplyExact(NEIGHBOURS, pixels)];
        workers.forEachInGroups(outHeight, 8, (y, worker) -> {
            for (int tap = 0; tap < NEIGHBOURS; tap++) {
                int sourceY = y + tap / 3 - 1;
                for (int x = 0; x < outWidth; x++) {
                    int sourceX = x + tap % 3 - 1;
                    boolean inside = sourceY >= 0 && sourceY < outHeight && sourceX >= 0 && sourceX < outWidth;
                    int pixel = inside ? sourceY / factor * width + sourceX / factor : pixels();
                    offsets[tap * pixels + y * outWidth + x] = pixel * channels;
                }
            }
        });
        return new Left(data, NEIGHBOURS, (row, tap) -> offsets[tap * pixels + row]);
    }

    /** Shape of {@link #toChannelsFirst}: (1, C, H, W). */
    Shape shape() {
        return Shape.of(1, channels, height, width);
    }

    /** Writes (C, H, W). */
    void toChannelsFirst(float[] out, int at) {
        for (int c = 0; c < channels; c++) {
            for (int pixel = 0; pixel < pixels(); pixel++) {
                out[at + c * pixels() + pixel] = data[pixel * channels + c];
            }
        }
    }

    /** Takes on (C, H, W), each value divided. */
    void fromChannelsFirst(float[] in, int at, float divisor) {
        for (int c = 0; c < channels; c++) {
            for (int pixel = 0; pixel < pixels(); pixel++) {
                data[pixel * channels + c] = in[at + c * pixels() + pixel] / divisor;
            }
        }
    }
}
