package org.tornadodit.scheduler.graph;

import java.util.List;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.model.Tensor;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Weights that are yet to be sent to an array that lives on the device only, see {@link WeightStaging}. */
sealed interface StagedWeights {

    /** Elements of all tensors. */
    long elements();

    /** Elements of the largest tensor. */
    default long largest() {
        return elements();
    }

    /** Elements that have to be sent together. */
    long whole();

    /**
     * Numbers that stay float32.
     *
     * @param at where its first element goes
     * @param lastChannels input channels of a 3 x 3 convolution (O, C, 3, 3) that becomes (O, 3, 3, C); 0 for what stays as it is
     */
    record Floats(FloatArray target, int at, WeightValues values, int lastChannels) implements StagedWeights {
        Floats(FloatArray target, int at, WeightValues values) {
            this(target, at, values, 0);
        }

        /** All of a tensor. */
        Floats(FloatArray target, int at, Tensor tensor) {
            this(target, at, new WeightValues.Whole(tensor));
        }

        @Override
        public long elements() {
            return values.elements();
        }

        @Override
        public long whole() {
            return lastChannels > 0 ? elements() : 1;
        }
    }

    /**
     * The right operand of a product on tensor cores, see {@link org.tornadodit.kernels.PackedWeights}.
     *
     * @param target of it and of others, all with as many planes
     * @param at index of its first int there
     * @param layers of which it consists, one below the other; with one plane, one
     * @param rows of all
     * @param columns a multiple of 16
     * @param undo array of the factor that undoes its scale
     * @param elsewhere what other devices have, and whose magnitudes count for the scale: none with one plane
     */
    record Product(
            IntArray target,
            int at,
            List<WeightValues> layers,
            int rows,
            int columns,
            int planes,
            FloatArray undo,
            int undoAt,
            List<WeightValues> elsewhere)
            implements StagedWeights {
        Product(
                IntArray target,
                int at,
                List<WeightValues> layers,
                int rows,
                int columns,
                int planes,
                FloatArray undo,
                int undoAt) {
            this(target, at, layers, rows, columns, planes, undo, undoAt, List.of());
        }

        public Product {
            layers = List.copyOf(layers);
            elsewhere = List.copyOf(elsewhere);
            if (planes == 1 && layers.size() + elsewhere.size() > 1) {
                throw new IllegalArgumentException("layers with one scale in one plane");
            }
        }

        /** {@link #beyond} with two planes. */
        static final int MOST_BEYOND = 256 * 8 * 2;

        /** Ints that the last tile reads beyond the weights. */
        int beyond() {
            return TensorLinear.beyond(planes);
        }

        @Override
        public long elements() {
            return (long) rows * columns;
        }

        @Override
        public long largest() {
            return layers.stream().mapToLong(WeightValues::elements).max().orElse(0);
        }

        /** With two planes rows can wait, as floats, where they will be packed. */
        @Override
        public long whole() {
            return planes == 1 ? elements() : 8L * columns;
        }
    }

    /**
     * A convolution on tensor cores, see {@link org.tornadodit.kernels.ConvolutionWeights}.
     *
     * @param target of it and of others, all with as many planes
     * @param at index of its first int there
     * @param weight (O, C, K, K)
     * @param taps of the packed kernel a side
     * @param undo array of the factor that undoes its scale, the same for all
     * @param undoTimes what that is multiplied by
     */
    record Convolution(
            IntArray target, int at, Tensor weight, int taps, int planes, FloatArray undo, int undoAt, int undoTimes)
            implements StagedWeights {
        int out() {
            return Math.toIntExact(weight.shape().dim(0));
        }

        int in() {
            return Math.toIntExact(weight.shape().elements() / out() / (taps == 1 ? 1 : 9));
        }

        @Override
        public long elements() {
            return weight.shape().elements();
        }

        @Override
        public long whole() {
            return elements();
        }
    }
}
