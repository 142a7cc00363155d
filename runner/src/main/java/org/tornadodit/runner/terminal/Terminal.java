package org.tornadodit.runner.terminal;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The terminal that stderr leads to.
 *
 * @param present whether there is one
 * @param columns its width
 */
public record Terminal(boolean present, int columns) {
    private static final Pattern SIZE = Pattern.compile("[0-9]+ ([0-9]+)\\s*");
    private static final int USUAL_COLUMNS = 80;

    /** No terminal: a file or a pipe. */
    static final Terminal NONE = new Terminal(false, USUAL_COLUMNS);

    /** A terminal as wide as it is now, or as {@code COLUMNS} and {@code -Ddit.columns} say. */
    public static Terminal now(boolean present) {
        return present ? new Terminal(true, Surroundings.columns().orElse(USUAL_COLUMNS)) : NONE;
    }

    /** What {@code stty} says of the terminal that controls this process; empty without one. */
    static OptionalInt controlling() {
        try {
            Process stty = new ProcessBuilder("stty", "size")
                    .redirectInput(new File("/dev/tty"))
                    .redirectError(ProcessBuilder.Redirect.DISCARD)
                    .start();
            if (!stty.waitFor(2, TimeUnit.SECONDS)) {
                stty.destroyForcibly();
                return OptionalInt.empty();
            }
            Matcher size = SIZE.matcher(new String(stty.getInputStream().readAllBytes(), StandardCharsets.US_ASCII));
            return size.matches() ? positive(size.group(1)) : OptionalInt.empty();
        } catch (IOException absent) {
            return OptionalInt.empty();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return OptionalInt.empty();
        }
    }

    /** A number of columns in words; empty for anything else, 0 included, which some terminals say. */
    static OptionalInt positive(String text) {
        return text.matches("[1-9][0-9]{0,4}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
    }
}
