package org.tornadodit.kernels;

import java.util.stream.IntStream;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights of convolutions as {@link TensorConv2d} reads them, packed once by the host. A tile of {@link #COLUMNS} output
 * channels reads them in steps of one row of taps and 16 input channels, each step's in one piece:
 * {@code [layer][phase][O / 128][C / 16][tap row][plane][tap column][2][128 output channels][8 input channels]} halves.
 * Output channels are padded to 128 with zeros. A layer's weights are multiplied by a power of two that brings their
 * largest magnitude close to 2^10, so that small ones keep their bits.
 */
public final class ConvolutionWeights {
    /** Output channels of a tile. */
    public static final int COLUMNS = 128;

    private static final int LARGEST_EXPONENT = 10;

    private ConvolutionWeights() {}

    /** Ints of one step's weights. */
    static int step(int taps, int planes) {
        return planes * taps * (2 * COLUMNS * 8 / 2);
    }

    /** Phases of a convolution: with two taps a side it is one quarter of a doubled image's. */
    static int phases(int taps) {
        return taps == 2 ? 4 : 1;
    }

    /** Ints of one layer. */
    public static int size(int outChannels, int inChannels, int taps, int planes) {
        return Math.multiplyExact(
                phases(taps) * Launch.ceilDiv(outChannels, COLUMNS) * (inChannels / 16) * taps, step(taps, planes));
    }

    /**
     * Packs one layer.
     *
     * @param weight (O, C, K, K) as PyTorch has it, K 3 or 1
     * @param taps of the packed kernel: K, or 2 for the four kernels of 2 x 2 taps which, applied to an image, make the
     *     quarters of what the 3 x 3 kernel makes of the image doubled (nearest neighbour). Their taps are sums of its,
     *     in double.
     * @param layer where in {@code target} it goes
     * @return what a product with these weights is multiplied by to undo their scale
     */
    public static float pack(
            float[] weight, int outChannels, int inChannels, int taps, int planes, IntArray target, int layer) {
        int kernel = taps == 1 ? 1 : 3;
        float largest = 0;
        for (float w : weight) {
            largest = Math.max(largest, Math.abs(w));
        }
        if (!(largest <= Float.MAX_VALUE)) {
            throw new IllegalArgumentException("a convolution's weights are not finite");
        }
        // A sum of four weights may be four times as large.
        int exponent = Math.clamp(LARGEST_EXPONENT - Math.getExponent(largest), -100, 100);
        float scale = Math.scalb(1f, exponent);
        int columnTiles = Launch.ceilDiv(outChannels, COLUMNS);
        int stepsOfTile = inChannels / 16 * taps;
        int base = layer * size(outChannels, inChannels, taps, planes);
        IntStream.range(0, phases(taps) * columnTiles * stepsOfTile).parallel().forEach(s -> {
            int row = s % taps;
            int firstChannel = s / taps % (inChannels / 16) * 16;
            int firstColumn = s / stepsOfTile % columnTiles * COLUMNS;
            int phase = s / stepsOfTile / columnTiles;
            int at = base + s * step(taps, planes);
            for (int column = 0; column < taps; column++) {
                for (int i = 0; i < 16 * COLUMNS; i += 2) {
                    int out = firstColumn + i / 8 % COLUMNS;
                    int in = firstChannel + i / 8 / COLUMNS * 8 + i % 8;
                    float x = 0;
                    float y = 0;
                    if (out < outChannels) {
                        int from = (out * inChannels + in) * kernel * kernel;
                        x = (float) (scale * tap(weight, from, phase, row, column, taps));
                        y = (float) (scale * tap(weight, from + kernel * kernel, phase, row, column, taps));
                    }
                    int high = Packed.high(x, y);
                    int to = at + column * (8 * COLUMNS) + i / 2;
                    target.set(to, high);
                    if (planes == 2) {
                        target.set(to + taps * (8 * COLUMNS), PackedMap.low(x, y, high));
                    }
                }
            }
        });
        return 1 / scale;
    }

    /** One tap of the packed kernel, from the (K, K) weights at {@code from}. */
    private static double tap(float[] weight, int from, int phase, int row, int column, int taps) {
        if (taps != 2) {
            return weight[from + row * taps + column];
        }
        double sum = 0;
        for (int r = 0; r < 3; r++) {
            for (int c = 0; c < 3; c++) {
                if (half(r, phase / 2) == row && half(c, phase % 2) == column) {
                    sum += weight[from + r * 3 + c];
                }
            }
        }
        return sum;
    }

    /** Which of two taps the tap of three becomes: an even pixel's first neighbour stands alone, an odd one's last. */
    private static int half(int tap, int phase) {
        return (tap + 1 - phase) / 2;
    }
}
