package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.AtLaunch;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What goes into DiT's blocks: patches as rows for x_embedder, the sum of timestep and label embeddings, and rows of what was made of
 * such sums.
 *
 * <p>The sinusoids of the timestep are not made on the device: the host sends the 256 exact values of each pass, whereas the device's sine is only good to 1e-6 and far less for arguments near 1000.
 */
public final class Embedding {
    private Embedding() {}

    /** {@code to = from}: latents from the host become the device's own. Launch: {@link Launch#elementwise}. */
    public static void copy(KernelContext context, FloatArray from, FloatArray to, @AtLaunch int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            to.set(index, from.get(index));
        }
    }

    /**
     * The patches of the noisy latents as rows, for the linear layer that x_embedder's convolution is; both passes of a
     * guided sample see the same latents. Launch: {@link Launch#elementwise} of most passes * tokens * C * P * P.
     *
     * @param batch see {@link Batch}
     * @param latents (S, C, size, size)
     * @param out (N, T, C * P * P), T in rows of patches, features in the order of the convolution's weight
     * @param first of the tokens that are wanted
     * @param tokens that are wanted (T)
     */
    public static void patchify(
            KernelContext context,
            IntArray batch,
            FloatArray latents,
            FloatArray out,
            int channels,
            int size,
            int patch,
            int first,
            int tokens) {
        int index = context.globalIdx;
        int features = channels * patch * patch;
        int side = size / patch;
        if (index < batch.get(Batch.PASSES) * tokens * features) {
            int feature = index % features;
            int row = index / features;
            int token = first + row % tokens;
            int sample = batch.get(Batch.sample(row / tokens));
            int channel = feature / (patch * patch);
            int y = token / side * patch + feature / patch % patch;
            int x = token % side * patch + feature % patch;
            out.set(index, latents.get(((sample * channels + channel) * size + y) * size + x));
        }
    }

    /** What the autotuner chooses a variant of {@link #patchify}'s launch for. */
    public static OperationShape patchifyOperation(int samples, int channels, int size, int patch) {
        return OperationShape.of("patchify", samples, channels, size, patch);
    }

    /** The value of {@link #patchify}'s out[index]. */
    public static double patchifyReference(
            IntArray batch, FloatArray latents, int channels, int size, int patch, int index) {
        int q = index % patch;
        int p = index / patch % patch;
        int channel = index / (patch * patch) % channels;
        int token = index / (patch * patch * channels) % (size / patch * (size / patch));
        int sample = batch.get(Batch.sample(index / (patch * patch * channels) / (size / patch * (size / patch))));
        int y = token / (size / patch) * patch + p;
        int x = token % (size / patch) * patch + q;
        return latents.get(((sample * channels + channel) * size + y) * size + x);
    }

    /**
     * SiLU of the conditioning, {@code silu(t + y_embedder[label])}: every adaLN_modulation starts with this SiLU, so
     * it is done once. Launch: {@link Launch#elementwise} of most * hidden.
     *
     * @param batch see {@link Batch}
     * @param timestep (N, D), t_embedder's output
     * @param table (classes + 1, D), y_embedder.embedding_table
     * @param out (N, D)
     * @param most passes that the batch has room for
     */
    public static void condition(
            KernelContext context,
            IntArray batch,
            FloatArray timestep,
            FloatArray table,
            FloatArray out,
            @AtLaunch int most,
            int hidden) {
        int index = context.globalIdx;
        if (index < batch.get(Batch.PASSES) * hidden) {
            int label = batch.get(Batch.label(index / hidden, most));
            float v = timestep.get(index) + table.get(label * hidden + index % hidden);
            out.set(index, FloatMath.silu(v));
        }
    }

    /**
     * {@link #condition} of a model with a second time, MeanFlow's: {@code silu((t + r) + y_embedder[label])}. Launch as
     * there.
     *
     * @param interval (N, D), r_embedder's output
     */
    public static void conditionTwice(
            KernelContext context,
            IntArray batch,
            FloatArray timestep,
            FloatArray interval,
            FloatArray table,
            FloatArray out,
            int most,
            int hidden) {
        int index = context.globalIdx;
        if (index < batch.get(Batch.PASSES) * hidden) {
            int label = batch.get(Batch.label(index / hidden, most));
            float times = timestep.get(index) + interval.get(index);
            float v = times + table.get(label * hidden + index % hidden);
            out.set(index, FloatMath.silu(v));
        }
    }

    /** The float64 value of {@link #conditionTwice}'s out[index]. */
    public static double conditionTwiceReference(
            IntArray batch,
            FloatArray timestep,
            FloatArray interval,
            FloatArray table,
            int most,
            int hidden,
            int index) {
        int label = batch.get(Batch.label(index / hidden, most));
        double times = (double) timestep.get(index) + interval.get(index);
        return FloatMath.siluReference(times + table.get(label * hidden + index % hidden));
    }

    /** The float64 value of {@link #condition}'s out[index]. */
    public static double conditionReference(
            IntArray batch, FloatArray timestep, FloatArray table, int most, int hidden, int index) {
        int label = batch.get(Batch.label(index / hidden, most));
        return FloatMath.siluReference((double) timestep.get(index) + table.get(label * hidden + index % hidden));
    }

    /**
     * Takes a row of each of two tables for each pass: what was computed for several steps at once. Launch: {@link #takeGrid}.
     *
     * @param batch see {@link Batch}, for the number of passes N
     * @param rows (most): which row each pass takes
     * @param firstTable (rows, {@code firstWidth})
     * @param firstOut (N, {@code firstWidth})
     * @param secondTable (rows, {@code secondWidth})
     * @param secondOut (N, {@code secondWidth})
     * @param firstWidth a multiple of 4, as is {@code secondWidth}
     */
    public static void takeRows(
            KernelContext context,
            IntArray batch,
            IntArray rows,
            FloatArray firstTable,
            FloatArray firstOut,
            FloatArray secondTable,
            FloatArray secondOut,
            int firstWidth,
            int secondWidth) {
        int width = (firstWidth + secondWidth) / 4;
        int index = context.globalIdx;
        int pass = index / width;
        if (pass < batch.get(Batch.PASSES)) {
            int row = rows.get(pass);
            int at = (index - pass * width) * 4;
            if (at < firstWidth) {
                PeerMemory.copy4(firstTable, row * firstWidth + at, firstOut, pass * firstWidth + at);
            } else {
                int behind = at - firstWidth;
                PeerMemory.copy4(secondTable, row * secondWidth + behind, secondOut, pass * secondWidth + behind);
            }
        }
    }

    /** The launch of {@link #takeRows} for up to {@code most} passes. */
    public static WorkerGrid takeGrid(int most, int firstWidth, int secondWidth) {
        return Launch.elementwise(most * ((firstWidth + secondWidth) / 4));
    }

    /** Sets {@code count} elements to {@code value}. */
    public static void fill(KernelContext context, IntArray array, int count, int value) {
        int i = context.globalIdx;
        if (i < count) {
            array.set(i, value);
        }
    }
}
