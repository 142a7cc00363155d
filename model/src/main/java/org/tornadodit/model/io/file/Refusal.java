package org.tornadodit.model.io.file;

import java.nio.file.Path;
import org.tornadodit.model.Printable;

/** Wording of {@link CheckpointException}s: one printable line, whatever the file contains. */
public final class Refusal {

    /** Characters of a message without its path, whatever was put into it. */
    private static final int LONGEST_LINE = 800;

    private Refusal() {}

    /** {@code FILE: SUBJECT: expected EXPECTED, found FOUND}. */
    public static CheckpointException of(Path file, String subject, String expected, String found) {
        return of(file, "%s: expected %s, found %s".formatted(subject, expected, found));
    }

    /** {@code FILE: WHAT}. */
    public static CheckpointException of(Path file, String what) {
        return new CheckpointException(path(file) + ": " + Printable.text(what, LONGEST_LINE));
    }

    /** {@link #of(Path, String)} with the exception that it comes from. */
    public static CheckpointException of(Path file, String what, Throwable cause) {
        return new CheckpointException(path(file) + ": " + Printable.text(what, LONGEST_LINE), cause);
    }

    /** What a JSON parser complains of, without its advice to programmers. */
    public static String json(Exception malformed) {
        String line = String.valueOf(malformed.getMessage()).lines().findFirst().orElse("malformed JSON");
        return printable(line.replace(
                "Use JsonReader.setStrictness(Strictness.LENIENT) to accept malformed JSON", "malformed JSON"));
    }

    /** {@code tensor NAME}, printable. */
    public static String tensor(String name) {
        return "tensor " + printable(name);
    }

    /** Text of a file for a message: no control characters, which could forge lines or drive a terminal, no walls. */
    public static String printable(String text) {
        return Printable.text(text);
    }

    /** A path in full: the user typed it and looks for it. */
    static String path(Path file) {
        return Printable.text(file.toString(), Integer.MAX_VALUE);
    }
}
