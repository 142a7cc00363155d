package org.tornadodit.runner.terminal;

import java.io.PrintStream;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * What is being done before the first step, on stderr: a line redrawn in place on a terminal, and gone at the end; a line
 * every few seconds otherwise, so that a quick start has none.
 */
public final class StartProgress implements AutoCloseable {
    private static final long LINE_PERIOD_NANOS = 10_000_000_000L;
    private static final long REDRAW_MILLIS = 200;

    private final PrintStream out;
    private final Terminal terminal;
    private final long start = System.nanoTime();
    private long lastLine = start;
    private String doing = "";
    private boolean drawn;
    private boolean ended;

    /** @param quiet whether to show nothing */
    public StartProgress(PrintStream out, Terminal terminal, boolean quiet) {
        this.out = out;
        this.terminal = terminal;
        if (!quiet) {
            Thread.ofVirtual().start(this::redraw);
        }
    }

    /** Says what is being done from now on; on any thread. */
    public synchronized void doing(String words) {
        doing = words;
    }

    /** Lets something be printed where the line is. */
    public synchronized void aside(Runnable printing) {
        erase();
        printing.run();
    }

    private void redraw() {
        while (true) {
            try {
                TimeUnit.MILLISECONDS.sleep(REDRAW_MILLIS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            synchronized (this) {
                if (ended) {
                    return;
                }
                show();
            }
        }
    }

    private void show() {
        long now = System.nanoTime();
        String line = doing.isEmpty()
                ? String.format(Locale.ROOT, "starting, %.0f s", (now - start) / 1e9)
                : String.format(Locale.ROOT, "starting, %.0f s: %s", (now - start) / 1e9, doing);
        if (terminal.present()) {
            // A character in the last column would have some terminals begin the next line.
            out.print(Progress.ERASE + line.substring(0, Math.min(line.length(), Math.max(0, terminal.columns() - 1))));
            out.flush();
            drawn = true;
        } else if (now - lastLine >= LINE_PERIOD_NANOS) {
            out.println(line);
            lastLine = now;
        }
    }

    private void erase() {
        if (drawn) {
            out.print(Progress.ERASE);
            out.flush();
            drawn = false;
        }
    }

    @Override
    public synchronized void close() {
        ended = true;
        erase();
    }
}
