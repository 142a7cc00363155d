package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What {@link TensorConv2d} computes, from the same maps and weights, by the tensor cores' instructions of a warp (mma.sync).
 *
 * <p>Eight warps share a tile of {@link #POSITIONS} positions and 128 output channels, each with {@link #ROWS} positions and
 * {@link #WIDTH} channels. All of them copy steps, one row of taps and 16 input channels each, into a ring of stages in shared
 * memory. With two planes high times high and the cross products have sums of their own, which every few steps are added up
 * outside the tensor core, because it truncates.
 */
public final class MmaConv2d {
    /** Positions of a tile. */
    static final int POSITIONS = 64;
    /** Positions of a warp. */
    private static final int ROWS = 32;
    /** Output channels of a warp. */
    private static final int WIDTH = 32;

    private static final int COLUMNS = ConvolutionWeights.COLUMNS;
    private static final int LANES = 32;
    /** 16 x 16 numbers of a warp's sums in registers. */
    private static final int SIXTEENS = 8;

    private static final int WARP_COLUMNS = COLUMNS / WIDTH;
    private static final int WARPS = POSITIONS / ROWS * WARP_COLUMNS;
    private static final int THREADS = LANES * WARPS;

    private MmaConv2d() {}

    /**
     * A launch's constants.
     *
     * @param form of the instructions
     */
    public record Tile(MmaForm form) implements ConvolutionTile {
        @Override
        public int blocks(ConvolutionShape shape, int taps, int planes, int multiprocessors) {
            return Math.min(
                    tiles(shape.n(), shape.height(), shape.width(), shape.outChannels(), taps), multiprocessors);
        }

        @Override
        public int threads() {
            return THREADS;
        }
    }

    private static int tiles(int n, int height, int width, int outChannels, int taps) {
        return (PackedMap.positions(n, height, width) + POSITIONS - 1)
                / POSITIONS
                * ((outChannels + COLUMNS - 1) / COLUMNS)
                * (taps == 2 ? 4 : 1);
    }

    private static int weightBytes(int taps, int planes) {
        return planes * taps * (COLUMNS * 32);
    }

    /** Bytes of a step's positions in one plane of eight channels. */
    private static int mapBytes(int taps) {
        return (POSITIONS + taps - 1) * 16;
    }

    /** Bytes of a step; a multiple of what the addresses of matrices are. */
    private static int stageBytes(int taps, int planes) {
        return (weightBytes(taps, planes) + 2 * planes * mapBytes(taps) + 127) / 128 * 128;
    }

    /** Steps in shared memory: as many as the smallest one that has background copies, 99 KB, can hold. */
    private static int stages(int form) {
        return form == MmaTile.AMPERE ? 3 : 2;
    }

    /** Bytes of shared memory of a work group. */
    public static int sharedBytes(int taps, int planes, MmaForm form) {
        return stages(form.code()) * stageBytes(taps, planes) + MmaTile.scratch(WARPS, form.code());
    }

    /** As {@link TensorConv2d#conv}; form: see {@link MmaForm#code}. */
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
            @AtLaunch int blocks,
            int form) {
        int thread = context.localIdx;
        SharedMemory.block(THREADS, 1);
        int stages = stages(form);
        int stageBytes = stageBytes(taps, planes);
        int shared = SharedMemory.dynamic(stages * stageBytes + MmaTile.scratch(WARPS, form));
        int images = run.get(DecoderRun.IMAGES);
        int layer = run.get(DecoderRun.LAYER);
        int tiles = tiles(images, height, width, outChannels, taps);
        int columnTiles = (outChannels + COLUMNS - 1) / COLUMNS;
        int subpixels = taps == 2 ? 4 : 1;
        int steps = Registers.opaque(channels / 16 * taps);
        int exactSteps = planes == 2 ? TensorConv2d.EXACT_STEPS : steps;
        int length = PackedMap.length(n, height, width);
        int layerWeights =
                weightAt + layer * (subpixels * columnTiles * (channels / 16 * taps) * (weightBytes(taps, planes) / 4));
        // Where the next copy is: a tile, and a step of it.
        int next = context.groupIdx;
        int nextStep = 0;
        for (int stage = 0; stage < stages - 1; stage++) {
            if (next < tiles) {
                copy(
                        shared + stage * stageBytes,
                        next,
                        nextStep,
                        map,
                        weight,
                        layerWeights,
                        length,
                        thread,
                        width,
                        channels,
                        columnTiles,
                        taps,
                        planes,
                        form);
            }
            MmaTile.commit(form);
            nextStep++;
            if (nextStep == steps) {
                nextStep = 0;
                next += blocks;
            }
        }

        int lane = thread % LANES;
        int warp = thread / LANES;
        int mapBytes = mapBytes(taps);
        int below = warp / WARP_COLUMNS * ROWS;
        int right = warp % WARP_COLUMNS * WIDTH;
        int a = shared + weightBytes(taps, planes) + below * 16 + MmaTile.left(lane, 128, planes * mapBytes, form);
        int b = shared + right * 16 + MmaTile.right(lane, 128, COLUMNS * 16, form);
        int biases = biasAt + layer * ConvolutionWeights.biases(outChannels);
        float undo = bias.get(biases + outChannels);
        float[] first = Registers.floats(ROWS / 16 * (WIDTH / 16) * SIXTEENS);
        float[] second = Registers.floats(planes == 2 ? ROWS / 16 * (WIDTH / 16) * SIXTEENS : 1);
        float[] sums = Registers.floats(planes == 2 ? ROWS / 16 * (WIDTH / 16) * SIXTEENS : 1);
        int stage = 0;
        for (int tile = context.groupIdx; tile < tiles; tile += blocks) {
            Registers.clear(sums);
            for (int begin = 0; begin < steps; begin += exactSteps) {
                int end = Math.min(begin + exactSteps, steps);
                Registers.clear(first);
                Registers.clear(second);
                for (int step = begin; step < end; step++) {
                    MmaTile.await(stages - 2, form);
                    context.localBarrier();
                    if (next < tiles) {
                        copy(
                                shared + (stage == 0 ? stages - 1 : stage - 1) * stageBytes,
                                next,
                                nextStep,
                                map,
                                weight,
                                layerWeights,
                                length,
                                thread,
                                width,
                                channels,
                                columnTiles,
                                taps,
                                planes,
                                form);
                    }
                    MmaTile.commit(form);
                    nextStep++;
                    if (nextStep == steps) {
                        nextStep = 0;
                        next += blocks;
                    }
                    int offset = stage * stageBytes;
                    for (int tap = 0; tap < taps; tap++) {
                        multiplyTap(
                                first,
                                second,
                                a + offset + tap * 16,
                                b + offset + tap * (COLUMNS * 32),
                                taps,
                                planes,
                                mapBytes,
                                form);
                    }
                    stage = stage == stages - 1 ? 0 : stage + 1;
                }
                if (planes == 2) {
                    Registers.addSplit(sums, first, second, 1f / PackedMap.LOW);
                }
            }
            int column = tile % columnTiles * COLUMNS + right + lane % 4 * 2;
            int subpixel = tile / columnTiles % subpixels;
            int position = tile / (columnTiles * subpixels) * POSITIONS + below + lane / 4;
            int scratch = shared + stages * stageBytes + warp * MmaTile.ARRANGED;
            if (planes == 2) {
                MmaTile.arrange(sums, 0, ROWS / 16 * (WIDTH / 16), scratch, lane, form);
            } else {
                MmaTile.arrange(first, 0, ROWS / 16 * (WIDTH / 16), scratch, lane, form);
            }
            for (int part = 0; part < ROWS / 16; part++) {
                int register = part * (WIDTH / 16) * SIXTEENS;
                if (planes == 2) {
                    TensorConv2d.store(
                            sums,
                            register,
                            WIDTH,
                            position + part * 16,
                            column,
                            subpixel,
                            biases,
                            undo,
                            bias,
                            residual,
                            out,
                            images,
                            height,
                            width,
                            outChannels,
                            taps,
                            epilogue);
                } else {
                    TensorConv2d.store(
                            first,
                            register,
                            WIDTH,
                            position + part * 16,
                            column,
                            subpixel,
                            biases,
                            undo,
                            bias,
                            residual,
                            out,
                            images,
                            height,
                            width,
                            outChannels,
                            taps,
                            epilogue);
                }
            }
        }
    }

    /** A thread's part of the copy of a step. */
    private static void copy(
            int to,
            int tile,
            int step,
            IntArray map,
            IntArray weight,
            int layerWeights,
            int length,
            int thread,
            int width,
            int channels,
            int columnTiles,
            int taps,
            int planes,
            int form) {
        int weightBytes = weightBytes(taps, planes);
        int mapBytes = mapBytes(taps);
        int subpixels = taps == 2 ? 4 : 1;
        int subpixel = tile / columnTiles % subpixels;
        int weightAt = layerWeights
                + ((subpixel * columnTiles + tile % columnTiles) * (channels / 16 * taps) + step) * (weightBytes / 4);
        for (int piece = 0; piece < weightBytes / 16; piece += THREADS) {
            MmaTile.copy(to + (piece + thread) * 16, weight, weightAt + (piece + thread) * 4, form);
        }
        int first = PackedMap.front(width)
                + tile / (columnTiles * subpixels) * POSITIONS
                + (TensorConv2d.firstTap(taps, subpixel / 2) + step % taps) * (width + 1)
                + TensorConv2d.firstTap(taps, subpixel % 2);
        int mapAt = (step / taps * (2 * planes * length) + first) * 4;
        int pieces = 2 * planes * (mapBytes / 16);
        for (int from = 0; from < pieces; from += THREADS) {
            int piece = from + thread;
            if (piece < pieces) {
                int plane = piece / (mapBytes / 16);
                int at = plane * length + piece - plane * (mapBytes / 16);
                MmaTile.copy(to + weightBytes + piece * 16, map, mapAt + at * 4, form);
            }
        }
    }

    /** One tap, 16 channels: addresses of plane 0. */
    private static void multiplyTap(
            float[] first, float[] second, int a, int b, int taps, int planes, int mapBytes, int form) {
        int size = MmaTile.registers(form);
        int[] left = Registers.ints(ROWS / 16 * planes * size);
        int[] right = Registers.ints(planes * size);
        for (int i = 0; i < ROWS / 16; i++) {
            for (int plane = 0; plane < planes; plane++) {
                int from = a + i * 256 + plane * mapBytes;
                MmaTile.load(left, (i * planes + plane) * size, from, planes * mapBytes, form);
            }
        }
        for (int j = 0; j < WIDTH / 16; j++) {
            for (int plane = 0; plane < planes; plane++) {
                int from = b + j * 256 + plane * taps * (COLUMNS * 32);
                MmaTile.load(right, plane * size, from, COLUMNS * 16, form);
            }
            for (int i = 0; i < ROWS / 16; i++) {
                int at = (i * (WIDTH / 16) + j) * SIXTEENS;
                MmaTile.multiply(first, at, left, i * planes * size, right, 0, form);
                if (planes == 2) {
                    MmaTile.multiply(second, at, left, i * planes * size + size, right, 0, form);
                    MmaTile.multiply(second, at, left, i * planes * size, right, size, form);
                }
            }
        }
    }
}
