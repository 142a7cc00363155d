package org.tornadodit.runner;

import java.io.PrintStream;
import java.util.Locale;

/**
 * Steps done, steps per second and time left, on stderr: a bar redrawn in place on a terminal, a line every few seconds
 * otherwise. Looks like tqdm's, which users of the reference know.
 */
final class Progress implements AutoCloseable {
    private static final int BAR_WIDTH = 30;
    private static final long TERMINAL_PERIOD_NANOS = 100_000_000L;
    private static final long LINE_PERIOD_NANOS = 5_000_000_000L;

    private final PrintStream out;
    private final String label;
    private final int total;
    private final boolean terminal;
    private final boolean quiet;
    private final long start = System.nanoTime();
    private long lastShown = start;
    private int done;
    private boolean shownAll;

    Progress(PrintStream out, String label, int total, boolean terminal, boolean quiet) {
        this.out = out;
        this.label = label;
        this.total = total;
        this.terminal = terminal;
        this.quiet = quiet;
    }

    /** Tells that {@code done} of the steps are finished. */
    void update(int done) {
        this.done = done;
        long now = System.nanoTime();
        boolean last = done == total;
        if (quiet || shownAll || (!last && now - lastShown < (terminal ? TERMINAL_PERIOD_NANOS : LINE_PERIOD_NANOS))) {
            return;
        }
        lastShown = now;
        shownAll = last;
        String text = line(label, done, total, (now - start) / 1e9, terminal);
        if (terminal) {
            out.print("\r" + text + (last ? System.lineSeparator() : ""));
            out.flush();
        } else {
            out.println(text);
        }
    }

    static String line(String label, int done, int total, double seconds, boolean bar) {
        double rate = done == 0 ? 0 : done / seconds;
        String drawn = "";
        if (bar) {
            int filled = (int) ((long) BAR_WIDTH * done / Math.max(1, total));
            drawn = "|" + "#".repeat(filled) + " ".repeat(BAR_WIDTH - filled) + "| ";
        }
        String left = rate == 0 ? "?" : clock((total - done) / rate);
        return String.format(
                Locale.ROOT,
                "%s: %3d%% %s%d/%d [%s<%s, %s]",
                label,
                total == 0 ? 100 : Math.round(100f * done / total),
                drawn,
                done,
                total,
                clock(seconds),
                left,
                rate >= 1 || rate == 0
                        ? String.format(Locale.ROOT, "%.2f steps/s", rate)
                        : String.format(Locale.ROOT, "%.2f s/step", 1 / rate));
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
                : String.format(Locale.ROOT, "%02d:%02d", whole / 60, whole % 60);
    }

    /** Leaves the cursor on a new line when stopped half way. */
    @Override
    public void close() {
        if (terminal && !quiet && !shownAll && done > 0) {
            out.println();
        }
    }
}
