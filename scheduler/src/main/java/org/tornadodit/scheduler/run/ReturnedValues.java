package org.tornadodit.scheduler.run;

import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.function.Supplier;
import org.tornadodit.scheduler.engine.OverflowException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Values that an engine hands out: whether a device returned them at all, and whether float32 holds them. */
final class ReturnedValues {
    /** A signalling NaN: arithmetic makes quiet ones only, so that no kernel's result is taken for it. */
    private static final int SPOILED = 0xffa5a5a5;

    private ReturnedValues() {}

    /** Marks all elements as not returned, before a copy that may fail in silence. */
    static void spoil(FloatArray array) {
        var segment = array.getSegment();
        for (long i = 0; i < array.getSize(); i++) {
            segment.setAtIndex(ValueLayout.JAVA_INT, i, SPOILED);
        }
    }

    static boolean areFinite(float[] values, int count) {
        for (int i = 0; i < count; i++) {
            if (!Float.isFinite(values[i])) {
                return false;
            }
        }
        return true;
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
        return wanted == values.length ? values : Arrays.copyOf(values, wanted);
    }

    /**
     * The first values, which a device has returned and float32 holds.
     *
     * @param overflow what is thrown for NaN and infinity: they are the model's, on any device
     * @throws ArithmeticException as of {@link #requireReturned}
     */
    static float[] requireFinite(float[] values, int wanted, Supplier<OverflowException> overflow) {
        float[] returned = requireReturned(values, wanted);
        if (!areFinite(returned, wanted)) {
            throw overflow.get();
        }
        return returned;
    }
}
