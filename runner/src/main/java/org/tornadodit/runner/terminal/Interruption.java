package org.tornadodit.runner.terminal;

import java.io.PrintStream;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.AtomicFile;
import sun.misc.Signal;

/**
 * What happens when the process is stopped by Ctrl-C or SIGTERM: one line, no half-written file, and the end within a
 * second, with 128 and the signal's number as the exit code.
 *
 * <p>The JVM's own way would run the shutdown hooks first. TornadoVM's destroys the CUDA contexts while kernels of theirs
 * are being launched, which ends in a crash; the driver frees a device's memory at the end of a process anyway.
 */
@SuppressWarnings("sunapi") // there is no other way to hear of a signal before the hooks do
public final class Interruption {
    /** For a reader of stderr that does not read, and for file systems that hang. */
    private static final long PATIENCE_MILLIS = 600;

    private volatile @Nullable String hint;
    private final AtomicReference<@Nullable Runnable> instead = new AtomicReference<>();

    /** Watches over the process from here on. */
    public void install(PrintStream err, boolean terminal) {
        for (String name : new String[] {"INT", "TERM"}) {
            try {
                Signal.handle(new Signal(name), signal -> stop(err, terminal, 128 + signal.getNumber()));
            } catch (IllegalArgumentException taken) {
                // With -Xrs signals are the operating system's; they end the process all the same.
                System.getLogger("dit").log(System.Logger.Level.DEBUG, "SIG" + name + " is not handled", taken);
            }
        }
    }

    private void stop(PrintStream err, boolean terminal, int exitCode) {
        Runnable other = instead.getAndSet(null);
        if (other == null) {
            end(err, terminal, exitCode);
        } else {
            Thread.ofPlatform().daemon().start(other);
        }
    }

    private void end(PrintStream err, boolean terminal, int exitCode) {
        Thread.ofPlatform().daemon().start(() -> {
            try {
                Thread.sleep(PATIENCE_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            Runtime.getRuntime().halt(exitCode);
        });
        AtomicFile.discardUnfinished();
        String more = hint;
        err.println((terminal ? System.lineSeparator() : "") + "dit: interrupted" + (more == null ? "" : more));
        err.flush();
        Runtime.getRuntime().halt(exitCode);
    }

    /**
     * Ends a process in which a device failed: TornadoVM's shutdown hook would destroy that device's context too, which
     * can crash in the driver when the work is done and the pictures are written.
     */
    public static void halt(int exitCode) {
        AtomicFile.discardUnfinished();
        System.out.flush();
        System.err.flush();
        Runtime.getRuntime().halt(exitCode);
    }

    /** What the first signal does instead of ending the process; the second ends it. Null for nothing. */
    public void instead(@Nullable Runnable stop) {
        instead.set(stop);
    }

    /** What to tell in addition; null for nothing. */
    public void hint(@Nullable String text) {
        hint = text;
    }
}
