package org.tornadodit.runner.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgressTest {

    @Test
    void tellsRateAndTimeLeft() {
        assertEquals(
                "sampling:  20% 50/250 [00:10<00:40, 5.00 steps/s]",
                new ProgressLine("sampling", 50, 250, 10, 5).text());
        assertEquals(
                "sampling:   0% 2/250 [00:20<41:20, 10.00 s/step]",
                new ProgressLine("sampling", 2, 250, 20, 0.1).text());
        assertEquals("sampling: step 57 [00:10, 5.00 steps/s]", new ProgressLine("sampling", 57, 0, 10, 5).text());
        assertEquals("step 57", new ProgressLine("sampling", 57, 0, 10, 5).fitted(10));
        assertEquals("sampling:   0% 0/250 [00:00<?, ? steps/s]", new ProgressLine("sampling", 0, 250, 0, 0).text());
    }

    @Test
    void drawsABarOnATerminal() {
        assertTrue(new ProgressLine("sampling", 125, 250, 10, 12.5)
                .fitted(120)
                .contains("|###############               |"));
    }

    @ParameterizedTest
    @ValueSource(ints = {120, 79, 59, 39, 20, 4})
    void fitsTheTerminal(int columns) {
        for (int done : new int[] {0, 7, 999, 1000}) {
            String line = new ProgressLine("batch 10 of 10", done, 1000, 360_000, 0.002).fitted(columns);
            assertTrue(line.length() <= columns, columns + " columns: \"" + line + "\"");
            assertTrue(line.contains("%"), line);
            assertEquals(columns >= 79, line.contains("s/step") || line.contains("? steps/s"), line);
            assertEquals(columns >= 39, line.contains("["), line);
        }
    }

    @Test
    void theTimeLeftFollowsTheLastSteps() {
        RecentRate rate = new RecentRate(0);
        assertEquals(0, rate.perSecond());
        rate.add(1, 60); // compiles
        assertEquals(1 / 60.0, rate.perSecond(), 1e-9);
        for (int step = 2; step <= 20; step++) {
            rate.add(step, 60 + (step - 1));
        }
        assertEquals(1, rate.perSecond(), 1e-9);
    }

    @Test
    void stepsThatWereDoneBeforeTookNoTimeNow() {
        RecentRate rate = new RecentRate(200);
        rate.add(201, 2);
        assertEquals(0.5, rate.perSecond(), 1e-9);
    }

    @Test
    void aLineAtTheEndElsewhereAndNothingWhenQuiet() {
        assertEquals(1, shown(Terminal.NONE, false).lines().count());
        assertEquals("", shown(Terminal.NONE, true));
        assertEquals("", shown(new Terminal(true, 60), true));
    }

    /** Steps that nobody could count before end with the number that there were. */
    @Test
    void theLastStepOfUnknownlyManyIsShown() {
        for (Terminal terminal : new Terminal[] {Terminal.NONE, new Terminal(true, 60)}) {
            String shown = shown(0, terminal, false);
            String last = shown.lines().toList().getLast();
            assertTrue(last.substring(last.lastIndexOf("sampling")).startsWith("sampling: step 3 ["), shown);
        }
    }

    /** What a terminal of 60 columns shows when each piece has erased the line before it. */
    @Test
    void leavesNoResidueOnATerminal() {
        String shown = shown(new Terminal(true, 60), false);
        for (String drawn : shown.split("[\r\n]")) {
            assertTrue(drawn.isEmpty() || drawn.startsWith("\u001b[K"), shown);
            assertTrue(drawn.length() < 60 + "\u001b[K".length(), shown);
        }
        assertTrue(shown.startsWith("\r\u001b[Ksampling:   0%"), "before the first step: " + shown);
        assertTrue(shown.contains("\r\u001b[Kdit: a device failed\n\r\u001b[Ksampling:"), shown);
        assertTrue(shown.endsWith("\n"), shown);
        assertFalse(shown.endsWith("\n\n"), shown);
    }

    private static String shown(Terminal terminal, boolean quiet) {
        return shown(3, terminal, quiet);
    }

    /** @param total steps that are known of the three */
    private static String shown(int total, Terminal terminal, boolean quiet) {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        try (Progress progress = new Progress(out, "sampling", 0, total, terminal, quiet)) {
            progress.begin();
            for (int i = 1; i <= 3; i++) {
                progress.update(i);
                if (i == 1 && terminal.present() && !quiet) {
                    progress.aside(() -> out.println("dit: a device failed"));
                }
            }
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
