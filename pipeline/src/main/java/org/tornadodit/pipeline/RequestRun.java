package org.tornadodit.pipeline;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** One request at work: its batches one after the other, each in its turn. */
final class RequestRun {
    private final DitPipeline pipeline;
    private final EngineQueue queue;
    private final Request request;
    private final Consumer<Progress> listener;
    private final AtomicBoolean cancelled;
    private final Thread caller = Thread.currentThread();
    private final List<List<Integer>> batches;
    private double seconds;

    RequestRun(
            DitPipeline pipeline,
            EngineQueue queue,
            Request request,
            Consumer<Progress> listener,
            AtomicBoolean cancelled) {
        this.pipeline = pipeline;
        this.queue = queue;
        this.request = request;
        this.listener = listener;
        this.cancelled = cancelled;
        this.batches = batches(request, pipeline.maxBatch());
    }

    private static List<List<Integer>> batches(Request request, int most) {
        List<List<Integer>> batches = new ArrayList<>();
        for (int time = 0; time < request.batches(); time++) {
            for (int first = 0; first < request.labels().size(); first += most) {
                batches.add(request.labels()
                        .subList(first, Math.min(request.labels().size(), first + most)));
            }
        }
        return batches;
    }

    /**
     * Samples all batches.
     *
     * @param finished takes the engine, for decoding, and the latents of each batch
     */
    void sample(BiConsumer<Engine, Latents> finished) {
        NoiseStream noise = pipeline.rng().stream(request.seed());
        for (int number = 0; number < batches.size(); number++) {
            int batch = number;
            SamplingRequest part = request.batch(batches.get(batch));
            queue.take(engine -> {
                Watcher watcher = new Watcher(batch, part, engine);
                float[] latents;
                try {
                    latents = engine.sample(part, noise, SamplingState.START, watcher);
                } catch (CancellationException e) {
                    watcher.requireWanted(); // says after which step
                    throw e;
                } finally {
                    watcher.end();
                }
                watcher.requireWanted();
                finished.accept(engine, pipeline.latents(latents, part.labels()));
                return latents;
            });
        }
    }

    /** Follows a batch: tells the listener, and ends what is not wanted any more. */
    private final class Watcher implements StepListener {
        private final int batch;
        private final SamplingRequest part;
        private final Engine engine;
        private final long begun = System.nanoTime();
        private int done;
        /** After an interrupt a device may still tell of the step that it was in. */
        private boolean ended;

        Watcher(int batch, SamplingRequest part, Engine engine) {
            this.batch = batch;
            this.part = part;
            this.engine = engine;
        }

        private int steps() {
            return part.steps();
        }

        @Override
        public boolean wantsState(int step) {
            int every = request.previewEvery();
            return every > 0 && step % every == 0 && step < steps();
        }

        @Override
        public synchronized void stepDone(int step, Supplier<SamplingState> now) {
            if (ended) {
                return;
            }
            done = step;
            requireWanted();
            queue.tell(() -> listener.accept(new Progress(
                    step, steps(), batch + 1, batches.size(), timeLeft(), previews(step, now), cancelled)));
            requireWanted();
        }

        private List<Picture> previews(int step, Supplier<SamplingState> now) {
            float[] latents = wantsState(step) ? now.get().latents() : new float[0];
            return latents.length == 0 ? List.of() : pipeline.decode(engine, pipeline.latents(latents, part.labels()));
        }

        private Duration timeLeft() {
            double all = (double) steps() * batches.size();
            double behind = (double) steps() * batch + done;
            double taken = seconds + (System.nanoTime() - begun) / 1e9;
            return Duration.ofMillis((long) (1e3 * taken * (all - behind) / behind));
        }

        void requireWanted() {
            if (cancelled.get() || caller.isInterrupted()) {
                throw new CancellationException(cancellation(cancelled.get() ? "cancelled" : "interrupted"));
            }
            if (queue.isClosed()) {
                throw new CancellationException(cancellation("the pipeline was closed"));
            }
        }

        private String cancellation(String how) {
            return batches.size() == 1
                    ? "%s after step %d of %d".formatted(how, done, steps())
                    : "%s after step %d of %d, batch %d of %d".formatted(how, done, steps(), batch + 1, batches.size());
        }

        synchronized void end() {
            ended = true;
            seconds += (System.nanoTime() - begun) / 1e9;
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
        return pipeline.latents(Arrays.copyOf(all, at), labels);
    }
}
