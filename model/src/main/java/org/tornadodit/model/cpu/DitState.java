package org.tornadodit.model.cpu;

import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.dit.DitConfig;

/** All activations of a forward pass, allocated once for a batch of N images. */
final class DitState {

    private final DitConfig config;
    private final int batch;
    private float @Nullable [] positions;

    final float[] patches; // (N, T, C P P)
    final float[] x; // (N, T, D)
    final float[] normed; // (N, T, D), also the attention's output
    final float[] branch; // (N, T, D)
    final float[] hidden; // (N, T, 3 D) or (N, T, M)
    final float[] patchOutputs; // (N, T, P P outChannels)
    final float[] frequencies; // (N, 256)
    final float[] timestep; // (N, D)
    final float[] label; // (N, D)
    final float[] conditioning; // (N, D)
    final float[] modulation; // (N, 6 D)

    DitState(DitConfig config, int batch) {
        this.config = config;
        this.batch = batch;
        int rows = Math.multiplyExact(batch, config.tokens());
        int width = config.hiddenSize();
        patches = new float[Math.multiplyExact(batch, config.inputElements())];
        x = new float[Math.multiplyExact(rows, width)];
        normed = new float[x.length];
        branch = new float[x.length];
        hidden = new float[Math.multiplyExact(rows, Math.max(3 * width, config.mlpHidden()))];
        patchOutputs = new float[Math.multiplyExact(rows, config.patchOutputs())];
        frequencies = new float[batch * DitConfig.FREQUENCY_SIZE];
        timestep = new float[Math.multiplyExact(batch, width)];
        label = new float[timestep.length];
        conditioning = new float[timestep.length];
        modulation = new float[Math.multiplyExact(batch, 6 * width)];
    }

    /** Activations for {@code n} images: these, if they suffice. */
    DitState ofBatch(int n) {
        if (n <= batch) {
            return this;
        }
        DitState larger = new DitState(config, n);
        larger.positions = positions;
        return larger;
    }

    /** No activations, but the position embedding. */
    DitState released() {
        DitState none = new DitState(config, 0);
        none.positions = positions;
        return none;
    }

    /** Heap of the activations of {@code n} images. */
    static long heapBytes(DitConfig config, long n) {
        long rows = n * config.tokens();
        long width = config.hiddenSize();
        long ofRow = 3 * width + Math.max(3 * width, config.mlpHidden()) + config.patchOutputs();
        long ofImage = config.inputElements() + DitConfig.FREQUENCY_SIZE + 9 * width;
        return Float.BYTES * (rows * ofRow + n * ofImage);
    }

    /** The position embedding on the heap, (T, D). */
    float[] positions(Tensor embedding) {
        float[] present = positions;
        if (present == null) {
            present = embedding.toArray();
            positions = present;
        }
        return present;
    }
}
