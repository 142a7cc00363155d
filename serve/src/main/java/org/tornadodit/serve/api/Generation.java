package org.tornadodit.serve.api;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.PipelineException;
import org.tornadodit.pipeline.Progress;
import org.tornadodit.pipeline.QueueFullException;
import org.tornadodit.pipeline.Sampling;

/**
 * A request that was admitted. One thread follows it, that of its connection; the sampling's thread leaves the newest progress here
 * and never waits for a client. Thread safe.
 */
public final class Generation {
    private static final Logger LOG = System.getLogger("dit");

    private final GenerationBody body;
    private final long timeoutSeconds;
    private final long began = System.nanoTime();

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private @Nullable Progress progress;
    private @Nullable Progress previewed;
    private @Nullable List<Picture> pictures;
    private @Nullable Throwable failure;
    private @Nullable String cancelledFor;
    private @Nullable Sampling sampling;
    private boolean told;

    /**
     * What happened since somebody looked last.
     *
     * @param progress the newest; null for none
     * @param previewed the newest that has previews; null for none
     * @param done whether {@link #pictures} answers
     */
    public record News(
            @Nullable Progress progress, @Nullable Progress previewed, boolean done) {}

    Generation(GenerationBody body, long timeoutSeconds) {
        this.body = body;
        this.timeoutSeconds = timeoutSeconds;
    }

    public GenerationBody body() {
        return body;
    }

    /**
     * Begins to sample.
     *
     * @param listener is told of each step
     * @param ended is told how it ended, before whoever waits for that: a client that has its answer is not counted any more
     */
    void start(DitPipeline pipeline, Consumer<Progress> listener, Consumer<String> ended) {
        Sampling begun = pipeline.start(body.request(), step -> {
            tell(step);
            listener.accept(step);
        });
        lock.lock();
        try {
            sampling = begun;
            if (cancelledFor != null) { // before there was anything to cancel
                begun.cancel();
            }
        } finally {
            lock.unlock();
        }
        var _ = begun.future().whenComplete((made, thrown) -> {
            Throwable cause = thrown instanceof CompletionException wrapped && wrapped.getCause() != null
                    ? wrapped.getCause()
                    : thrown;
            try {
                ended.accept(outcome(made, cause));
            } finally {
                end(made, cause);
            }
        });
    }

    private void tell(Progress step) {
        lock.lock();
        try {
            progress = step;
            if (!step.previews().isEmpty()) {
                previewed = step;
            }
            told = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private void end(@Nullable List<Picture> made, @Nullable Throwable thrown) {
        lock.lock();
        try {
            pictures = made;
            failure = thrown;
            told = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /**
     * Waits for news, no longer than so many milliseconds. Ends the request where its time is over.
     *
     * @throws CancellationException when this thread is interrupted
     */
    public News await(long millis) {
        boolean late = seconds() > timeoutSeconds;
        if (late) {
            cancel("timeout");
        }
        lock.lock();
        try {
            long nanos = TimeUnit.MILLISECONDS.toNanos(millis);
            while (!told && !isDone() && nanos > 0) {
                nanos = changed.awaitNanos(nanos);
            }
            told = false;
            News news = new News(progress, previewed, isDone());
            progress = null;
            previewed = null;
            return news;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        } finally {
            lock.unlock();
        }
    }

    private boolean isDone() {
        return pictures != null || failure != null;
    }

    /**
     * Ends it after the step that it is in; where it is done this does nothing.
     *
     * @param why {@code timeout}, {@code stopping} or {@code closed}
     */
    public void cancel(String why) {
        Sampling mine;
        lock.lock();
        try {
            if (isDone()) {
                return;
            }
            if (cancelledFor == null) {
                cancelledFor = why;
            }
            mine = sampling;
        } finally {
            lock.unlock();
        }
        if (mine != null) {
            mine.cancel();
        }
    }

    /** Seconds since it was admitted. */
    public double seconds() {
        return (System.nanoTime() - began) / 1e9;
    }

    /** {@code done}, {@code failed}, {@code cancelled} or {@code timeout}. */
    private String outcome(@Nullable List<Picture> made, @Nullable Throwable thrown) {
        lock.lock();
        try {
            if (made != null) {
                return "done";
            }
            if (thrown instanceof CancellationException) {
                return "timeout".equals(cancelledFor) ? "timeout" : "cancelled";
            }
            return "failed";
        } finally {
            lock.unlock();
        }
    }

    /**
     * The pictures of a request that is done.
     *
     * @throws Refusal when it failed
     */
    public List<Picture> pictures() {
        lock.lock();
        try {
            if (pictures != null) {
                return pictures;
            }
            throw refusal(failure);
        } finally {
            lock.unlock();
        }
    }

    private Refusal refusal(@Nullable Throwable thrown) {
        return switch (thrown) {
            case CancellationException cancelled
            when "timeout".equals(cancelledFor) ->
                new Refusal(504, "timeout", "not done within %d s, the limit of a request".formatted(timeoutSeconds));
            case CancellationException cancelled -> Refusal.later(503, "cancelled", "the server is stopping", 1);
            case QueueFullException full -> Refusal.later(429, "queue_full", String.valueOf(full.getMessage()), 1);
            case PipelineException failed -> failed(String.valueOf(failed.getMessage()), failed);
            case IllegalArgumentException refused ->
                new Refusal(422, "unsupported", String.valueOf(refused.getMessage()));
            case null -> new Refusal(500, "failed", "the request is not done");
            default -> failed("the request failed; the server's log tells more", thrown);
        };
    }

    private static Refusal failed(String message, Throwable thrown) {
        LOG.log(Level.WARNING, "a request failed: " + thrown);
        return new Refusal(500, "failed", message);
    }
}
