package org.tornadodit.runner;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ProgressTest {

    @Test
    void tellsRateAndTimeLeft() {
        assertEquals(
                "sampling:  20% 50/250 [00:10<00:40, 5.00 steps/s]", Progress.line("sampling", 50, 250, 10, false));
        assertEquals("sampling:   1% 2/250 [00:20<41:20, 10.00 s/step]", Progress.line("sampling", 2, 250, 20, false));
    }

    @Test
    void drawsABarOnATerminal() {
        assertTrue(Progress.line("sampling", 125, 250, 10, true).contains("|###############               |"));
    }

    @Test
    void aLineAtTheEndElsewhereAndNothingWhenQuiet() {
        assertEquals(1, shown(false).lines().count());
        assertEquals("", shown(true));
    }

    private static String shown(boolean quiet) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (Progress progress =
                new Progress(new PrintStream(bytes, true, StandardCharsets.UTF_8), "sampling", 3, false, quiet)) {
            for (int i = 1; i <= 3; i++) {
                progress.update(i);
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
