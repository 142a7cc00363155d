package org.tornadodit.runner.terminal;

/** A word of a command that is shown for copying. */
public final class ShellWord {

    private ShellWord() {}

    /** As a shell takes it: in quotes where it is not plain. */
    public static String quoted(String text) {
        return text.matches("[\\w./+:@%,=-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
