package org.tornadodit.pipeline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.tornadodit.pipeline.setup.BatchLoop;
import org.tornadodit.pipeline.setup.BatchLoop.Sampled;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** One request at work: its batches one after the other, beside those of other requests. */
final class RequestRun {
    private final DitPipeline pipeline;
    private final SharedEngine engine;
    private final RequestQueue queue;
    private final Request request;
    private final Consumer<Progress> listener;
    private final AtomicBoolean cancelled;
    private final Thread caller = Thread.currentThread();
    /** All labels, as PyTorch's one batch has them. */
    private final SamplingRequest whole;
    /** Batches that have each label once. */
    private final int round;

    private final int batches;
    private int batch;
    private int done;
    private long stepsDone;
    private double seconds;

    RequestRun(
            DitPipeline pipeline,
            SharedEngine engine,
            RequestQueue queue,
            Request request,
            Consumer<Progress> listener,
            AtomicBoolean cancelled) {
        this.pipeline = pipeline;
        this.engine = engine;
        this.queue = queue;
        this.request = request;
        this.listener = listener;
        this.cancelled = cancelled;
        this.whole = request.batch(request.labels(), pipeline.config().objective());
        this.round = Math.ceilDiv(whole.samples(), pipeline.maxBatch());
        this.batches = Math.multiplyExact(round, request.batches());
    }

    /** A batch by its index: made when it is its turn, for there may be two thousand million. */
    private SamplingRequest batch(int number) {
        int first = number % round * pipeline.maxBatch();
        return whole.part(first, Math.min(pipeline.maxBatch(), whole.samples() - first));
    }

    /**
     * Samples all batches.
     *
     * @param finished takes the latents of each batch
     */
    void sample(Consumer<Latents> finished) {
        engine.use(() -> {
            try (RequestQueue.Ticket ticket = queue.enter()) {
                BatchLoop loop = engine.batches(pipeline.config().inputElements());
                Following following = new Following(ticket, finished);
                loop.run(batches, this::batch, pipeline.rng().stream(request.seed()), BatchLoop.Point.START, following);
                return request;
            } catch (IllegalStateException e) { // cancelled, or of an engine that was closed
                requireWanted(); // says after which step
                throw e;
            }
        });
    }

    private void requireWanted() {
        if (cancelled.get() || caller.isInterrupted()) {
            throw new CancellationException(cancellation(cancelled.get() ? "cancelled" : "interrupted"));
        }
        if (engine.isClosed()) {
            throw new CancellationException(cancellation("the pipeline was closed"));
        }
    }

    private String cancellation(String how) {
        int steps = steps(whole);
        String where = steps == 0
                ? "%s after step %d".formatted(how, done)
                : "%s after step %d of %d".formatted(how, done, steps);
        return batches == 1 ? where : "%s, batch %d of %d".formatted(where, batch + 1, batches);
    }

    /** Steps of a batch; 0 where its sampler decides on the way. */
    private static int steps(SamplingRequest batch) {
        return batch.sampler().method().adaptive() ? 0 : batch.steps();
    }

    /** Follows the batches: tells the listener, and ends what is not wanted any more. */
    private final class Following implements BatchLoop.Follower<RuntimeException> {
        private final RequestQueue.Ticket ticket;
        private final Consumer<Latents> finished;

        Following(RequestQueue.Ticket ticket, Consumer<Latents> finished) {
            this.ticket = ticket;
            this.finished = finished;
        }

        @Override
        public StepListener begin(int number, SamplingState from) {
            batch = number;
            done = 0;
            requireWanted();
            return new Watcher(ticket, batch(number));
        }

        @Override
        public void sampled(Sampled sampled) {
            requireWanted();
            finished.accept(
                    pipeline.latents(sampled.latents(), sampled.request().labels()));
        }
    }

    /** Follows a batch. */
    private final class Watcher implements StepListener {
        private final RequestQueue.Ticket ticket;
        private final SamplingRequest part;
        private long told = System.nanoTime();

        Watcher(RequestQueue.Ticket ticket, SamplingRequest part) {
            this.ticket = ticket;
            this.part = part;
        }

        @Override
        public void waits() {
            ticket.waits();
        }

        @Override
        public void begins() {
            ticket.begins();
            told = System.nanoTime();
        }

        @Override
        public boolean wantsState(int step) {
            int every = request.previewEvery();
            return every > 0 && step % every == 0 && step < part.steps();
        }

        @Override
        public void stepDone(int step, Supplier<SamplingState> now) {
            stepsDone += step - done;
            done = step;
            long time = System.nanoTime();
            seconds += (time - told) / 1e9;
            told = time;
            requireWanted();
            listener.accept(new Progress(
                    step,
                    steps(part),
                    batch + 1,
                    batches,
                    seconds > 0 ? stepsDone / seconds : 0,
                    timeLeft(),
                    previews(step, now),
                    cancelled));
            requireWanted();
        }

        private List<Picture> previews(int step, Supplier<SamplingState> now) {
            float[] latents = wantsState(step) ? now.get().latents() : new float[0];
            return latents.length == 0 ? List.of() : pipeline.decodeAll(pipeline.latents(latents, part.labels()));
        }

        private Duration timeLeft() {
            if (steps(part) == 0) {
                return Duration.ZERO;
            }
            double all = (double) part.steps() * batches;
            return Duration.ofMillis((long) (1e3 * seconds * (all - stepsDone) / stepsDone));
        }
    }

    /** Joins the latents of several batches. */
    static Latents joined(List<Latents> parts, DitPipeline pipeline) {
        if (parts.size() == 1) {
            return parts.getFirst();
        }
        int elements = parts.stream().mapToInt(part -> part.values().length).reduce(0, Math::addExact);
        float[] all = new float[elements];
        List<Integer> labels = new ArrayList<>();
        int at = 0;
        for (Latents part : parts) {
            System.arraycopy(part.values(), 0, all, at, part.values().length);
            at += part.values().length;
            labels.addAll(part.labels());
        }
        return pipeline.latents(all, labels);
    }
}
