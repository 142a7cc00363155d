package org.tornadodit.runner.output;

import java.io.IOException;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;

/** What became of work with files that another thread does. */
public final class Outcome {
    private Outcome() {}

    /**
     * Waits for it.
     *
     * @throws IOException what the work has thrown; likewise unchecked exceptions and errors
     * @throws CancellationException when this thread is interrupted
     */
    public static <T> T of(Future<T> work) throws IOException {
        try {
            return work.get();
        } catch (ExecutionException e) {
            switch (e.getCause()) {
                case IOException failure -> throw failure;
                case RuntimeException failure -> throw failure;
                case Error failure -> throw failure;
                case null, default -> throw new IllegalStateException(e);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }
}
