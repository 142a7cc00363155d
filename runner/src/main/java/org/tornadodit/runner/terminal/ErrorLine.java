package org.tornadodit.runner.terminal;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileSystemException;
import java.util.Locale;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.DiskError;
import org.tornadodit.model.metrics.ImageFileException;
import org.tornadodit.scheduler.device.DeviceUnavailableException;

/** What the user reads of whatever was thrown: one printable line in plain words, without names of Java classes. */
public final class ErrorLine {
    /** Enough for a path of full length and what to do about it. */
    private static final int LONGEST = 2000;

    /** What {@code Throwable.toString} puts before a message. */
    private static final Pattern CLASS_NAME =
            Pattern.compile("\\b(?:[a-z_][\\w$]*\\.){2,}[A-Z][\\w$]*(?:Exception|Error)\\b(?:: )?");

    private static final String DEBUG = "; --debug shows where";

    private ErrorLine() {}

    /** The line, without the program's name. */
    public static String of(Throwable thrown) {
        Throwable error = beneathWrappers(thrown);
        String text = switch (error) {
            case OutOfMemoryError memory -> outOfMemory(memory);
            case StackOverflowError deep -> "the input is nested too deeply for Java's stack" + DEBUG;
            case InternalError fault
            when isFileFault(fault) -> "a file became shorter while it was read, or its disk fails";
            case LinkageError incomplete ->
                "the program or Java is incomplete or does not fit: " + plain(rootOf(incomplete)) + DEBUG;
            case Error other -> "internal error: " + plain(other) + DEBUG;
            case FileSystemException file -> DiskError.of(file);
            case IOException disk -> plain(disk);
            default -> plain(error);
        };
        return oneLine(text);
    }

    /** The process's exit code for it. */
    public static int exitCode(Throwable thrown) {
        return switch (beneathWrappers(thrown)) {
            case PermanentException permanent -> ExitCode.PERMANENT;
            case CheckpointException unreadable -> ExitCode.CHECKPOINT;
            case ImageFileException unreadable -> ExitCode.CHECKPOINT;
            case InternalError fault when isFileFault(fault) -> ExitCode.CHECKPOINT;
            case DeviceUnavailableException missing -> ExitCode.NO_DEVICE;
            default -> ExitCode.FAILURE;
        };
    }

    /** Text of several lines, or of a file, as one line for a terminal. */
    public static String oneLine(String text) {
        return Printable.line(text, LONGEST);
    }

    /** How Java tells that a mapped file has no page where it had one before. */
    private static boolean isFileFault(InternalError fault) {
        return String.valueOf(fault.getMessage()).contains("unsafe memory access");
    }

    private static Throwable beneathWrappers(Throwable thrown) {
        Throwable error = thrown;
        for (int depth = 0; depth < 20; depth++) {
            Throwable cause = error.getCause();
            if (cause == null) {
                break;
            }
            boolean wrapper = error instanceof ExecutionException
                    || error instanceof CompletionException
                    || error instanceof ExceptionInInitializerError
                    || (error instanceof UncheckedIOException
                            && cause.toString().equals(error.getMessage()))
                    || (error.getClass() == RuntimeException.class
                            && cause.toString().equals(error.getMessage()));
            if (!wrapper) {
                break;
            }
            error = cause;
        }
        return error;
    }

    private static String outOfMemory(OutOfMemoryError memory) {
        String what = String.valueOf(memory.getMessage()).toLowerCase(Locale.ROOT);
        if (what.contains("thread")) {
            return "the system lets the program start no more threads; raise the limit of processes, or give --threads";
        }
        if (what.contains("map failed") || what.contains("direct buffer")) {
            return "out of memory outside Java's heap: " + plain(memory);
        }
        return "out of memory: Java's heap of %s is too small; give more with DIT_JVM_OPTS=-Xmx..., or ask for less at once"
                .formatted(ByteCount.of(Runtime.getRuntime().maxMemory()));
    }

    private static Throwable rootOf(Throwable error) {
        Throwable root = error;
        for (int depth = 0; depth < 20 && root.getCause() != null; depth++) {
            root = root.getCause();
        }
        return root;
    }

    private static String plain(Throwable error) {
        String message = messageOf(error);
        if (message == null) {
            return "unexpected " + words(error.getClass().getSimpleName()) + DEBUG;
        }
        String plain = CLASS_NAME.matcher(message).replaceAll("").strip();
        return plain.isEmpty() ? "unexpected " + words(error.getClass().getSimpleName()) + DEBUG : plain;
    }

    private static @Nullable String messageOf(Throwable error) {
        for (Throwable t = error; t != null; t = t.getCause()) {
            String message = t.getMessage();
            if (message != null && !message.isBlank()) {
                return message;
            }
        }
        return null;
    }

    /** {@code IllegalStateException} as "illegal state". */
    private static String words(String className) {
        String bare = className.replaceFirst("(Exception|Error)$", "");
        return bare.isEmpty()
                ? "error"
                : bare.replaceAll("(?<=[a-z])(?=[A-Z])", " ").toLowerCase(Locale.ROOT);
    }
}
