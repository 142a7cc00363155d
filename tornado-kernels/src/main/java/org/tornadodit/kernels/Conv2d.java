package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.Conv2d with a 3 x 3 kernel, stride 1 and padding 1, as an implicit matrix product in plain FP32; optionally
 * of an image that is first doubled in size (nearest neighbour), which costs no pass of its own.
 *
 * <p>Images are (N, H, W, C), channels last: a pixel's channels are contiguous, so that a work group reads them as it
 * reads rows in {@link Linear}, 1 x 1 convolutions and attention's projections are {@link Linear} itself, and a group
 * of GroupNorm is a few neighbouring floats. The product has a row a pixel, a column an output channel, and
 * k = (tap, input channel), tap by tap; a thread finds where its pixels' neighbours lie once a tap, outside
 * the loop over the channels. The tile and that loop are {@link Linear}'s, and what is said there on their form holds
 * here. The tile's first loads of a tap are not hidden behind sums, which the other work group of the multiprocessor
 * makes up for.
 */
public final class Conv2d {
    private static final int K_TILE = Linear.K_TILE;
    private static final int STRIDE = Linear.TILE + 4;
    private static final int TILE = Linear.TILE;
    private static final int TAPS = 9;

    private Conv2d() {}

    /** The launch for n output images of (height, width) with {@code outChannels} channels. */
    public static WorkerGrid grid(int n, int height, int width, int outChannels) {
        return Linear.grid(Math.multiplyExact(n, height * width), outChannels, 1);
    }

    /**
     * The weight as {@link #conv3x3} reads it, (O, 3, 3, I), from PyTorch's (O, I, 3, 3).
     *
     * @return element ((o * 3 + y) * 3 + x) * in + i
     */
    public static float[] channelsLast(float[] weight, int outChannels, int inChannels) {
        float[] result = new float[outChannels * TAPS * inChannels];
        for (int o = 0; o < outChannels; o++) {
            for (int i = 0; i < inChannels; i++) {
                for (int tap = 0; tap < TAPS; tap++) {
                    result[(o * TAPS + tap) * inChannels + i] = weight[(o * inChannels + i) * TAPS + tap];
                }
            }
        }
        return result;
    }

