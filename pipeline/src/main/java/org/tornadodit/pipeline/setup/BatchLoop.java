package org.tornadodit.pipeline.setup;

import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/**
 * Batches that are sampled one after the other from one stream of noise, as the Java API and the command line do. May begin
 * in the middle, to the same bits.
 *
 * @param engine that samples
 * @param used files that it reads meanwhile
 * @param perSample elements of a sample's latents
 */
public record BatchLoop(Engine engine, WeightFiles used, int perSample) {

    /**
     * Where to begin.
     *
     * @param batch index of the batch; those before are done
     * @param state of that batch
     */
    public record Point(int batch, SamplingState state) {
        /** Nothing is done yet. */
        public static final Point START = new Point(0, SamplingState.START);
    }

    /**
     * A batch that was sampled.
     *
     * @param number its index
     * @param latents (N, C, H, W)
     * @param steps that were done here
     * @param seconds that they took
     */
    @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
    public record Sampled(int number, SamplingRequest request, float[] latents, int steps, double seconds) {}

    /**
     * Who follows the batches.
     *
     * @param <E> what it may throw
     */
    public interface Follower<E extends Exception> {
        /** A batch begins; the result is told of its steps. */
        StepListener begin(int number, SamplingState from);

        /** A batch is not sampled any more, whatever came of it. */
        default void end(int number) {}

        /** A batch is sampled. Whoever decodes does so before the next begins. */
        void sampled(Sampled batch) throws E;
    }

    /**
     * Samples the batches.
     *
     * @param batches how many
     * @param batch gives each by its index, when it is its turn: of any number, one is there at a time
     * @param noise as it is before the first batch, wherever this begins
     */
    public <E extends Exception> void run(
            int batches, IntFunction<SamplingRequest> batch, NoiseStream noise, Point from, Follower<E> follower)
            throws E {
        for (int number = 0; number < batches; number++) {
            SamplingRequest request = batch.apply(number);
            if (number < from.batch()) {
                skip(request, noise);
                continue;
            }
            SamplingState start = number == from.batch() ? from.state() : SamplingState.START;
            Counting listener = new Counting(follower.begin(number, start), start.done());
            long begun = System.nanoTime();
            float[] latents;
            try {
                latents = used.read(() -> engine.sample(request, noise, start, listener));
            } finally {
                follower.end(number);
            }
            double seconds = (System.nanoTime() - begun) / 1e9;
            follower.sampled(new Sampled(number, request, latents, listener.done - start.done(), seconds));
        }
    }

    /** Knows how many steps there were, which some samplers decide on the way. */
    private static final class Counting implements StepListener {
        private final StepListener listener;
        private int done;

        Counting(StepListener listener, int from) {
            this.listener = listener;
            this.done = from;
        }

        @Override
        public void stepDone(int step, Supplier<SamplingState> state) {
            done = step;
            listener.stepDone(step, state);
        }

        @Override
        public void reached(int step) {
            listener.reached(step);
        }

        @Override
        public boolean wantsState(int step) {
            return listener.wantsState(step);
        }

        @Override
        public void waits() {
            listener.waits();
        }

        @Override
        public void begins() {
            listener.begins();
        }
    }

    /** Advances the noise past a batch. */
    public void skip(SamplingRequest request, NoiseStream noise) {
        noise.skip(request.samples() * perSample);
        for (int call = 0; call < request.sampler().draws(request.steps()); call++) {
            noise.skip(request.drawnSamples() * perSample);
        }
    }
}
