package org.tornadodit.kernels.bench;

import java.util.SplittableRandom;
import org.tornadodit.kernels.ArrayPages;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Seeded inputs. */
final class Data {
    private Data() {}

    /** Uniform values of mean 0 and the given standard deviation. */
    static FloatArray random(long seed, int size, double deviation) {
        SplittableRandom random = new SplittableRandom(seed);
        FloatArray result = ArrayPages.floats(size);
        double width = deviation * Math.sqrt(12);
        for (int i = 0; i < size; i++) {
            result.set(i, (float) (width * (random.nextDouble() - 0.5)));
        }
        return result;
    }

    static FloatArray copy(FloatArray array) {
        FloatArray result = ArrayPages.floats(array.getSize());
        for (int i = 0; i < array.getSize(); i++) {
            result.set(i, array.get(i));
        }
        return result;
    }

    static IntArray ints(int... values) {
        IntArray result = ArrayPages.ints(values.length);
        for (int i = 0; i < values.length; i++) {
            result.set(i, values[i]);
        }
        return result;
    }
}
