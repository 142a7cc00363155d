package org.tornadodit.scheduler;

import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Weights and biases of the same layer in every block, one after the other, in the form that a tier's products read.
 * Stacked, so that one compiled graph serves all blocks; a graph's layer index says which it uses.
 *
 * @param weight (layers, out, in)
 * @param bias (layers, out)
 */
record ProductWeights(FloatArray weight, FloatArray bias, int out, int in) {

    Object[] arrays() {
        return new Object[] {weight, bias};
    }
}