    /** The convolution: {@link Conv2dArguments} says what its arguments are, and makes the task. */
    public static void conv3x3(
            KernelContext context,
            IntArray layer,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray residual,
            FloatArray out,
            @AtLaunch int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int scale,
            int epilogue) {
        float[] aShared = context.allocateFloatLocalArray(2 * K_TILE * STRIDE);
        float[] bShared = context.allocateFloatLocalArray(2 * K_TILE * STRIDE);
        int thread = context.localIdx;
        int firstRow = context.groupIdy * TILE;
        int firstColumn = context.groupIdx * TILE;
        int m = n * height * width;
        int loadK = thread % K_TILE;
        int pixel = firstRow + thread / K_TILE;
        int o = firstColumn + thread / K_TILE;
        int wBase = layer.get(0) * outChannels * TAPS * channels + loadK;
        int w0 = wBase + Linear.rowAt(o, outChannels) * TAPS * channels;
        int w1 = Linear.rowsOn(o, 32, outChannels) * TAPS * channels;
        int w2 = Linear.rowsOn(o, 64, outChannels) * TAPS * channels;
        int w3 = Linear.rowsOn(o, 96, outChannels) * TAPS * channels;
        int x0 = 0;
        int x1 = 0;
        int x2 = 0;
        int x3 = 0;

        int column = (thread % 2 + thread / 16 % 2 * 2 + thread / 32 % 4 * 4) * 4;
        int row = (thread / 2 % 8 + thread / 128 * 8) * 4;
        float c00 = 0f, c01 = 0f, c02 = 0f, c03 = 0f, c04 = 0f, c05 = 0f, c06 = 0f, c07 = 0f;
        float c10 = 0f, c11 = 0f, c12 = 0f, c13 = 0f, c14 = 0f, c15 = 0f, c16 = 0f, c17 = 0f;
        float c20 = 0f, c21 = 0f, c22 = 0f, c23 = 0f, c24 = 0f, c25 = 0f, c26 = 0f, c27 = 0f;
        float c30 = 0f, c31 = 0f, c32 = 0f, c33 = 0f, c34 = 0f, c35 = 0f, c36 = 0f, c37 = 0f;
        float c40 = 0f, c41 = 0f, c42 = 0f, c43 = 0f, c44 = 0f, c45 = 0f, c46 = 0f, c47 = 0f;
        float c50 = 0f, c51 = 0f, c52 = 0f, c53 = 0f, c54 = 0f, c55 = 0f, c56 = 0f, c57 = 0f;
        float c60 = 0f, c61 = 0f, c62 = 0f, c63 = 0f, c64 = 0f, c65 = 0f, c66 = 0f, c67 = 0f;
        float c70 = 0f, c71 = 0f, c72 = 0f, c73 = 0f, c74 = 0f, c75 = 0f, c76 = 0f, c77 = 0f;
        float p0 = 0f;
        float p1 = 0f;
        float p2 = 0f;
        float p3 = 0f;
        float q0 = 0f;
        float q1 = 0f;
        float q2 = 0f;
        float q3 = 0f;
        int store = loadK * STRIDE + thread / K_TILE;
        // Carried along instead of computed from the tap: one register less, and there is none to spare.
        int wAt = w0;
        for (int tap = 0; tap < TAPS; tap++) {
            x0 = neighbour(Linear.rowAt(pixel, m), tap, height, width, channels, scale, loadK);
            x1 = neighbour(Linear.rowAt(pixel + 32, m), tap, height, width, channels, scale, loadK);
            x2 = neighbour(Linear.rowAt(pixel + 64, m), tap, height, width, channels, scale, loadK);
            x3 = neighbour(Linear.rowAt(pixel + 96, m), tap, height, width, channels, scale, loadK);
            p0 = 0f;
            p1 = 0f;
            p2 = 0f;
            p3 = 0f;
            q0 = 0f;
            q1 = 0f;
            q2 = 0f;
            q3 = 0f;
            if (channels % K_TILE == 0 || loadK < channels) {
                q0 = weight.get(wAt);
                q1 = weight.get(wAt + w1);
                q2 = weight.get(wAt + w2);
                q3 = weight.get(wAt + w3);
                if (x0 >= 0) {
                    p0 = x.get(x0);
                }
                if (x1 >= 0) {
                    p1 = x.get(x1);
                }
                if (x2 >= 0) {
                    p2 = x.get(x2);
                }
                if (x3 >= 0) {
                    p3 = x.get(x3);
                }
            }
            // The last tile of the tap before may still be in use.
            context.localBarrier();
            aShared[store] = p0;
            aShared[store + 32] = p1;
            aShared[store + 64] = p2;
            aShared[store + 96] = p3;
            bShared[store] = q0;
            bShared[store + 32] = q1;
            bShared[store + 64] = q2;
            bShared[store + 96] = q3;
            for (int channel = 0; channel < channels; channel += K_TILE) {
                int buffer = (channel & K_TILE) * STRIDE;
                context.localBarrier();
                // The last round loads the tap's first tile once more instead of branching.
                int next = channel + K_TILE < channels ? channel + K_TILE : 0;
                p0 = 0f;
                p1 = 0f;
                p2 = 0f;
                p3 = 0f;
                q0 = 0f;
                q1 = 0f;
                q2 = 0f;
                q3 = 0f;
                if (channels % K_TILE == 0 || next + loadK < channels) {
                    int wNext = wAt + next;
                    q0 = weight.get(wNext);
                    q1 = weight.get(wNext + w1);
                    q2 = weight.get(wNext + w2);
                    q3 = weight.get(wNext + w3);
                    if (x0 >= 0) {
                        p0 = x.get(x0 + next);
                    }
                    if (x1 >= 0) {
                        p1 = x.get(x1 + next);
                    }
                    if (x2 >= 0) {
                        p2 = x.get(x2 + next);
                    }
                    if (x3 >= 0) {
                        p3 = x.get(x3 + next);
                    }
                }
                int aAt = buffer + row;
                int bAt = buffer + column;
                for (int i = 0; i < 4; i++) {
                    int a = aAt + i * STRIDE;
                    int b = bAt + i * STRIDE;
                    float a0 = aShared[a];
                    float a1 = aShared[a + 1];
                    float a2 = aShared[a + 2];
                    float a3 = aShared[a + 3];
                    float a4 = aShared[a + 64];
                    float a5 = aShared[a + 65];
                    float a6 = aShared[a + 66];
                    float a7 = aShared[a + 67];
                    float b0 = bShared[b];
                    float b1 = bShared[b + 1];
                    float b2 = bShared[b + 2];
                    float b3 = bShared[b + 3];
                    float b4 = bShared[b + 64];
                    float b5 = bShared[b + 65];
                    float b6 = bShared[b + 66];
                    float b7 = bShared[b + 67];
                    // spotless:off
                    c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
                    c04 += a0 * b4; c05 += a0 * b5; c06 += a0 * b6; c07 += a0 * b7;
                    c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
                    c14 += a1 * b4; c15 += a1 * b5; c16 += a1 * b6; c17 += a1 * b7;
                    c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
                    c24 += a2 * b4; c25 += a2 * b5; c26 += a2 * b6; c27 += a2 * b7;
                    c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
                    c34 += a3 * b4; c35 += a3 * b5; c36 += a3 * b6; c37 += a3 * b7;
                    c40 += a4 * b0; c41 += a4 * b1; c42 += a4 * b2; c43 += a4 * b3;
                    c44 += a4 * b4; c45 += a4 * b5; c46 += a4 * b6; c47 += a4 * b7;
                    c50 += a5 * b0; c51 += a5 * b1; c52 += a5 * b2; c53 += a5 * b3;
                    c54 += a5 * b4; c55 += a5 * b5; c56 += a5 * b6; c57 += a5 * b7;
                    c60 += a6 * b0; c61 += a6 * b1; c62 += a6 * b2; c63 += a6 * b3;
                    c64 += a6 * b4; c65 += a6 * b5; c66 += a6 * b6; c67 += a6 * b7;
                    c70 += a7 * b0; c71 += a7 * b1; c72 += a7 * b2; c73 += a7 * b3;
                    c74 += a7 * b4; c75 += a7 * b5; c76 += a7 * b6; c77 += a7 * b7;
                    // spotless:on
                }
                for (int i = 4; i < 8; i++) {
                    int a = aAt + i * STRIDE;
                    int b = bAt + i * STRIDE;
                    float a0 = aShared[a];
                    float a1 = aShared[a + 1];
                    float a2 = aShared[a + 2];
                    float a3 = aShared[a + 3];
                    float a4 = aShared[a + 64];
                    float a5 = aShared[a + 65];
                    float a6 = aShared[a + 66];
                    float a7 = aShared[a + 67];
                    float b0 = bShared[b];
                    float b1 = bShared[b + 1];
                    float b2 = bShared[b + 2];
                    float b3 = bShared[b + 3];
                    float b4 = bShared[b + 64];
                    float b5 = bShared[b + 65];
                    float b6 = bShared[b + 66];
                    float b7 = bShared[b + 67];
                    // spotless:off
                    c00 += a0 * b0; c01 += a0 * b1; c02 += a0 * b2; c03 += a0 * b3;
                    c04 += a0 * b4; c05 += a0 * b5; c06 += a0 * b6; c07 += a0 * b7;
                    c10 += a1 * b0; c11 += a1 * b1; c12 += a1 * b2; c13 += a1 * b3;
                    c14 += a1 * b4; c15 += a1 * b5; c16 += a1 * b6; c17 += a1 * b7;
                    c20 += a2 * b0; c21 += a2 * b1; c22 += a2 * b2; c23 += a2 * b3;
                    c24 += a2 * b4; c25 += a2 * b5; c26 += a2 * b6; c27 += a2 * b7;
                    c30 += a3 * b0; c31 += a3 * b1; c32 += a3 * b2; c33 += a3 * b3;
                    c34 += a3 * b4; c35 += a3 * b5; c36 += a3 * b6; c37 += a3 * b7;
                    c40 += a4 * b0; c41 += a4 * b1; c42 += a4 * b2; c43 += a4 * b3;
                    c44 += a4 * b4; c45 += a4 * b5; c46 += a4 * b6; c47 += a4 * b7;
                    c50 += a5 * b0; c51 += a5 * b1; c52 += a5 * b2; c53 += a5 * b3;
                    c54 += a5 * b4; c55 += a5 * b5; c56 += a5 * b6; c57 += a5 * b7;
                    c60 += a6 * b0; c61 += a6 * b1; c62 += a6 * b2; c63 += a6 * b3;
                    c64 += a6 * b4; c65 += a6 * b5; c66 += a6 * b6; c67 += a6 * b7;
                    c70 += a7 * b0; c71 += a7 * b1; c72 += a7 * b2; c73 += a7 * b3;
                    c74 += a7 * b4; c75 += a7 * b5; c76 += a7 * b6; c77 += a7 * b7;
                    // spotless:on
                }
                int other = K_TILE * STRIDE - buffer + store;
                aShared[other] = p0;
                aShared[other + 32] = p1;
                aShared[other + 64] = p2;
                aShared[other + 96] = p3;
                bShared[other] = q0;
                bShared[other + 32] = q1;
                bShared[other + 64] = q2;
                bShared[other + 96] = q3;
            }
            wAt += channels;
        }
        context.localBarrier();

        for (int threadRow = 0; threadRow < 8; threadRow++) {
            int at = row / 4 * TILE + column;
            // spotless:off
            if (threadRow == 0) {
                aShared[at] = c00; aShared[at + 1] = c01; aShared[at + 2] = c02; aShared[at + 3] = c03;
                aShared[at + 64] = c04; aShared[at + 65] = c05; aShared[at + 66] = c06; aShared[at + 67] = c07;
            } else if (threadRow == 1) {
                aShared[at] = c10; aShared[at + 1] = c11; aShared[at + 2] = c12; aShared[at + 3] = c13;
                aShared[at + 64] = c14; aShared[at + 65] = c15; aShared[at + 66] = c16; aShared[at + 67] = c17;
            } else if (threadRow == 2) {
                aShared[at] = c20; aShared[at + 1] = c21; aShared[at + 2] = c22; aShared[at + 3] = c23;
                aShared[at + 64] = c24; aShared[at + 65] = c25; aShared[at + 66] = c26; aShared[at + 67] = c27;
            } else if (threadRow == 3) {
                aShared[at] = c30; aShared[at + 1] = c31; aShared[at + 2] = c32; aShared[at + 3] = c33;
                aShared[at + 64] = c34; aShared[at + 65] = c35; aShared[at + 66] = c36; aShared[at + 67] = c37;
            } else if (threadRow == 4) {
                aShared[at] = c40; aShared[at + 1] = c41; aShared[at + 2] = c42; aShared[at + 3] = c43;
                aShared[at + 64] = c44; aShared[at + 65] = c45; aShared[at + 66] = c46; aShared[at + 67] = c47;
            } else if (threadRow == 5) {
                aShared[at] = c50; aShared[at + 1] = c51; aShared[at + 2] = c52; aShared[at + 3] = c53;
                aShared[at + 64] = c54; aShared[at + 65] = c55; aShared[at + 66] = c56; aShared[at + 67] = c57;
            } else if (threadRow == 6) {
                aShared[at] = c60; aShared[at + 1] = c61; aShared[at + 2] = c62; aShared[at + 3] = c63;
                aShared[at + 64] = c64; aShared[at + 65] = c65; aShared[at + 66] = c66; aShared[at + 67] = c67;
            } else if (threadRow == 7) {
                aShared[at] = c70; aShared[at + 1] = c71; aShared[at + 2] = c72; aShared[at + 3] = c73;
                aShared[at + 64] = c74; aShared[at + 65] = c75; aShared[at + 66] = c76; aShared[at + 67] = c77;
            }
            // spotless:on
            context.localBarrier();
            for (int i = thread; i < 16 * TILE; i += Linear.THREADS) {
                int outColumn = firstColumn + i % TILE;
                int outRow = firstRow + threadRow / 4 * 64 + i / TILE * 4 + threadRow % 4;
                if ((outChannels % TILE == 0 || outColumn < outChannels) && (m % TILE == 0 || outRow < m)) {
                    Epilogue.store(
                            bias,
                            layer.get(0) * outChannels,
                            residual,
                            bias,
                            out,
                            0,
                            outRow,
                            outColumn,
                            outChannels,
                            epilogue,
                            1,
                            0,
                            0,
                            aShared[i]);
                }
            }
            context.localBarrier();
        }
    }

