package org.tornadodit.runner.terminal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.util.concurrent.ExecutionException;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.runner.CommandLineRun;
import org.tornadodit.runner.Runner;

/** Whatever is thrown, the user reads one line in plain words. */
class ErrorLineTest {

    @Test
    void errorsOfTheMachineAreWords() {
        says("out of memory: Java's heap of ", new OutOfMemoryError("Java heap space"));
        says("out of memory: Java's heap of ", new ExecutionException(new OutOfMemoryError("GC overhead")));
        says("no more threads", new OutOfMemoryError("unable to create native thread: possibly out of memory"));
        says("nested too deeply", new StackOverflowError());
        says("does not fit: org/example/Missing; --debug", new NoClassDefFoundError("org/example/Missing"));
        says("out of reach", new ExceptionInInitializerError(new IllegalStateException("out of reach")));
        says("internal error: odd", new AssertionError("odd"));
        InternalError fault = new InternalError("a fault occurred in an unsafe memory access operation");
        says("a file became shorter", fault);
        assertEquals(ExitCode.CHECKPOINT, ErrorLine.exitCode(fault));
        assertEquals(ExitCode.FAILURE, ErrorLine.exitCode(new OutOfMemoryError("Java heap space")));
    }

    @Test
    void noNamesOfClasses() {
        says("x.png: no permission", new AccessDeniedException("x.png"));
        says("x.png: Too many open files", new FileSystemException("x.png", null, "Too many open files"));
        says("disk on fire", new UncheckedIOException(new IOException("disk on fire")));
        says("why", new RuntimeException("java.lang.IllegalStateException: why"));
        says("unexpected null pointer; --debug shows where", new NullPointerException());
        assertEquals(ExitCode.CHECKPOINT, ErrorLine.exitCode(new ExecutionException(new CheckpointException("x"))));
    }

    @Test
    void whatDrivesATerminalOrFillsItIsTakenOut() {
        assertEquals("a?[2Jb; c", ErrorLine.of(new IOException("a\u001b[2Jb\nc")));
        String wall = ErrorLine.of(new IOException("begin" + "x".repeat(1_000_000) + "end"));
        assertTrue(wall.startsWith("begin") && wall.endsWith("end") && wall.length() <= 2000, "it is cut");
        StringWriter shown = new StringWriter();
        try (PrintWriter err = new PrintWriter(new PrintableWriter(shown))) {
            err.print("tab\tand line\n\u001b]0;title\u0007 \u202e \ud83d\ude00");
        }
        assertEquals("tab\tand line\n?]0;title? ? \ud83d\ude00", shown.toString());
        CommandLineRun run = CommandLineRun.of("sample", "--model", "\u001b[31mred\nsecond");
        assertFalse(run.err().contains("\u001b"), run.err());
        assertEquals(1, run.err().lines().filter(line -> line.contains("red")).count(), run.err());
    }

    @Test
    void unwritableStdoutIsAnError() {
        PrintStream full = new PrintStream(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("No space left on device");
            }
        });
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        int exitCode = Runner.run(full, new PrintStream(err, true, StandardCharsets.UTF_8), "score", "100");
        assertEquals(ExitCode.FAILURE, exitCode);
        assertTrue(err.toString(StandardCharsets.UTF_8).contains("stdout"), err.toString(StandardCharsets.UTF_8));
    }

    private static void says(String part, Throwable thrown) {
        String line = ErrorLine.of(thrown);
        assertTrue(line.contains(part), line);
        assertFalse(line.matches(".*(Exception|Error\\b|java\\.).*"), line);
    }
}
