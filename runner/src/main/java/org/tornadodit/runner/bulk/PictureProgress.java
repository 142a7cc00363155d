package org.tornadodit.runner.bulk;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.tornadodit.runner.terminal.Terminal;

/** A line that says how far pictures are, on stderr: drawn again every second on a terminal, else printed now and then. */
final class PictureProgress implements AutoCloseable {
    private static final String ERASE = "\r\u001b[K";
    private static final int LINE_PERIOD_SECONDS = 20;

    private final PrintStream err;
    private final Terminal terminal;
    private final boolean quiet;
    private final Supplier<String> words;
    private boolean ended;

    /** @param words asked for whenever the line is shown */
    PictureProgress(PrintStream err, Terminal terminal, boolean quiet, Supplier<String> words) {
        this.err = err;
        this.terminal = terminal;
        this.quiet = quiet;
        this.words = words;
        if (!quiet) {
            Thread.ofVirtual().start(this::show);
        }
    }

    private void show() {
        while (true) {
            String line = words.get();
            synchronized (this) {
                if (ended) {
                    return;
                }
                draw(line);
            }
            try {
                TimeUnit.SECONDS.sleep(terminal.present() ? 1 : LINE_PERIOD_SECONDS);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
        }
    }

    private void draw(String line) {
        if (terminal.present()) {
            int most = Math.max(1, terminal.columns() - 1);
            err.print(ERASE + line.substring(0, Math.min(line.length(), most)));
            err.flush();
        } else {
            err.println(line);
        }
    }

    /** Lets something be printed where the line is, which comes again below it. */
    synchronized void aside(Runnable printing) {
        if (!quiet && terminal.present() && !ended) {
            err.print(ERASE);
            err.flush();
        }
        printing.run();
    }

    /** Shows the line a last time. */
    @Override
    public void close() {
        String line = quiet ? "" : words.get();
        synchronized (this) {
            if (!quiet && !ended) {
                draw(line);
                if (terminal.present()) {
                    err.println();
                }
            }
            ended = true;
        }
    }
}
