package org.tornadodit.runner.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

class StartProgressTest {

    /** @param drawn whether something is shown before the line that is printed aside; waited for, else for two redraws */
    private static String shown(Terminal terminal, boolean quiet, boolean drawn) throws InterruptedException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        PrintStream out = new PrintStream(bytes, true, StandardCharsets.UTF_8);
        try (StartProgress progress = new StartProgress(out, terminal, quiet)) {
            progress.doing("device 0: kernels 12 of 81");
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            do {
                TimeUnit.MILLISECONDS.sleep(500);
            } while (drawn && bytes.size() == 0 && System.nanoTime() < end);
            progress.aside(() -> out.println("dit: a line"));
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }

    @Test
    void aTerminalHasALineThatIsGoneAtTheEnd() throws InterruptedException {
        String shown = shown(new Terminal(true, 31), false, true);
        assertTrue(
                Pattern.compile("\r\u001b\\[Kstarting, \\d+ s: device 0: kern[a-z]*\r")
                        .matcher(shown)
                        .find(),
                shown);
        for (String line : shown.split("[\r\n]")) {
            assertTrue(line.length() < 31 + "\u001b[K".length(), shown);
        }
        String afterLine = shown.substring(shown.indexOf("dit: a line"));
        assertTrue(shown.contains("\r\u001b[Kdit: a line\n"), shown);
        assertTrue(afterLine.equals("dit: a line\n") || afterLine.endsWith("\r\u001b[K"), shown);
    }

    @Test
    void aQuickStartHasNoLineElsewhere() throws InterruptedException {
        assertEquals("dit: a line\n", shown(Terminal.NONE, false, false));
        assertEquals("dit: a line\n", shown(new Terminal(true, 80), true, false));
    }
}
