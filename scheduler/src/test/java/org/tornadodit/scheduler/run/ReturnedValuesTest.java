package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

class ReturnedValuesTest {
    /** Around what is summed together, looked at together and looked at by a thread. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3, 4, 5, 255, 256, 257, 1023, (1 << 21) + 3})
    void oneValueThatIsNotFiniteIsSeenWhereverItIs(int count) {
        float[] values = new float[count + 1];
        for (int i = 0; i < count; i++) {
            values[i] = switch (i % 5) {
                case 0 -> Float.MAX_VALUE;
                case 1 -> -Float.MAX_VALUE;
                case 2 -> Float.MIN_VALUE;
                case 3 -> -0f;
                default -> 1.5f;
            };
        }
        values[count] = Float.NaN; // not asked for
        assertTrue(ReturnedValues.areFinite(values, count));
        for (int at = 0; at < count; at += Math.max(1, count / 19)) {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                float good = values[at];
                values[at] = bad;
                assertFalse(ReturnedValues.areFinite(values, count), bad + " at " + at);
                values[at] = good;
            }
        }
    }

    /** The second portion, which is smaller, overwrites the first before anyone asks for the images. */
    @Test
    void imagesOfAllPortionsAreThere() {
        int portion = (1 << 17) + 5;
        FloatArray returned = new FloatArray(portion);
        ReturnedImages images = new ReturnedImages(returned, portion + 7);
        images.awaitNext();
        returned.init(1f);
        images.came(0, portion);
        images.awaitNext();
        for (int i = 0; i < 7; i++) {
            returned.set(i, 2f);
        }
        images.came(portion, 7);
        float[] expected = new float[portion + 7];
        Arrays.fill(expected, 0, portion, 1f);
        Arrays.fill(expected, portion, portion + 7, 2f);
        assertArrayEquals(expected, images.all());
    }

    @Test
    void imagesThatDidNotComeAreMarked() {
        FloatArray returned = new FloatArray(5000);
        ReturnedImages images = new ReturnedImages(returned, 5000);
        images.awaitNext();
        images.came(0, 5000);
        float[] all = images.all();
        assertThrows(ArithmeticException.class, () -> ReturnedValues.requireReturned(all, 5000));
    }
}
