package org.tornadodit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ByteCountTest {
    @Test
    void sizesHaveTheirUnit() {
        assertEquals("0 bytes", ByteCount.of(0));
        assertEquals("999 bytes", ByteCount.of(999));
        assertEquals("3 KB", ByteCount.of(3_100));
        assertEquals("999 KB", ByteCount.of(999_499));
        assertEquals("1 MB", ByteCount.of(999_500));
        assertEquals("45 MB", ByteCount.of(45_000_000));
        assertEquals("999 MB", ByteCount.of(999_499_999));
        assertEquals("1.00 GB", ByteCount.of(999_999_999));
        assertEquals("7.65 GB", ByteCount.of(7_654_321_000L));
    }

    /** No size is shown as nothing. */
    @Test
    void everyPowerOfTwoIsShownToTenPercent() {
        for (int bit = 0; bit < 62; bit++) {
            String[] words = ByteCount.of(1L << bit).split(" ", 2);
            double unit = switch (words[1]) {
                case "bytes" -> 1;
                case "KB" -> 1e3;
                case "MB" -> 1e6;
                case "GB" -> 1e9;
                default -> Double.NaN;
            };
            double shown = Double.parseDouble(words[0]) * unit;
            double relative = Math.abs(shown / (1L << bit) - 1);
            assertTrue(relative < 0.1, words[0] + " " + words[1]);
        }
        assertFalse(JavaHeap.shortage(1).contains(" 0 "), JavaHeap.shortage(1));
    }
}
