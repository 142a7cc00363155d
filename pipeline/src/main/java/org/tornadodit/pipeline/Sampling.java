package org.tornadodit.pipeline;

import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/** A request that is at work, or waits for a place; a thread of its own follows it. Thread safe. */
public final class Sampling {
    private final CompletableFuture<List<Picture>> result = new CompletableFuture<>();
    private final AtomicBoolean cancelled = new AtomicBoolean();
    private final Thread thread;

    /** @param work samples; ends when the flag that it is given is set, or its thread is interrupted */
    Sampling(Function<AtomicBoolean, List<Picture>> work) {
        thread = Thread.ofPlatform().daemon().name("dit-sampling").unstarted(() -> {
            try {
                result.complete(work.apply(cancelled));
            } catch (Throwable failure) {
                result.completeExceptionally(failure);
            }
        });
    }

    Sampling begin() {
        thread.start();
        return this;
    }

    /**
     * Ends the request after the step that it is in, or at once where it waits; {@link #pictures} then throws. No matter when it
     * is called, as for a limit of time.
     */
    public void cancel() {
        cancelled.set(true);
        thread.interrupt();
    }

    /** Whether it has ended, in whatever way. */
    public boolean isDone() {
        return result.isDone();
    }

    /** The pictures to come, for other stages to wait on; completing or cancelling it changes nothing here. */
    public CompletableFuture<List<Picture>> future() {
        return result.copy();
    }

    /**
     * Waits for the pictures.
     *
     * @throws CancellationException when the request was cancelled, or the waiting thread is interrupted, in which case the
     *     request goes on
     * @throws PipelineException when it failed
     */
    public List<Picture> pictures() {
        try {
            return result.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted while the request goes on; cancel() ends it");
        } catch (CancellationException e) { // the future's own, around the request's
            throw e.getCause() instanceof CancellationException request ? request : e;
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("an error ended the request: " + e.getCause(), e.getCause());
        }
    }
}
