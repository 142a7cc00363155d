package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Approximate;
import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.MemoryBarrier;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Wgmma;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link Conv2d} on Hopper's tensor cores: 3 x 3 with padding 1, 1 x 1, and 3 x 3 of an image that is first doubled.
 *
 * <p>An implicit matrix product whose rows are the positions of {@link PackedMap}, borders included (what they yield is
 * not stored). The rows of a tap are as contiguous as the positions themselves, and an 8x8 matrix of the tensor core is
 * eight positions of eight channels wherever it starts: a tap is an address, nothing is copied or unfolded. A step of the
 * product is one row of taps and 16 input channels: the positions of a tile and its neighbours, and the weights.
 *
 * <p>A block takes tiles of 256 / planes positions and 128 output channels until there are none left. One warpgroup's first
 * thread copies steps into a {@link Pipeline}, two warpgroups multiply, each half of the positions. With one
 * plane a warpgroup has 128 positions, in two accumulators; with two planes 64, whose accumulators are high times high
 * and the cross products, which every {@link #EXACT_STEPS} steps are added to sums outside the tensor core, because it truncates
 * as it accumulates.
 *
 * <p>The doubled image's 3 x 3 convolution is four of 2 x 2 taps on the small image, one for each subpixel of the output
 * pixel, 4/9 of the arithmetic.
 */
public final class TensorConv2d {
    private static final int THREADS = 384;
    private static final int CONSUMERS = 256;
    private static final int COLUMNS = ConvolutionWeights.COLUMNS;
    /** 12 steps of 3 taps and 16 channels are 576 products of each sum. */
    static final int EXACT_STEPS = 12;

    private TensorConv2d() {}

    /** The only one. */
    public record Tile() implements ConvolutionTile {
        @Override
        public int blocks(ConvolutionShape shape, int taps, int planes, int multiprocessors) {
            return Math.min(
                    tiles(shape.n(), shape.height(), shape.width(), shape.outChannels(), taps, planes),
                    multiprocessors);
        }

        @Override
        public int threads() {
            return THREADS;
        }
    }

    private static int positions(int planes) {
        return PackedMap.TILE / planes;
    }

    private static int tiles(int n, int height, int width, int outChannels, int taps, int planes) {
        return (PackedMap.positions(n, height, width) + positions(planes) - 1)
                / positions(planes)
                * ((outChannels + COLUMNS - 1) / COLUMNS)
                * (taps == 2 ? 4 : 1);
    }

    private static int weightBytes(int taps, int planes) {
        return planes * taps * (COLUMNS * 32);
    }

    /** Bytes of a step's positions in one plane of eight channels. */
    private static int mapBytes(int taps, int planes) {
        return (positions(planes) + taps - 1) * 16;
    }

    private static int stageBytes(int taps, int planes) {
        return (weightBytes(taps, planes) + 2 * planes * mapBytes(taps, planes) + 127) / 128 * 128;
    }

    private static int stages(int taps, int planes) {
        return Pipeline.stages(stageBytes(taps, planes), Pipeline.MOST_STAGES);
    }

    /** Steps of a tile, {@code taps} for 16 channels, after which sums or, with one plane, stages begin anew. */
    public static int period(int taps, int planes) {
        return planes == 2 ? EXACT_STEPS : stages(taps, planes);
    }

    /** Rows or columns from an output pixel to its first tap; of a doubled image's subpixel 0 or 1, to the small pixel's. */
    static int firstTap(int taps, int subpixel) {
        return taps == 3 ? -1 : taps == 2 ? subpixel - 1 : 0;
    }

    /** The convolution: {@link TensorConv2dArguments} says what its arguments are, and makes the task. */
    public static void conv(
            KernelContext context,
            IntArray run,
            IntArray map,
            IntArray weight,
            FloatArray bias,
            FloatArray residual,
            FloatArray out,
            int weightAt,
            int biasAt,
            @AtLaunch int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int taps,
            int planes,
            int epilogue,
            @AtLaunch int blocks) {
        int thread = context.localIdx;
        SharedMemory.block(THREADS, 1);
        int stages = stages(taps, planes);
        int stageBytes = stageBytes(taps, planes);
        int shared = SharedMemory.dynamic(Pipeline.bytes(stages, stageBytes));
        int ring = Pipeline.ring(shared);
        int images = run.get(DecoderRun.IMAGES);
        int tiles = tiles(images, height, width, outChannels, taps, planes);
        if (thread == 0) {
            Pipeline.initialize(shared, stages, CONSUMERS / 32);
        }
        MemoryBarrier.fenceInitialization();
        SharedMemory.fenceAsync();
        context.localBarrier();
        if (thread >= CONSUMERS) {
            Wgmma.decreaseRegisters(40);
            if (thread == CONSUMERS) {
                int place = 0;
                for (int tile = context.groupIdx; tile < tiles; tile += blocks) {
                    place = copy(
                            tile,
                            place,
                            run.get(DecoderRun.LAYER),
                            map,
                            weight,
                            weightAt,
                            shared,
                            stages,
                            n,
                            height,
                            width,
                            channels,
                            outChannels,
                            taps,
                            planes);
                }
            }
        } else {
            Wgmma.increaseRegisters(232);
            int lane = thread % 32;
            int mapBytes = mapBytes(taps, planes);
            int steps = Registers.opaque(channels / 16 * taps);
            int exactSteps = planes == 2 ? EXACT_STEPS : channels / 16 * taps;
            int a = Wgmma.descriptor(
                    ring + weightBytes(taps, planes) + thread / 128 * (positions(planes) / 2 * 16), planes * mapBytes);
            int b = Wgmma.descriptor(ring, COLUMNS * 16);
            int biases = biasAt + run.get(DecoderRun.LAYER) * ConvolutionWeights.biases(outChannels);
            float undo = bias.get(biases + outChannels);
            float[] first = Registers.floats(COLUMNS / 2);
            float[] second = Registers.floats(COLUMNS / 2);
            float[] sums = Registers.floats(COLUMNS / 2);
            int place = 0;
            for (int tile = context.groupIdx; tile < tiles; tile += blocks) {
                Registers.clear(sums);
                for (int begin = 0; begin < steps; begin += exactSteps) {
                    int end = Math.min(begin + exactSteps, steps);
                    Registers.clear(first);
                    Registers.clear(second);
                    for (int step = begin; step < end; step++) {
                        int offset = Pipeline.stage(place, stages) * (stageBytes / 16);
                        Pipeline.awaitFull(shared, stages, place);
                        Wgmma.fence();
                        for (int column = 0; column < taps; column++) {
                            multiplyTap(
                                    first,
                                    second,
                                    a + offset + column,
                                    b + offset + column * (COLUMNS * 2),
                                    taps,
                                    planes,
                                    mapBytes);
                        }
                        Wgmma.commit();
                        Wgmma.await(1);
                        // The stage before this one is read; the one before the first of these steps was left already.
                        int before = Pipeline.before(place, stages);
                        Pipeline.leave(shared, stages, before, Math.max(lane, 1 - (step - begin)));
                        place = Pipeline.next(place, stages);
                    }
                    Wgmma.await(0);
                    Pipeline.leave(shared, stages, Pipeline.before(place, stages), lane);
                    if (planes == 2) {
                        Registers.addSplit(sums, first, second, 1f / PackedMap.LOW);
                    }
                }
                if (planes == 2) {
                    store(
                            sums,
                            0,
                            biases,
                            undo,
                            bias,
                            residual,
                            out,
                            tile,
                            thread,
                            images,
                            height,
                            width,
                            outChannels,
                            taps,
                            planes,
                            epilogue);
                } else {
                    store(
                            first,
                            0,
                            biases,
                            undo,
                            bias,
                            residual,
                            out,
                            tile,
                            thread,
                            images,
                            height,
                            width,
                            outChannels,
                            taps,
                            planes,
                            epilogue);
                    store(
                            second,
                            64,
                            biases,
                            undo,
                            bias,
                            residual,
                            out,
                            tile,
                            thread,
                            images,
                            height,
                            width,
                            outChannels,
                            taps,
                            planes,
                            epilogue);
                }
            }
        }
    }

    /**
     * The producer's part of a tile: fills a stage as soon as both warpgroups have left it.
     *
     * @param start the place of the first stage
     * @return the place after the last
     */
    private static int copy(
            int tile,
            int start,
            int layer,
            IntArray map,
            IntArray weight,
            int firstWeight,
            int shared,
            int stages,
            int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int taps,
            int planes) {
        int mapBytes = mapBytes(taps, planes);
        int weightBytes = weightBytes(taps, planes);
        int stageBytes = stageBytes(taps, planes);
        int columnTiles = (outChannels + COLUMNS - 1) / COLUMNS;
        int subpixels = taps == 2 ? 4 : 1;
        int length = PackedMap.length(n, height, width);
        int channelSteps = Registers.opaque(channels / 16);
        int tapRows = Registers.opaque(taps);
        int column = tile % columnTiles;
        int subpixel = tile / columnTiles % subpixels;
        int position = tile / (columnTiles * subpixels) * positions(planes);
        int first = PackedMap.front(width)
                + position
                + firstTap(taps, subpixel / 2) * (width + 1)
                + firstTap(taps, subpixel % 2);
        int weightAt = firstWeight
                + ((layer * subpixels + subpixel) * columnTiles + column) * (channels / 16 * taps * (weightBytes / 4));
        int place = start;
        for (int c = 0; c < channelSteps; c++) {
            int mapAt = (c * (2 * planes * length) + first) * 4;
            for (int row = 0; row < tapRows; row++) {
                int stage = Pipeline.stage(place, stages);
                int to = Pipeline.ring(shared) + stage * stageBytes;
                int full = Pipeline.full(shared, stage);
                Pipeline.awaitEmpty(shared, stages, place);
                MemoryBarrier.arriveExpecting(full, weightBytes + 2 * planes * mapBytes);
                MemoryBarrier.copy(to, weight, weightAt, weightBytes, full);
                for (int p = 0; p < 2 * planes; p++) {
                    MemoryBarrier.copy(to + weightBytes + p * mapBytes, map, mapAt + p * (length * 4), mapBytes, full);
                }
                mapAt += (width + 1) * 4;
                weightAt += weightBytes / 4;
                place = Pipeline.next(place, stages);
            }
        }
        return place;
    }

    /** One tap, 16 channels: descriptors a and b of plane 0. */
    private static void multiplyTap(float[] first, float[] second, int a, int b, int taps, int planes, int mapBytes) {
        if (planes == 1) {
            Wgmma.multiply(first, a, b, 128, 128, COLUMNS);
            Wgmma.multiply(second, a + 64, b, 128, 128, COLUMNS);
        } else {
            Wgmma.multiply(first, a, b, 128, 128, COLUMNS);
            Wgmma.multiply(second, a + mapBytes / 16, b, 128, 128, COLUMNS);
            Wgmma.multiply(second, a, b + taps * (COLUMNS * 2), 128, 128, COLUMNS);
        }
    }

    /** Pixel of the output at a position, -1 for a border. */
    private static int outPixel(int distance, int n, int height, int width, int taps, int subpixel) {
        int pixel = PackedMap.pixel(distance, n, height, width);
        if (taps == 2 && pixel >= 0) {
            int row = pixel / width;
            pixel = (row * 2 + subpixel / 2) * (2 * width) + (pixel - row * width) * 2 + subpixel % 2;
        }
        return pixel;
    }

    /** 64 positions of a tile, {@code after} the warpgroup's first, from their accumulators. */
    private static void store(
            float[] sums,
            int after,
            int firstBias,
            float scale,
            FloatArray bias,
            FloatArray residual,
            FloatArray out,
            int tile,
            int thread,
            int n,
            int height,
            int width,
            int outChannels,
            int taps,
            int planes,
            int epilogue) {
        int columnTiles = (outChannels + COLUMNS - 1) / COLUMNS;
        int subpixels = taps == 2 ? 4 : 1;
        int column = tile % columnTiles * COLUMNS + thread % 4 * 2;
        int subpixel = tile / columnTiles % subpixels;
        int position = tile / (columnTiles * subpixels) * positions(planes)
                + thread / 128 * (positions(planes) / 2)
                + after
                + thread / 32 % 4 * 16
                + thread % 32 / 4;
        store(
                sums,
                0,
                COLUMNS,
                position,
                column,
                subpixel,
                firstBias,
                scale,
                bias,
                residual,
                out,
                n,
                height,
                width,
                outChannels,
                taps,
                epilogue);
    }

    /**
     * 16 positions and {@code columns} output channels of a warp.
     *
     * @param register of {@code sums}, the first
     * @param position of a lane, that of its second row is 8 further
     * @param column a lane's first
     */
    static void store(
            float[] sums,
            int register,
            int columns,
            int position,
            int column,
            int subpixel,
            int firstBias,
            float scale,
            FloatArray bias,
            FloatArray residual,
            FloatArray out,
            int n,
            int height,
            int width,
            int outChannels,
            int taps,
            int epilogue) {
        float[] biases = Registers.floats(columns / 4);
        for (int j = 0; j < columns / 8; j++) {
            if (column + 8 * j < outChannels) {
                GlobalMemory.load2(bias, firstBias + column + 8 * j, biases, 2 * j);
            }
        }
        for (int h = 0; h < 2; h++) {
            int pixel = outPixel(position + 8 * h, n, height, width, taps, subpixel);
            if (pixel >= 0) {
                storeRow(
                        sums,
                        register,
                        columns,
                        h,
                        biases,
                        scale,
                        residual,
                        out,
                        pixel * outChannels,
                        column,
                        outChannels,
                        epilogue);
            }
        }
    }

    /** Row h of two that a thread has of 16: all loads, then all stores, for the two may be of the same array. */
    private static void storeRow(
            float[] sums,
            int register,
            int columns,
            int h,
            float[] biases,
            float scale,
            FloatArray residual,
            FloatArray out,
            int row,
            int column,
            int outChannels,
            int epilogue) {
        float[] added = Registers.floats(columns / 4);
        if (epilogue == Epilogue.RESIDUAL) {
            for (int j = 0; j < columns / 8; j++) {
                if (column + 8 * j < outChannels) {
                    GlobalMemory.load2(residual, row + column + 8 * j, added, 2 * j);
                }
            }
        }
        for (int j = 0; j < columns / 8; j++) {
            if (column + 8 * j < outChannels) {
                int from = register + 4 * j + 2 * h;
                GlobalMemory.store2(
                        out,
                        row + column + 8 * j,
                        value(sums, from, biases, added, 2 * j, scale),
                        value(sums, from + 1, biases, added, 2 * j + 1, scale));
            }
        }
    }

    private static float value(float[] sums, int i, float[] biases, float[] added, int j, float scale) {
        return Approximate.fma(Registers.get(sums, i), scale, Registers.get(biases, j)) + Registers.get(added, j);
    }
}
