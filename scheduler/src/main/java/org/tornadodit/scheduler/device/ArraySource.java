package org.tornadodit.scheduler.device;

import java.util.function.Consumer;
import org.tornadodit.kernels.ArrayPages;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Where the arrays come from that graphs have on a device: all of them, so that who counts here has counted everything.
 * Sizes are longs, because counting goes on where memory ends.
 */
public interface ArraySource {

    /** Host memory of which devices have a copy. */
    ArraySource PAGES = new ArraySource() {
        @Override
        public FloatArray floats(long elements) {
            return ArrayPages.floats(indexed(elements));
        }

        @Override
        public IntArray ints(long elements) {
            return ArrayPages.ints(indexed(elements));
        }

        @Override
        public FloatArray deviceFloats(long elements) {
            return ArrayPages.deviceFloats(indexed(elements));
        }

        @Override
        public IntArray deviceInts(long elements) {
            return ArrayPages.deviceInts(indexed(elements));
        }

        @Override
        public FloatArray weightFloats(long elements) {
            return deviceFloats(elements);
        }

        @Override
        public IntArray weightInts(long elements) {
            return deviceInts(elements);
        }

        @Override
        public FloatArray floats(long elements, Consumer<FloatArray> fill) {
            FloatArray array = floats(elements);
            fill.accept(array);
            return array;
        }

        @Override
        public IntArray ints(long elements, Consumer<IntArray> fill) {
            IntArray array = ints(elements);
            fill.accept(array);
            return array;
        }
    };

    /**
     * An array of activations that the host sends or reads, all zero.
     *
     * @throws IllegalStateException when an array cannot have so many elements
     */
    FloatArray floats(long elements);

    /** As {@link #floats(long)}. */
    IntArray ints(long elements);

    /**
     * An array of activations that kernels alone write and read.
     *
     * @throws IllegalStateException when an array cannot have so many elements
     */
    FloatArray deviceFloats(long elements);

    /** As {@link #deviceFloats(long)}. */
    IntArray deviceInts(long elements);

    /**
     * An array of weights.
     *
     * @param fill writes its values; not called where arrays are only counted
     */
    FloatArray floats(long elements, Consumer<FloatArray> fill);

    /** As {@link #floats(long, Consumer)}. */
    IntArray ints(long elements, Consumer<IntArray> fill);

    /** An array of weights that kernels write. */
    FloatArray weightFloats(long elements);

    /** As {@link #weightFloats}. */
    IntArray weightInts(long elements);

    private static int indexed(long elements) {
        if (elements > Integer.MAX_VALUE) {
            throw new IllegalStateException(
                    "an array of %d elements is wanted, one can have %d; name fewer --class-labels"
                            .formatted(elements, Integer.MAX_VALUE));
        }
        return (int) elements;
    }
}
