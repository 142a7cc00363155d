package org.tornadodit.model.noise;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.model.NpyResource;

class CpuNoiseTest {

    private static final int CALL = 8 * 4 * 64 * 64;

    @Test
    void drawsWhatPyTorchDrawsToTheBit() {
        NoiseStream stream = TorchRandn.cpu(0);
        for (int call = 0; call < 3; call++) {
            float[] expected = NpyResource.floats(getClass(), "/noise/cpu" + call + ".npy");
            assertArrayEquals(expected, Arrays.copyOf(stream.next(CALL), 64), "call " + call);
        }
    }

    /** Short calls, whole blocks and redrawn tails, with a kept second value alive across longer calls. */
    @Test
    void drawsCallsOfAllSizesToTheBit() {
        float[] expected = NpyResource.floats(getClass(), "/noise/cpu-calls.npy");
        NoiseStream stream = TorchRandn.cpu(-123456789012L);
        int start = 0;
        for (int size : new int[] {3, 16, 17, 5, 100, 1, 31, 2, 640, 4}) {
            assertArrayEquals(
                    Arrays.copyOfRange(expected, start, start + size), stream.next(size), size + " from " + start);
            start += size;
        }
        assertEquals(expected.length, start);
    }

    @Test
    void givesAPartOfACallAndAdvancesAsForTheWhole() {
        for (int n : new int[] {7, 48, 75}) {
            NoiseStream stream = TorchRandn.cpu(11);
            NoiseStream parts = TorchRandn.cpu(11);
            float[] whole = stream.next(n);
            assertArrayEquals(Arrays.copyOfRange(whole, 2, n - 3), parts.next(n, 2, n - 3));
            stream.skip(n);
            parts.next(n);
            assertArrayEquals(stream.next(20), parts.next(20), "after two calls of " + n);
        }
    }

    /** The published test of mt19937 (C++'s standard, 26.5.5): the 10000th word from the default seed. */
    @Test
    void twistsAsTheStandardRequires() {
        Mt19937 generator = new Mt19937(5489);
        int word = 0;
        for (int i = 0; i < 10_000; i++) {
            word = generator.next();
        }
        assertEquals(4123659995L, Integer.toUnsignedLong(word));
    }

    @ParameterizedTest
    @CsvSource({
        "0, 0",
        "-1, -1",
        "18446744073709551615, -1",
        "-9223372036854775808, -9223372036854775808",
        "9223372036854775808, -9223372036854775808"
    })
    void readsSeedsAsManualSeedDoes(String text, long seed) {
        assertEquals(seed, TorchRandn.parseSeed(text));
    }

    @ParameterizedTest
    @CsvSource({
        "18446744073709551616, seed 18446744073709551616 is out of range: -2^63 to 2^64 - 1",
        "-9223372036854775809, seed -9223372036854775809 is out of range: -2^63 to 2^64 - 1",
        "1.5, seed '1.5' is not a whole number"
    })
    void refusesOtherSeeds(String text, String message) {
        IllegalArgumentException error = assertThrows(IllegalArgumentException.class, () -> TorchRandn.parseSeed(text));
        assertEquals(message, error.getMessage());
    }
}
