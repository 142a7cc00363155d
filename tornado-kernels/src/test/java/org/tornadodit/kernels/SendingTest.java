package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Who sends, in an int with another number. */
class SendingTest {
    private static final IntArray LINK = new IntArray(Exchange.LINK);

    @ParameterizedTest
    @CsvSource({"2, 1", "2, 2", "4, 2", "8, 8", "8, 1"})
    void allNumbersComeOutAgain(int ranks, int near) {
        for (int number : new int[] {0, 1, 16, 4095}) {
            int code = new Sending(LINK, ranks, near).with(number);
            assertEquals(number, Sending.number(code));
            assertEquals(ranks, Sending.ranks(code));
            assertEquals(near, Sending.near(code));
        }
        assertEquals(0, Sending.ranks(4095), "a number alone");
    }

    @Test
    void whatDoesNotFitIsRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Sending(LINK, 2, 2).with(4096));
        assertThrows(IllegalArgumentException.class, () -> new Sending(LINK, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Sending(LINK, 9, 1));
        assertThrows(IllegalArgumentException.class, () -> new Sending(LINK, 4, 3));
    }
}
