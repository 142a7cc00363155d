package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Feature maps as {@link TensorConv2d} reads them: halves, eight channels of a pixel together, the pixels of all images in
 * one line with their zero borders. Two halves lie in an int; all indices count ints.
 *
 * <p>{@code [channels / 8][plane][length][8 channels]}, planes as in {@link Packed}, but plane 1 times {@link #LOW}: values
 * are smaller here, and three products have two accumulators anyway. Position {@link #front} + (image * (H +
 * 1) + y) * (W + 1) + x is a pixel; every other position is zero. So one zero column between two rows is the border of
 * both, likewise one zero row between two images, and a tap of a 3 x 3 kernel is a constant distance along the line.
 */
public final class PackedMap {
    /** Positions that any tile of a convolution takes. */
    public static final int TILE = 256;
    /** Values are packed as they are: no normalization. They may be large, see {@link #RAW_SCALE}. */
    public static final int RAW = 0;
    /** GroupNorm. */
    public static final int NORM = 1;
    /** GroupNorm and SiLU. */
    public static final int NORM_SILU = 2;
    /** What raw values are multiplied by, so that some up to 10^6 fit a half. */
    public static final float RAW_SCALE = 0x1p-4f;
    /** Scale of plane 1. */
    public static final float LOW = 2048f;
    /** Channels must be a multiple of this. */
    public static final int CHANNELS = 16;

    private PackedMap() {}

    /** Plane 1 of two numbers whose plane 0 is {@code high}. */
    static int low(float x, float y, int high) {
        return Halves.pack((x - Halves.first(high)) * LOW, (y - Halves.second(high)) * LOW);
    }

    /** Position of the first image's first pixel. */
    public static int front(int width) {
        return (width + 9) / 8 * 8;
    }

    /** Positions from the first pixel to the last. */
    static int positions(int n, int height, int width) {
        return n * (height + 1) * (width + 1) - (width + 2);
    }

    /** Positions of n images of (height, width), with all borders and what the last tile reads beyond them. */
    public static int length(int n, int height, int width) {
        return (front(width) + (positions(n, height, width) + TILE - 1) / TILE * TILE + width + 18) / 16 * 16;
    }

    /** Ints of n images. */
    public static int size(int n, int height, int width, int channels, int planes) {
        return Math.toIntExact(elements(n, height, width, channels, planes));
    }

    /** As {@link #size}, also where it is more than an array can have. */
    public static long elements(int n, int height, int width, int channels, int planes) {
        return 4L * (channels / 8) * planes * length(n, height, width);
    }

    /** The launch of {@link #pack}. */
    public static WorkerGrid grid(int n, int height, int width, int channels) {
        return Launch.elementwise(Math.multiplyExact(length(n, height, width), channels / 8));
    }

    /**
     * Normalizes as {@link GroupNorm#scaleAndShift} does, and packs.
     *
     * @param run see {@link DecoderRun}: the layer, and the images; what lies behind them is zero
     * @param x (N, H, W, C)
     * @param statistics from {@link GroupNorm#finish}; any array when raw
     * @param weight (layers, C); any array when raw
     * @param bias (layers, C); any array when raw
     * @param out see above
     * @param overflow [kind + layer] is set to 1 when a value does not fit a half
     * @param kind which of the overflows is this task's first layer's
     * @param n images that there is room for
     * @param norm {@link #RAW}, {@link #NORM} or {@link #NORM_SILU}
     */
    public static void pack(
            KernelContext context,
            IntArray run,
            FloatArray x,
            FloatArray statistics,
            FloatArray weight,
            FloatArray bias,
            IntArray out,
            IntArray overflow,
            int kind,
            @AtLaunch int n,
            int height,
            int width,
            int channels,
            int groups,
            int planes,
            int norm) {
        // A warp takes eight positions and 32 channels: whole 128 bytes of both arrays. Or 16 and 16, where it must.
        int together = channels % 32 == 0 ? 4 : 2;
        int lane = context.globalIdx % 32;
        int warp = context.globalIdx / 32;
        int parts = channels / (8 * together);
        int length = length(n, height, width);
        int position = warp / parts * (32 / together) + lane / together;
        int channel = (warp % parts * together + lane % together) * 8;
        if (position < length) {
            float[] v = Registers.floats(8);
            int pixel = pixel(position - front(width), run.get(DecoderRun.IMAGES), height, width);
            if (pixel >= 0) {
                int from = pixel * channels + channel;
                GlobalMemory.load4(x, from, v, 0);
                GlobalMemory.load4(x, from + 4, v, 4);
                if (norm == RAW) {
                    for (int i = 0; i < 8; i++) {
                        Registers.set(v, i, Registers.get(v, i) * RAW_SCALE);
                    }
                } else {
                    float[] parameters = Registers.floats(16);
                    int parameter = run.get(DecoderRun.LAYER) * channels + channel;
                    GlobalMemory.load4(weight, parameter, parameters, 0);
                    GlobalMemory.load4(weight, parameter + 4, parameters, 4);
                    GlobalMemory.load4(bias, parameter, parameters, 8);
                    GlobalMemory.load4(bias, parameter + 4, parameters, 12);
                    int image = pixel / (height * width) * groups;
                    for (int i = 0; i < 8; i++) {
                        int at = (image + (channel + i) / (channels / groups)) * 2;
                        float value = (Registers.get(v, i) - statistics.get(at))
                                        * statistics.get(at + 1)
                                        * Registers.get(parameters, i)
                                + Registers.get(parameters, 8 + i);
                        if (norm == NORM_SILU) {
                            value = FloatMath.silu(value);
                        }
                        Registers.set(v, i, value);
                    }
                }
                float largest = 0f;
                for (int i = 0; i < 8; i += 2) {
                    largest = Packed.largest(largest, Registers.get(v, i), Registers.get(v, i + 1));
                }
                if (!(largest <= Packed.LARGEST)) {
                    overflow.set(kind + run.get(DecoderRun.LAYER), 1);
                }
            }
            int to = (channel / 8 * planes * length + position) * 4;
            int h0 = Packed.high(Registers.get(v, 0), Registers.get(v, 1));
            int h1 = Packed.high(Registers.get(v, 2), Registers.get(v, 3));
            int h2 = Packed.high(Registers.get(v, 4), Registers.get(v, 5));
            int h3 = Packed.high(Registers.get(v, 6), Registers.get(v, 7));
            GlobalMemory.store4(out, to, h0, h1, h2, h3);
            if (planes == 2) {
                GlobalMemory.store4(
                        out,
                        to + 4 * length,
                        low(Registers.get(v, 0), Registers.get(v, 1), h0),
                        low(Registers.get(v, 2), Registers.get(v, 3), h1),
                        low(Registers.get(v, 4), Registers.get(v, 5), h2),
                        low(Registers.get(v, 6), Registers.get(v, 7), h3));
            }
        }
    }

    /** Which pixel of (N, H, W) lies {@code distance} positions after the first one; -1 for none. */
    static int pixel(int distance, int n, int height, int width) {
        int result = -1;
        if (distance >= 0) {
            int row = distance / (width + 1);
            int x = distance - row * (width + 1);
            int image = row / (height + 1);
            int y = row - image * (height + 1);
            if (x < width && y < height && image < n) {
                result = (image * height + y) * width + x;
            }
        }
        return result;
    }
}
