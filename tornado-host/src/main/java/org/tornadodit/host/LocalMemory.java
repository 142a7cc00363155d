package org.tornadodit.host;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/**
 * The local (shared) arrays of one work group. Every work item makes the same allocations in the same order and gets
 * the same arrays. Contents are undefined at first: NaN for floats, a large negative number for integers.
 */
final class LocalMemory {
    /** Static shared memory of a CUDA block, in bytes. */
    static final int LIMIT_BYTES = 48 * 1024;

    private static final int POISON = 0xDEADBEEF;

    private final List<Object> arrays = new ArrayList<>();
    private int used;
    private int bytes;

    /** A new group: the arrays are kept, their contents are not. */
    void reset() {
        used = 0;
        bytes = 0;
    }

    /**
     * The group's {@code ordinal}-th array.
     *
     * @param elementBytes bytes of one element on a device
     */
    Object array(int ordinal, Class<?> elementType, int length, int elementBytes) {
        if (ordinal == used) {
            bytes += length * elementBytes;
            if (length < 0 || bytes > LIMIT_BYTES) {
                throw new TornadoRuntimeException(
                        "local memory of " + bytes + " bytes is more than a group's " + LIMIT_BYTES);
            }
            if (ordinal == arrays.size()) {
                arrays.add(Array.newInstance(elementType, length));
            } else if (!fits(arrays.get(ordinal), elementType, length)) {
                arrays.set(ordinal, Array.newInstance(elementType, length));
            }
            poison(arrays.get(ordinal));
            used++;
        } else if (!fits(arrays.get(ordinal), elementType, length)) {
            throw new TornadoRuntimeException("local array " + ordinal + " is " + elementType.getSimpleName() + "["
                    + length + "] here and " + arrays.get(ordinal).getClass().getSimpleName()
                    + " of " + Array.getLength(arrays.get(ordinal))
                    + " in another work item of the group: all have to make the same allocations in the same order");
        }
        return arrays.get(ordinal);
    }

    private static boolean fits(Object array, Class<?> elementType, int length) {
        return array.getClass().getComponentType() == elementType && Array.getLength(array) == length;
    }

    private static void poison(Object array) {
        switch (array) {
            case float[] f -> Arrays.fill(f, Float.NaN);
            case double[] d -> Arrays.fill(d, Double.NaN);
            case int[] i -> Arrays.fill(i, POISON);
            case long[] l -> Arrays.fill(l, ((long) POISON << 32) | (POISON & 0xFFFFFFFFL));
            case byte[] b -> Arrays.fill(b, (byte) 0xEF);
            case HalfFloat[] h -> Arrays.fill(h, new HalfFloat(Float.NaN));
            default -> throw new IllegalArgumentException(array.getClass().getName());
        }
    }
}
