package org.tornadodit.runner;

/** A word of a command that is shown for copying. */
final class ShellWord {

    private ShellWord() {}

    /** As a shell takes it: in quotes where it is not plain. */
    static String quoted(String text) {
        return text.matches("[\\w./+:@%,=-]+") ? text : "'" + text.replace("'", "'\\''") + "'";
    }
}
