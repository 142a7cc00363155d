package org.tornadodit.kernels;

import java.util.stream.IntStream;
import org.tornadodit.kernels.ptx.Approximate;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights of convolutions as {@link TensorConv2d} reads them. A tile of {@link #COLUMNS} output
 * channels reads them in steps of one row of taps and 16 input channels, each step's in one piece:
 * {@code [layer][phase][O / 128][C / 16][tap row][plane][tap column][2][128 output channels][8 input channels]} halves.
 * Output channels are padded to 128 with zeros. A layer's weights are multiplied by a power of two that brings their
 * largest magnitude close to 2^10, so that small ones keep their bits.
 */
public final class ConvolutionWeights {
    /** Output channels of a tile. */
    public static final int COLUMNS = 128;

    private static final int LARGEST_EXPONENT = 10;
    private static final int MOST_EXPONENT = 100;
    private static final int THREADS = 256;
    /** Pairs of weights of a tile's step and tap. */
    private static final int PAIRS = 8 * COLUMNS;

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

    /** Floats of a layer's biases and the factor that undoes its scale, an even number for an even one of channels. */
    public static int biases(int outChannels) {
        return outChannels + 2;
    }

    /**
     * Packs the jobs' layers, of (O, C, K, K) weights each.
     *
     * @param sent what was sent
     * @param maxima see {@link WeightPacking#largest}
     * @param weight where layers go
     * @param undo where what a product is multiplied by goes, to undo the scale
     */
    public static void pack(
            KernelContext context,
            IntArray jobs,
            FloatArray sent,
            FloatArray maxima,
            IntArray weight,
            FloatArray undo,
            int planes,
            int groups) {
        float[] most = context.allocateFloatLocalArray(THREADS);
        int all = jobs.get(0);
        for (int job = 0; job < all; job++) {
            if (WeightPacking.of(jobs, job, WeightJobs.KIND) == WeightJobs.CONVOLUTION) {
                int slot = WeightPacking.of(jobs, job, WeightJobs.SLOT) * groups;
                float largest = 0f;
                for (int i = context.localIdx; i < groups; i += THREADS) {
                    largest = Approximate.maxOrNaN(largest, maxima.get(slot + i));
                }
                // Here, not in a method: TornadoVM takes an index into shared memory that is a parameter for bytes.
                most[context.localIdx] = largest;
                context.localBarrier();
                for (int i = 0; i < THREADS; i++) {
                    largest = Approximate.maxOrNaN(largest, most[i]);
                }
                context.localBarrier();
                float scale = WeightPacking.scale(
                        largest, LARGEST_EXPONENT, MOST_EXPONENT + LARGEST_EXPONENT, MOST_EXPONENT - LARGEST_EXPONENT);
                int from = WeightPacking.of(jobs, job, WeightJobs.FROM);
                int at = WeightPacking.of(jobs, job, WeightJobs.AT);
                int outChannels = WeightPacking.of(jobs, job, WeightJobs.OUT);
                int inChannels = WeightPacking.of(jobs, job, WeightJobs.IN);
                int taps = WeightPacking.of(jobs, job, WeightJobs.TAPS);
                int kernel = taps == 1 ? 1 : 3;
                int phases = taps == 2 ? 4 : 1;
                int columnTiles = (outChannels + COLUMNS - 1) / COLUMNS;
                int stepsOfTile = inChannels / 16 * taps;
                int pairs = phases * columnTiles * stepsOfTile * taps * PAIRS;
                for (int p = context.globalIdx; p < pairs; p += groups * THREADS) {
                    int i = p % PAIRS;
                    int tapOfStep = p / PAIRS;
                    int s = tapOfStep / taps;
                    int column = tapOfStep - s * taps;
                    int tile = s / stepsOfTile;
                    int stepOfTile = s - tile * stepsOfTile;
                    int phase = tile / columnTiles;
                    int channels = stepOfTile / taps;
                    int row = stepOfTile - channels * taps;
                    int out = (tile - phase * columnTiles) * COLUMNS + i / 4 % COLUMNS;
                    int in = channels * 16 + i / (4 * COLUMNS) * 8 + i % 4 * 2;
                    float x = 0f;
                    float y = 0f;
                    if (out < outChannels) {
                        int first = (out * inChannels + in) * kernel * kernel;
                        int second = first + kernel * kernel;
                        x = (float) (scale * tap(sent, from, first, phase, row, column, taps));
                        y = (float) (scale * tap(sent, from, second, phase, row, column, taps));
                    }
                    int high = Packed.high(x, y);
                    int to = at + s * step(taps, planes) + column * PAIRS + i;
                    weight.set(to, high);
                    if (planes == 2) {
                        weight.set(to + taps * PAIRS, PackedMap.low(x, y, high));
                    }
                }
                if (context.globalIdx == 0) {
                    undo.set(
                            WeightPacking.of(jobs, job, WeightJobs.UNDO_AT),
                            WeightPacking.reciprocal(scale) * WeightPacking.of(jobs, job, WeightJobs.UNDO_TIMES));
                }
            }
        }
    }

    /** One tap of the packed kernel, from the (K, K) weights that begin with element {@code first}. */
    private static double tap(FloatArray sent, int from, int first, int phase, int row, int column, int taps) {
        double sum = 0;
        if (taps == 2) {
            int firstRow = first(phase / 2, row);
            int firstColumn = first(phase % 2, column);
            int rows = count(phase / 2, row);
            int columns = count(phase % 2, column);
            for (int r = 0; r < rows; r++) {
                for (int c = 0; c < columns; c++) {
                    int element = first + (firstRow + r) * 3 + firstColumn + c;
                    sum += sent.get(from + element);
                }
            }
        } else {
            sum = sent.get(from + first + row * taps + column);
        }
        return sum;
    }

    /** The first of the three taps that become this one of two, see {@link #half}. */
    private static int first(int phase, int tap) {
        return tap * (1 + phase);
    }

    /** How many of the three taps become this one of two. */
    private static int count(int phase, int tap) {
        return 1 + (phase ^ tap);
    }

    /**
     * Packs one layer on the host: the plain reference.
     *
     * @param weight (O, C, K, K) as PyTorch has it, K 3 or 1
     * @param taps of the packed kernel: K, or 2 for the four kernels of 2 x 2 taps which, applied to an image, make the
     *     quarters of what the 3 x 3 kernel makes of the image doubled (nearest neighbour). Their taps are sums of its,
     *     in double.
     * @param layer where in {@code target} it goes
     * @return what a product with these weights is multiplied by to undo their scale
     */
    public static float packOnHost(
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
