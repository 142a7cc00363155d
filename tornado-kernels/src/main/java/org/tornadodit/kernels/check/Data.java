package org.tornadodit.kernels.check;

import java.util.SplittableRandom;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Batch;
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

    /** A batch of so many passes of as many unguided samples, with labels 0. */
    static IntArray batch(int passes) {
        return batch(new int[passes], new boolean[passes], 0);
    }

    /** See {@link Batch#fill}; there is room for two passes a sample. */
    static IntArray batch(int[] labels, boolean[] guided, int nullClass) {
        IntArray result = ArrayPages.ints(Batch.length(2 * labels.length));
        Batch.fill(result, labels, guided, nullClass);
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
