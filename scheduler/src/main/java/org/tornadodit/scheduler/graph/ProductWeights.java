package org.tornadodit.scheduler.graph;

import java.util.List;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Weights and biases of the same layer in every block, one after the other, in the form that a tier's products read.
 * Stacked, so that one compiled graph serves all blocks; a graph's layer index says which it uses. The arrays live on the
 * device only.
 *
 * @param weight (layers, out, in): floats, or halves packed in ints
 * @param bias (layers, out), of packed weights (layers, out + 1)
 * @param layers how many
 * @param staged what is to be sent to the arrays
 */
record ProductWeights(
        TornadoNativeArray weight, FloatArray bias, int layers, int out, int in, List<StagedWeights> staged) {

    ProductWeights {
        staged = List.copyOf(staged);
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
