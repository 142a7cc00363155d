package org.tornadodit.runner.terminal;

import java.io.PrintStream;
import java.util.concurrent.TimeUnit;

/**
 * Steps done, steps per second and time left, on stderr: a bar redrawn in place on a terminal, every second also where a
 * step takes long; a line every few seconds otherwise. Looks like tqdm's, which users of the reference know.
 */
public final class Progress implements AutoCloseable {
    /** Back to the line's beginning, and erase all of it. */
    static final String ERASE = "\r\u001b[K";

    private static final long TERMINAL_PERIOD_NANOS = 100_000_000L;
    private static final long LINE_PERIOD_NANOS = 5_000_000_000L;

    private final PrintStream out;
    private final String label;
    private final int total;
    private final Terminal terminal;
    private final boolean quiet;
    private final long start = System.nanoTime();
    private final RecentRate rate;
    private long lastShown = start;
    private int done;
    private boolean ended;

    /**
     * @param from steps that were done before
     * @param total steps; 0 where nobody knows
     */
    public Progress(PrintStream out, String label, int from, int total, Terminal terminal, boolean quiet) {
        this.out = out;
        this.label = label;
        this.total = total;
        this.terminal = terminal;
        this.quiet = quiet;
        this.done = from;
        this.rate = new RecentRate(from);
    }

    /** Shows that the run begins; a step may take long. */
    public void begin() {
        if (!quiet && terminal.present()) {
            draw();
            Thread.ofVirtual().start(this::redraw);
        }
    }

    /** Tells that {@code done} of the steps are finished. */
    public synchronized void update(int done) {
        this.done = done;
        long now = System.nanoTime();
        rate.add(done, (now - start) / 1e9);
        boolean last = done == total;
        long period = terminal.present() ? TERMINAL_PERIOD_NANOS : LINE_PERIOD_NANOS;
        if (quiet || ended || (!last && now - lastShown < period)) {
            return;
        }
        lastShown = now;
        show();
        if (last) {
            end();
        }
    }

    /** Lets something be printed where the bar is, which comes again below it. */
    public synchronized void aside(Runnable printing) {
        boolean bar = !quiet && terminal.present() && !ended;
        if (bar) {
            out.print(ERASE);
            out.flush();
        }
        printing.run();
        if (bar) {
            draw();
        }
    }

    private ProgressLine line() {
        return new ProgressLine(label, done, total, (System.nanoTime() - start) / 1e9, rate.perSecond());
    }

    private synchronized void draw() {
        // A character in the last column would have some terminals begin the next line.
        out.print(ERASE + line().fitted(terminal.columns() - 1));
        out.flush();
    }

    private void redraw() {
        while (true) {
            try {
                TimeUnit.SECONDS.sleep(1);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                return;
            }
            synchronized (this) {
                if (ended) {
                    return;
                }
                draw();
            }
        }
    }

    private void end() {
        ended = true;
        if (terminal.present()) {
            out.println();
        }
    }

    /** Leaves the cursor on a new line when stopped half way. */
    @Override
    public synchronized void close() {
        if (!quiet && !ended) {
            if (total == 0) { // nobody knew that the last step was the last
                show();
            }
            end();
        }
    }

    private void show() {
        if (terminal.present()) {
            draw();
        } else {
            out.println(line().text());
        }
    }
}
