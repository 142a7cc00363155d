package org.tornadodit.runner.terminal;

import java.io.PrintWriter;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Where a command says things while a line of the terminal may show what it does. Thread safe. */
public final class Screen {
    private final PrintWriter err;
    private @Nullable Consumer<Runnable> shown;

    public Screen(PrintWriter err) {
        this.err = err;
    }

    /** @param line lets something be printed where the line is; null when there is none any more */
    public synchronized void show(@Nullable Consumer<Runnable> line) {
        shown = line;
    }

    /**
     * Prints what may come in the middle of the progress: from devices, and of the batch before. A line that is to be shown
     * waits for it.
     */
    public synchronized void aside(Runnable printing) {
        Consumer<Runnable> line = shown;
        if (line != null) {
            line.accept(printing);
        } else {
            printing.run();
        }
    }

    /** A line of the program's on stderr. */
    public void say(String line) {
        aside(() -> err.println("dit: " + line));
    }

    /** For lines while nothing is shown. */
    public PrintWriter err() {
        return err;
    }
}
