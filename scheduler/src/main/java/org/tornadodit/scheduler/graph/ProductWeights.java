package org.tornadodit.scheduler.graph;

import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.graph.WeightStaging.StagedLayers;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Weights and biases of the same layer in every block, one after the other, in the form that a tier's products read.
 * Stacked, so that one compiled graph serves all blocks; a graph's layer index says which it uses.
 *
 * @param weight (layers, out, in): floats, or halves packed in ints
 * @param bias (layers, out), of packed weights (layers, out + 1)
 * @param layers how many
 * @param toStage what is to be sent to the arrays, which live on the device only; null where they are sent as they are
 */
record ProductWeights(
        TornadoNativeArray weight,
        FloatArray bias,
        int layers,
        int out,
        int in,
        @Nullable StagedLayers toStage) {

    /** Arrays whose values are the host's. */
    ProductWeights(TornadoNativeArray weight, FloatArray bias, int layers, int out, int in) {
        this(weight, bias, layers, out, in, null);
    }

    /** @throws IllegalStateException when the arrays are the host's */
    StagedLayers staged() {
        if (toStage == null) {
            throw new IllegalStateException("these weights are the host's");
        }
        return toStage;
    }

    Object[] arrays() {
        return new Object[] {weight, bias};
    }

    /** @throws IllegalArgumentException when another tier's kernels want them */
    FloatArray floats() {
        if (weight instanceof FloatArray floats) {
            return floats;
        }
        throw new IllegalArgumentException(
                "weights of another tier: " + weight.getClass().getSimpleName());
    }

    /** @throws IllegalArgumentException when another tier's kernels want them */
    IntArray packed() {
        if (weight instanceof IntArray packed) {
            return packed;
        }
        throw new IllegalArgumentException(
                "weights of another tier: " + weight.getClass().getSimpleName());
    }
}
