package org.tornadodit.scheduler.run;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.tornadodit.scheduler.engine.OverflowException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Values that an engine hands out: whether a device returned them at all, and whether float32 holds them. */
final class ReturnedValues {
    /** A signalling NaN: arithmetic makes quiet ones only, so that no kernel's result is taken for it. */
    private static final int SPOILED = 0xffa5a5a5;

    private ReturnedValues() {}

    /** Elements of a page of memory: nothing copies less. */
    private static final int PAGE = 1024;

    /** Elements that several threads look at. */
    private static final int MANY = 1 << 21;

    /** Elements that one of them looks at. */
    private static final int PART = 1 << 19;

    /** Elements that are looked at in one call: so few that a new process soon has called it often enough to compile it. */
    private static final int GLANCE = 256;

    /** Marks all elements as not returned, before a copy that may fail in silence. */
    static void spoil(FloatArray array) {
        spoil(array, 1);
    }

    /** As {@link #spoil}, but an element of each page and the last: for large arrays that are copied whole. */
    static void spoilPages(FloatArray array) {
        spoil(array, PAGE);
        array.getSegment().setAtIndex(ValueLayout.JAVA_INT, array.getSize() - 1, SPOILED);
    }

    private static void spoil(FloatArray array, int every) {
        var segment = array.getSegment();
        for (long i = 0; i < array.getSize(); i += every) {
            segment.setAtIndex(ValueLayout.JAVA_INT, i, SPOILED);
        }
    }

    static boolean areFinite(float[] values, int count) {
        if (count <= MANY) { // waking other threads would take longer
            return areFinite(values, 0, count);
        }
        return IntStream.range(0, Math.ceilDiv(count, PART))
                .parallel()
                .allMatch(part -> areFinite(values, part * PART, Math.min((part + 1) * PART, count)));
    }

    private static boolean areFinite(float[] values, int first, int end) {
        for (int i = first; i < end; i += GLANCE) {
            if (!areFiniteTogether(values, i, Math.min(i + GLANCE, end))) {
                return false;
            }
        }
        return true;
    }

    /**
     * Zero times NaN or infinity is NaN, which a sum keeps; times any other value it is zero. Four sums, for each addition waits
     * for the last to its sum.
     */
    private static boolean areFiniteTogether(float[] values, int first, int end) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        int i = first;
        for (; i + 4 <= end; i += 4) {
            a += values[i] * 0;
            b += values[i + 1] * 0;
            c += values[i + 2] * 0;
            d += values[i + 3] * 0;
        }
        for (; i < end; i++) {
            a += values[i] * 0;
        }
        return a + b + c + d == 0;
    }

    /**
     * The first values, which a device has returned.
     *
     * @throws ArithmeticException when one is as {@link #spoil} left it: the device's failure
     */
    static float[] requireReturned(float[] values, int wanted) {
        for (int i = 0; i < wanted; i++) {
            if (Float.floatToRawIntBits(values[i]) == SPOILED) {
                throw new ArithmeticException("value %d of %d did not come back".formatted(i, wanted));
            }
        }
        return first(values, wanted);
    }

    /**
     * The first values, which a device has returned and float32 holds.
     *
     * @param overflow what is thrown for NaN and infinity: they are the model's, on any device
     * @throws ArithmeticException as of {@link #requireReturned}
     */
    static float[] requireFinite(float[] values, int wanted, Supplier<OverflowException> overflow) {
        if (!areFinite(values, wanted)) {
            requireReturned(values, wanted); // what did not come back is no number either
            throw overflow.get();
        }
        return first(values, wanted);
    }

    private static float[] first(float[] values, int wanted) {
        return wanted == values.length ? values : Arrays.copyOf(values, wanted);
    }
}
