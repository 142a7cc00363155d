package org.tornadodit.runner.terminal;

import java.util.Locale;

/**
 * How far a run is, in words that fit a width: what a narrow terminal has no room for is left out, the bar first.
 *
 * @param label what is counted
 * @param done steps
 * @param total steps; 0 where nobody knows
 * @param seconds since the beginning
 * @param rate steps a second of late; 0 where nothing is known
 */
record ProgressLine(String label, int done, int total, double seconds, double rate) {
    private static final int WIDEST_BAR = 30;
    private static final int NARROWEST_BAR = 5;

    /** The line without a bar, whatever its length. */
    String text() {
        return "%s: %s%s [%s]".formatted(label, percent(), count(), times() + ", " + speed());
    }

    /** The line for a terminal, {@code columns} long at most. */
    String fitted(int columns) {
        int room = columns - text().length() - "|| ".length();
        if (room >= NARROWEST_BAR && total > 0) {
            int width = Math.min(WIDEST_BAR, room);
            int filled = (int) ((long) width * done / Math.max(1, total));
            return "%s: %s|%s%s| %s [%s, %s]"
                    .formatted(
                            label,
                            percent(),
                            "#".repeat(filled),
                            " ".repeat(width - filled),
                            count(),
                            times(),
                            speed());
        }
        String[] shorter = {
            text(),
            "%s: %s%s [%s]".formatted(label, percent(), count(), times()),
            "%s%s [%s]".formatted(percent(), count(), times()),
            percent() + count()
        };
        for (String line : shorter) {
            if (line.length() <= columns) {
                return line;
            }
        }
        return total == 0 ? String.valueOf(done) : percent().strip();
    }

    /** With a space behind it. */
    private String percent() {
        return total == 0 ? "" : "%3d%% ".formatted((int) (100L * done / total));
    }

    private String count() {
        return total == 0 ? "step " + done : done + "/" + total;
    }

    /** Since the beginning, and what is left. */
    private String times() {
        if (total == 0) {
            return clock(seconds);
        }
        return clock(seconds) + "<" + (done == total ? clock(0) : rate == 0 ? "?" : clock((total - done) / rate));
    }

    private String speed() {
        if (rate == 0) {
            return "? steps/s";
        }
        return rate >= 1
                ? String.format(Locale.ROOT, "%.2f steps/s", rate)
                : String.format(Locale.ROOT, "%.2f s/step", 1 / rate);
    }

    private static String clock(double seconds) {
        long whole = Math.round(seconds);
        return whole >= 3600
                ? String.format(Locale.ROOT, "%d:%02d:%02d", whole / 3600, whole / 60 % 60, whole % 60)
                : String.format(Locale.ROOT, "%02d:%02d", whole / 60, whole % 60);
    }
}
