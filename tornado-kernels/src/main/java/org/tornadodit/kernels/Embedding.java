package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What goes into DiT's blocks: patches as rows for x_embedder, and the sum of timestep and label embeddings.
 *
 * <p>The sinusoids of the timestep are not made on the device: a step has one timestep for all samples, so the host
 * sends its 256 exact values, whereas the device's sine is only good to 1e-6 and far less for arguments near 1000.
 */
public final class Embedding {
    private Embedding() {}

    /** {@code to = from}: latents from the host become the device's own. Launch: {@link Launch#elementwise}. */
    public static void copy(KernelContext context, FloatArray from, FloatArray to, int elements) {
        int index = context.globalIdx;
        if (index < elements) {
            to.set(index, from.get(index));
        }
    }

    /**
     * The patches of the noisy latents as rows, for the linear layer that x_embedder's convolution is; both halves of a
     * guided batch see the same latents. Launch: {@link Launch#elementwise} of samples * tokens * C * P * P.
     *
     * @param latents (distinct, C, size, size)
     * @param out (samples, T, C * P * P), T in rows of patches, features in the order of the convolution's weight
     * @param samples samples of the batch; sample i shows the latents of i modulo distinct
     */
    public static void patchify(
            KernelContext context,
            FloatArray latents,
            FloatArray out,
            int samples,
            int distinct,
            int channels,
            int size,
            int patch) {
        int index = context.globalIdx;
        int features = channels * patch * patch;
        int side = size / patch;
        if (index < samples * side * side * features) {
            int feature = index % features;
            int row = index / features;
            int token = row % (side * side);
            int sample = row / (side * side) % distinct;
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
            FloatArray latents, int distinct, int channels, int size, int patch, int index) {
        int q = index % patch;
        int p = index / patch % patch;
        int channel = index / (patch * patch) % channels;
        int token = index / (patch * patch * channels) % (size / patch * (size / patch));
        int sample = index / (patch * patch * channels) / (size / patch * (size / patch)) % distinct;
        int y = token / (size / patch) * patch + p;
        int x = token % (size / patch) * patch + q;
        return latents.get(((sample * channels + channel) * size + y) * size + x);
    }

    /**
     * SiLU of the conditioning, {@code silu(t + y_embedder[label])}: every adaLN_modulation starts with this SiLU, so
     * it is done once. Launch: {@link Launch#elementwise} of samples * hidden.
     *
     * @param timestep (D), t_embedder's output, the same for all samples
     * @param table (classes + 1, D), y_embedder.embedding_table
     * @param labels (samples), the null class for the unconditional half
     * @param out (samples, D)
     */
    public static void condition(
            KernelContext context,
            FloatArray timestep,
            FloatArray table,
            IntArray labels,
            FloatArray out,
            int samples,
            int hidden) {
        int index = context.globalIdx;
        if (index < samples * hidden) {
            int column = index % hidden;
            float v = timestep.get(column) + table.get(labels.get(index / hidden) * hidden + column);
            out.set(index, FloatMath.silu(v));
        }
    }

    /** The float64 value of {@link #condition}'s out[index]. */
    public static double conditionReference(
            FloatArray timestep, FloatArray table, IntArray labels, int hidden, int index) {
        int column = index % hidden;
        return FloatMath.siluReference(
                (double) timestep.get(column) + table.get(labels.get(index / hidden) * hidden + column));
    }

    /** Sets {@code count} elements to {@code value}. */
    public static void fill(KernelContext context, IntArray array, int count, int value) {
        int i = context.globalIdx;
        if (i < count) {
            array.set(i, value);
        }
    }
}
