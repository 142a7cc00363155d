package org.tornadodit.runner.output;

import java.io.IOException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Writes a batch's files on a thread of its own while the next batch is sampled: one batch after the other, and never
 * more than one behind, so that two batches' images are in memory at most. Used by one thread at a
 * time.
 */
public final class BatchWriter implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            task -> Thread.ofPlatform().daemon().name("batch-writer").unstarted(task));

    private @Nullable Future<?> last;

    /** What is to be written. */
    public interface Files {
        void write() throws IOException;
    }

    /**
     * Begins to write, once the batch before is written.
     *
     * @throws IOException when the batch before could not be written
     */
    public void begin(Files files) throws IOException {
        await();
        last = thread.submit(() -> {
            files.write();
            return null;
        });
    }

    /**
     * Waits until all that was begun is written: before a state is kept that says so, and at the end.
     *
     * @throws IOException when it could not be written
     */
    public void await() throws IOException {
        Future<?> writing = last;
        if (writing == null) {
            return;
        }
        last = null;
        Outcome.of(writing);
    }

    /** Ends what was begun: a picture that is done is worth keeping when the batch after it fails. */
    @Override
    public void close() throws IOException {
        try {
            await();
        } finally {
            thread.shutdown();
        }
    }
}
