package org.tornadodit.scheduler.run;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/**
 * How far the samples of a batch are: tells the listener, step by step, what all of them have done, and puts the states
 * together that it asked for. Thread safe. The listener is called on the thread that waits for the batch, so that it holds
 * up nobody else.
 */
final class BatchProgress {
    /** Bytes of states that are gathered at a time; samples that are further apart go without. */
    private static final int GATHERED_BYTES = 32 << 20;

    /** Steps that a batch may be ahead of its listener: more than a picture takes to be written. */
    private static final int MOST_UNTOLD = 32;

    /** State of the whole batch after a step, as far as samples have come. */
    private record Gathered(SamplingState state, BitSet samples) {}

    private final StepListener listener;
    private final int perSample;
    private final int[] steps;
    /** Most steps of a sample. */
    private int furthest;
    /** Last states of those that are done; the others may take more steps. */
    private final Map<Integer, SamplingState> finished = new HashMap<>();

    private final Map<Integer, Gathered> gathered = new HashMap<>();
    private final Deque<Runnable> untold = new ArrayDeque<>();
    private int told;
    /** Steps that some sample passed while there was no room. */
    private final BitSet ungathered = new BitSet();

    private boolean begun;
    private boolean ended;
    private @Nullable Throwable failure;

    /**
     * @param perSample elements of a sample's latents
     * @param from step at which all samples are
     */
    BatchProgress(StepListener listener, int samples, int perSample, int from) {
        this.listener = listener;
        this.perSample = perSample;
        this.steps = new int[samples];
        Arrays.fill(steps, from);
        this.told = from;
        this.furthest = from;
    }

    /** A sample has a place. */
    synchronized void begin() {
        if (!begun) {
            begun = true;
            untold.add(listener::begins);
            notifyAll();
        }
    }

    synchronized boolean hasBegun() {
        return begun;
    }

    /**
     * A sample has done a step.
     *
     * @param state of the sample after the step; without arrays where the listener does not want them
     */
    synchronized void done(int sample, SamplingState state) {
        int step = state.done();
        if (!state.arrays().isEmpty()) {
            gather(sample, state);
        }
        steps[sample] = step;
        furthest = Math.max(furthest, step);
        tell();
    }

    /** A sample takes no more steps, however many the others take. */
    synchronized void finished(int sample, SamplingState last) {
        finished.put(sample, last);
        steps[sample] = Integer.MAX_VALUE;
        tell();
    }

    private void tell() {
        int least = Math.min(Arrays.stream(steps).min().orElse(0), furthest);
        while (told < least) {
            int now = told + 1;
            finished.forEach((sample, last) -> {
                if (last.done() < now && gathered.containsKey(now)) {
                    gather(sample, new SamplingState(now, last.arrays()));
                }
            });
            told = now;
            try {
                listener.reached(now);
            } catch (RuntimeException | Error e) {
                end(e); // the listener's fault, not the device's
                return;
            }
            Gathered whole = gathered.remove(now);
            if (listener.equals(StepListener.NONE)) {
                continue;
            }
            SamplingState all = whole != null && whole.samples().cardinality() == steps.length
                    ? whole.state()
                    : new SamplingState(now, List.of());
            untold.add(() -> listener.stepDone(now, () -> all));
            notifyAll();
        }
    }

    private void gather(int sample, SamplingState state) {
        int step = state.done();
        if (step <= told || ungathered.get(step)) {
            return; // done again after a failure, or too late to be whole
        }
        if (!gathered.containsKey(step) && !isRoomFor(state)) {
            ungathered.set(step);
            return;
        }
        Gathered whole =
                gathered.computeIfAbsent(step, any -> new Gathered(emptyLike(state), new BitSet(steps.length)));
        for (int i = 0; i < state.arrays().size(); i++) {
            System.arraycopy(state.arrays().get(i), 0, whole.state().arrays().get(i), sample * perSample, perSample);
        }
        whole.samples().set(sample);
    }

    private boolean isRoomFor(SamplingState ofSample) {
        long bytes = (long) Float.BYTES * ofSample.arrays().size() * perSample * steps.length;
        return gathered.isEmpty() || (gathered.size() + 1) * bytes <= GATHERED_BYTES;
    }

    private SamplingState emptyLike(SamplingState ofSample) {
        return new SamplingState(
                ofSample.done(),
                ofSample.arrays().stream()
                        .map(array -> new float[steps.length * perSample])
                        .toList());
    }

    /** Whether the state after a step is still wanted of a sample. */
    synchronized boolean wants(int step) {
        return step > told && !ungathered.get(step) && listener.wantsState(step);
    }

    /** A sample goes on from an earlier step. */
    synchronized void back(int sample, int step) {
        steps[sample] = step;
    }

    /** Whether the listener is so far behind that the batch has to wait for it. */
    synchronized boolean isBehind() {
        return untold.size() >= MOST_UNTOLD;
    }

    /** Nothing more is to come. The first end counts. */
    synchronized void end(@Nullable Throwable reason) {
        if (!ended) {
            ended = true;
            failure = reason;
            notifyAll();
        }
    }

    /**
     * Tells the listener, on this thread, until the batch has ended. What the listener throws comes out.
     *
     * @param caughtUp called when the batch need not wait for the listener any more
     * @throws CancellationException when the thread is interrupted
     */
    void await(Runnable caughtUp) {
        while (true) {
            Runnable next;
            boolean waited;
            synchronized (this) {
                while (untold.isEmpty() && !ended) {
                    waitInterruptibly();
                }
                if (untold.isEmpty()) {
                    throwFailure();
                    return;
                }
                waited = isBehind();
                next = untold.removeFirst();
            }
            next.run();
            if (waited) {
                caughtUp.run();
            }
        }
    }

    private void waitInterruptibly() {
        try {
            wait();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new CancellationException("interrupted");
        }
    }

    private void throwFailure() {
        switch (failure) {
            case RuntimeException thrown -> throw thrown;
            case Error thrown -> throw thrown;
            case null -> {}
            default -> throw new IllegalStateException(failure);
        }
    }
}
