package org.tornadodit.runner.terminal;

import java.io.PrintStream;
import java.time.Duration;
import java.util.Locale;
import org.tornadodit.runner.download.DownloadWatcher;
import org.tornadodit.runner.download.RemoteFile;

/** Bytes done, bytes per second and time left of a download, on stderr, as {@link Progress} shows steps. */
public final class TransferProgress implements DownloadWatcher, AutoCloseable {
    private static final int BAR_WIDTH = 20;
    private static final long TERMINAL_PERIOD_NANOS = 100_000_000L;
    private static final long LINE_PERIOD_NANOS = 5_000_000_000L;
    /** The speed is that of the last seconds. */
    private static final double SPEED_SECONDS = 5;

    private final PrintStream out;
    private final boolean terminal;
    private final boolean quiet;
    private String label = "";
    private long lastShown;
    private long lastTime;
    private long lastDone;
    private double speed;
    private boolean checking;
    private boolean open;
    private boolean shown;

    public TransferProgress(PrintStream out, boolean terminal, boolean quiet) {
        this.out = out;
        this.terminal = terminal;
        this.quiet = quiet;
    }

    @Override
    public void begin(String file, long there, long total) {
        endLine();
        label = file;
        checking = false;
        start(there);
        if (there > 0 && !quiet) {
            out.printf("%s: goes on from %s%n", file, RemoteFile.words(there));
        }
    }

    private void start(long done) {
        lastTime = System.nanoTime();
        lastShown = lastTime;
        lastDone = done;
        speed = 0;
        open = true;
        shown = false;
    }

    @Override
    public void checking(String file) {
        endLine();
        label = "checking " + file;
        checking = true;
        start(0);
    }

    @Override
    public void progress(long done, long total) {
        if (quiet || !open) {
            return;
        }
        long now = System.nanoTime();
        boolean last = total > 0 && done >= total;
        if (last && checking && !shown) {
            open = false; // it took no time
            return;
        }
        if (!last && now - lastShown < (terminal ? TERMINAL_PERIOD_NANOS : LINE_PERIOD_NANOS)) {
            return;
        }
        double seconds = Math.max(1e-6, (now - lastTime) / 1e9);
        double weight = speed == 0 ? 1 : 1 - Math.exp(-seconds / SPEED_SECONDS);
        speed += weight * ((done - lastDone) / seconds - speed);
        lastTime = now;
        lastShown = now;
        lastDone = done;
        String text = line(label, done, total, speed, terminal);
        if (!terminal) {
            out.println(text);
        } else {
            // Erase to the end of the line: the text before may have been longer.
            out.print("\r" + text + "\u001b[K");
            out.flush();
        }
        shown = true;
        if (last) {
            endLine();
            open = false;
        }
    }

    @Override
    public void retry(String reason, Duration pause) {
        endLine();
        out.printf("dit: %s; trying again in %d s%n", reason, Math.max(1, pause.toSeconds()));
    }

    /**
     * One line, under 80 columns with the names that there are.
     *
     * @param total bytes; 0 where the server does not say
     * @param speed bytes a second
     */
    public static String line(String label, long done, long total, double speed, boolean bar) {
        String rate = String.format(Locale.ROOT, "%.1f MB/s", speed / 1e6);
        if (total == 0) {
            return "%s: %s [%s]".formatted(label, RemoteFile.words(done), rate);
        }
        String drawn = "";
        if (bar) {
            int filled = (int) Math.min(BAR_WIDTH, BAR_WIDTH * (double) done / total);
            drawn = "|" + "#".repeat(filled) + " ".repeat(BAR_WIDTH - filled) + "| ";
        }
        return String.format(
                Locale.ROOT,
                "%s: %3d%% %s%s [%s, %s]",
                label,
                (int) (100.0 * done / total),
                drawn,
                RemoteFile.words(total),
                rate,
                speed <= 0 ? "?" : clock((total - done) / speed) + " left");
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
                : String.format(Locale.ROOT, "%02d:%02d", whole / 60, whole % 60);
    }

    private void endLine() {
        if (shown && terminal) {
            out.println();
        }
        shown = false;
    }

    /** Leaves the cursor on a new line when stopped half way. */
    @Override
    public void close() {
        endLine();
    }
}