    /** Element {@code channel} of a pixel's neighbour under a tap (0..8) in the input; -1 when it lies outside. */
    private static int neighbour(int pixel, int tap, int height, int width, int channels, int scale, int channel) {
        int x = pixel % width + tap % 3;
        int line = pixel / width;
        int y = line % height + tap / 3;
        int image = line / height;
        int result = -1;
        if (x > 0 && x <= width && y > 0 && y <= height) {
            int sourceLine = image * (height / scale) + (y - 1) / scale;
            result = (sourceLine * (width / scale) + (x - 1) / scale) * channels + channel;
        }
        return result;
    }

    /** The float64 value of out[pixel, channel], pixel counting through (N, H, W). */
    public static double reference(
            IntArray layer,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray residual,
            int height,
            int width,
            int channels,
            int outChannels,
            int scale,
            int epilogue,
            int pixel,
            int outChannel) {
        double sum = 0;
        int image = pixel / (height * width);
        for (int dy = -1; dy <= 1; dy++) {
            for (int dx = -1; dx <= 1; dx++) {
                int row = pixel / width % height + dy;
                int col = pixel % width + dx;
                if (row < 0 || row >= height || col < 0 || col >= width) {
                    continue;
                }
                int from = ((image * (height / scale) + row / scale) * (width / scale) + col / scale) * channels;
                int by = ((layer.get(0) * outChannels + outChannel) * TAPS + (dy + 1) * 3 + dx + 1) * channels;
                for (int c = 0; c < channels; c++) {
                    sum += (double) x.get(from + c) * weight.get(by + c);
                }
            }
        }
        return Epilogue.reference(
                bias,
                layer.get(0) * outChannels,
                residual,
                bias,
                pixel,
                outChannel,
                outChannels,
                epilogue,
                1,
                0,
                0,
                sum);
    }
}
