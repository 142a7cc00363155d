package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * {@link GroupNorm#partial} with accesses of 16 bytes, several under way in each thread, so that it runs at the memory's
 * pace. Same launch, same result but for the order of sums.
 */
public final class GroupStatistics {
    private static final int THREADS = 256;
    /** Pixels whose loads a thread has under way. */
    public static final int AHEAD = 8;

    private GroupStatistics() {}

    /** Whether the kernel can do it: a thread takes four channels. */
    public static boolean fits(int channels) {
        return channels % 4 == 0 && channels <= 4 * THREADS;
    }

    /**
     * Mean and sum of squared differences of every part, see {@link GroupNorm#partial}.
     *
     * @param channels see {@link #fits}
     */
    public static void partial(
            KernelContext context,
            FloatArray x,
            FloatArray sums,
            int skipped,
            int pixels,
            int channels,
            int groups,
            int parts) {
        float[] means = context.allocateFloatLocalArray(4 * THREADS);
        float[] squares = context.allocateFloatLocalArray(4 * THREADS);
        int thread = context.localIdx;
        int perGroup = channels / groups;
        int quads = channels / 4;
        int lines = THREADS / quads;
        int image = context.groupIdx / parts;
        int part = context.groupIdx % parts;
        int perPart = (pixels + parts - 1) / parts;
        int firstPixel = part * perPart;
        int endPixel = Math.min(firstPixel + perPart, pixels);
        int line = thread / quads;
        int begin = firstPixel + line;
        if (line < lines && begin < endPixel) {
            int channel = thread % quads * 4;
            int from = (skipped + image * pixels) * channels + channel;
            float[] v = Registers.floats(4 * AHEAD);
            float[] origin = Registers.floats(4);
            float[] sum = Registers.floats(4);
            float[] square = Registers.floats(4);
            GlobalMemory.load4(x, from + begin * channels, origin, 0);
            int pixel = begin;
            while (pixel + (AHEAD - 1) * lines < endPixel) {
                for (int i = 0; i < AHEAD; i++) {
                    GlobalMemory.load4(x, from + (pixel + i * lines) * channels, v, 4 * i);
                }
                for (int i = 0; i < AHEAD; i++) {
                    add(v, 4 * i, origin, sum, square);
                }
                pixel += AHEAD * lines;
            }
            while (pixel < endPixel) {
                GlobalMemory.load4(x, from + pixel * channels, v, 0);
                add(v, 0, origin, sum, square);
                pixel += lines;
            }
            float count = (float) ((endPixel - begin + lines - 1) / lines);
            int at = line * channels + channel;
            for (int j = 0; j < 4; j++) {
                float s = Registers.get(sum, j);
                means[at + j] = Registers.get(origin, j) + s / count;
                squares[at + j] = Registers.get(square, j) - s * (s / count);
            }
        }
        context.localBarrier();
        for (int group = thread; group < groups; group += THREADS) {
            float mean = 0f;
            float square = 0f;
            float total = 0f;
            for (int l = 0; l < lines; l++) {
                if (firstPixel + l < endPixel) {
                    float more = (float) ((endPixel - firstPixel - l + lines - 1) / lines);
                    for (int i = 0; i < perGroup; i++) {
                        int at = l * channels + group * perGroup + i;
                        float all = total + more;
                        float difference = means[at] - mean;
                        mean = mean + difference * (more / all);
                        square = square + squares[at] + difference * difference * (total * more / all);
                        total = all;
                    }
                }
            }
            int to = ((image * parts + part) * groups + group) * 2;
            sums.set(to, mean);
            sums.set(to + 1, square);
        }
    }

    /** Adds the differences of four channels' values from their origins. */
    private static void add(float[] v, int i, float[] origin, float[] sum, float[] square) {
        for (int j = 0; j < 4; j++) {
            float difference = Registers.get(v, i + j) - Registers.get(origin, j);
            Registers.set(sum, j, Registers.get(sum, j) + difference);
            Registers.set(square, j, Registers.get(square, j) + difference * difference);
        }
    }
}
