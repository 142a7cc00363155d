package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * torch.nn.GroupNorm of images (N, H, W, C), and the SiLU that mostly follows it.
 *
 * <p>Three kernels: {@link #partial} gives mean and sum of squared differences of each part of an image and group,
 * {@link #finish} or {@link #finishMany} joins the parts, {@link #scaleAndShift} applies them. Parts are joined by the
 * formula of T. Chan, G. Golub and R. LeVeque (Updating formulae and a pairwise algorithm for computing sample variances, 1979); within a part
 * a thread sums differences from its first value, so that a large mean costs no accuracy.
 */
public final class GroupNorm {
    private static final int THREADS = 256;
    private static final int MAX_PARTS = 128;
    private static final int WARP = 32;
    /** Parts that one thread joins. TornadoVM unrolls its loop up to 21 to 23 of them, and then divides by itself. */
    private static final int FEW_PARTS = 23;

    private GroupNorm() {}

    /** Into how many parts an image of {@code pixels} pixels is divided. */
    public static int parts(int pixels) {
        return Math.clamp(Launch.ceilDiv(pixels, 64), 1, MAX_PARTS);
    }

    /** The launch of {@link #partial}. */
    public static WorkerGrid partialGrid(int n, int pixels) {
        return partsGrid(n, parts(pixels));
    }

    /** As {@link #partialGrid}, of so many parts of each image. */
    public static WorkerGrid partsGrid(int n, int parts) {
        return Launch.groups(n * parts, THREADS);
    }

    /** Makes an array the graph's that has it first: others store into it. Launch: {@link Launch#elementwise} of 1. */
    public static void clear(KernelContext context, FloatArray sums) {
        if (context.globalIdx == 0) {
            sums.set(0, 0f);
        }
    }

    /**
     * Mean and sum of squared differences of every part.
     *
     * @param x (N, H * W, C), of one image behind {@code skipped} pixels
     * @param sums (N, parts, groups, 2)
     * @param skipped pixels before the first image: with some rows of one image alone, its other rows
     * @param pixels of an image; with some parts of one image alone, of these
     * @param parts {@link #parts} of pixels, or as many of an image's
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
        float[] means = context.allocateFloatLocalArray(THREADS);
        float[] squares = context.allocateFloatLocalArray(THREADS);
        float[] counts = context.allocateFloatLocalArray(THREADS);
        int thread = context.localIdx;
        int perGroup = channels / groups;
        // As many whole groups as there are threads for; several lines of them when channels are few.
        int span = Math.min(channels, THREADS / perGroup * perGroup);
        int lines = THREADS / span;
        int image = context.groupIdx / parts;
        int part = context.groupIdx % parts;
        int perPart = (pixels + parts - 1) / parts;
        int firstPixel = part * perPart;
        int endPixel = Math.min(firstPixel + perPart, pixels);
        int line = thread / span;
        for (int first = 0; first < channels; first += span) {
            int channel = first + thread % span;
            float origin = 0f;
            float sum = 0f;
            float sumOfSquares = 0f;
            float count = 0f;
            if (line < lines && channel < channels && firstPixel + line < endPixel) {
                origin = x.get((skipped + image * pixels + firstPixel + line) * channels + channel);
                for (int pixel = firstPixel + line; pixel < endPixel; pixel += lines) {
                    float difference = x.get((skipped + image * pixels + pixel) * channels + channel) - origin;
                    sum += difference;
                    sumOfSquares += difference * difference;
                    count += 1f;
                }
                sumOfSquares = sumOfSquares - sum * (sum / count);
                sum = origin + sum / count;
            }
            means[thread] = sum;
            squares[thread] = sumOfSquares;
            counts[thread] = count;
            context.localBarrier();
            int group = first / perGroup + thread;
            if (thread < span / perGroup && group < groups) {
                float mean = 0f;
                float square = 0f;
                float total = 0f;
                for (int l = 0; l < lines; l++) {
                    for (int i = 0; i < perGroup; i++) {
                        int at = l * span + thread * perGroup + i;
                        float more = counts[at];
                        if (more > 0f) {
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
            context.localBarrier();
        }
    }

    /** The launch of {@link #finish}, or with many parts {@link #finishMany}. */
    public static WorkerGrid finishGrid(int n, int groups, int parts) {
        return parts <= FEW_PARTS
                ? Launch.elementwise(n * groups)
                : Launch.groups(n * groups, Launch.ceilDiv(parts, WARP) * WARP);
    }

    /** Appends {@link #finish}, or with many parts {@link #finishMany}. */
    public static TaskGraph finishTask(
            TaskGraph graph,
            String task,
            KernelContext context,
            FloatArray sums,
            FloatArray statistics,
            int n,
            int pixels,
            int channels,
            int groups,
            int parts,
            float epsilon) {
        return parts <= FEW_PARTS
                ? graph.task(
                        task, GroupNorm::finish, context, sums, statistics, n, pixels, channels, groups, parts, epsilon)
                : graph.task(
                        task,
                        GroupNorm::finishMany,
                        context,
                        sums,
                        statistics,
                        pixels,
                        channels,
                        groups,
                        parts,
                        epsilon);
    }

    /**
     * Mean and 1 / sqrt(variance + epsilon) of every image and group, each of few parts, whose shares the compiler has divided: they
     * are rounded to nearest, while a device's divisions are within 2 ulp. So this loop stays as it is, for pictures' bits.
     *
     * @param sums from {@link #partial}
     * @param statistics (N, groups, 2)
     * @param epsilon 1e-6 in diffusers' decoder
     */
    public static void finish(
            KernelContext context,
            FloatArray sums,
            FloatArray statistics,
            @AtLaunch int n,
            int pixels,
            int channels,
            int groups,
            int parts,
            float epsilon) {
        int index = context.globalIdx;
        if (index < n * groups) {
            int image = index / groups;
            int group = index % groups;
            int perPart = (pixels + parts - 1) / parts;
            float mean = 0f;
            float square = 0f;
            float total = 0f;
            for (int part = 0; part < parts; part++) {
                int inPart = Math.min(perPart, pixels - part * perPart);
                if (inPart > 0) {
                    int from = ((image * parts + part) * groups + group) * 2;
                    float more = (float) (inPart * (channels / groups));
                    float all = total + more;
                    float difference = sums.get(from) - mean;
                    mean = mean + difference * (more / all);
                    square = square + sums.get(from + 1) + difference * difference * (total * (more / all));
                    total = all;
                }
            }
            statistics.set(index * 2, mean);
            statistics.set(index * 2 + 1, LayerNorm.inverse(square / total + epsilon));
        }
    }

    /**
     * As {@link #finish}, of many parts, each image and group by a work group. Parts are joined one after the other, too; what
     * that takes of each, but the mean so far, a thread has ready.
     */
    public static void finishMany(
            KernelContext context,
            FloatArray sums,
            FloatArray statistics,
            int pixels,
            int channels,
            int groups,
            int parts,
            float epsilon) {
        float[] means = context.allocateFloatLocalArray(MAX_PARTS);
        float[] squares = context.allocateFloatLocalArray(MAX_PARTS);
        float[] shares = context.allocateFloatLocalArray(MAX_PARTS);
        float[] products = context.allocateFloatLocalArray(MAX_PARTS);
        float[] totals = context.allocateFloatLocalArray(MAX_PARTS);
        int part = context.localIdx;
        int perPart = (pixels + parts - 1) / parts;
        int used = (pixels + perPart - 1) / perPart; // the others are empty
        if (part < used) {
            int perPixel = channels / groups;
            float total = 0f;
            for (int before = 0; before < part; before++) {
                total += (float) (perPart * perPixel);
            }
            float more = (float) (Math.min(perPart, pixels - part * perPart) * perPixel);
            float all = total + more;
            float share = more / all;
            int from = ((context.groupIdx / groups * parts + part) * groups + context.groupIdx % groups) * 2;
            means[part] = sums.get(from);
            squares[part] = sums.get(from + 1);
            shares[part] = share;
            products[part] = total * share;
            totals[part] = all;
        }
        context.localBarrier();
        if (part == 0) {
            float mean = 0f;
            float square = 0f;
            for (int p = 0; p < used; p++) {
                float difference = means[p] - mean;
                mean = mean + difference * shares[p];
                square = square + squares[p] + difference * difference * products[p];
            }
            statistics.set(context.groupIdx * 2, mean);
            statistics.set(context.groupIdx * 2 + 1, LayerNorm.inverse(square / totals[used - 1] + epsilon));
        }
    }

    /**
     * The normalised images. Launch: {@link Launch#elementwise} of n * pixels * channels.
     *
     * @param layer (1): which of the layers whose weights and biases lie one after the other; 0 for a single one
     * @param x (N, H * W, C)
     * @param statistics from {@link #finish}
     * @param weight (C)
     * @param bias (C)
     * @param out (N, H * W, C), x itself if wanted
     * @param silu 1 to apply SiLU, else 0
     */
    public static void scaleAndShift(
            KernelContext context,
            IntArray layer,
            FloatArray x,
            FloatArray statistics,
            FloatArray weight,
            FloatArray bias,
            FloatArray out,
            @AtLaunch int n,
            int pixels,
            int channels,
            int groups,
            int silu) {
        int index = context.globalIdx;
        if (index < n * pixels * channels) {
            int channel = index % channels;
            int parameter = layer.get(0) * channels + channel;
            int image = index / (pixels * channels);
            int at = (image * groups + channel / (channels / groups)) * 2;
            float v = (x.get(index) - statistics.get(at)) * statistics.get(at + 1) * weight.get(parameter)
                    + bias.get(parameter);
            if (silu == 1) {
                v = FloatMath.silu(v);
            }
            out.set(index, v);
        }
    }
}
