package org.tornadodit.scheduler.run;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.plan.Portion;

/**
 * How far the samples of a batch are on their devices: tells the listener, step by step, what all of them have done, and
 * puts the states together that it asked for. Thread safe; the listener is called by one thread at a time, in order,
 * and does not hold up other devices.
 */
final class BatchProgress {
    /** Steps whose states are gathered at a time; devices further apart than that go without. */
    private static final int GATHERED_STEPS = 8;

    /** State of the whole batch after a step, as far as devices have come. */
    private record Gathered(SamplingState state, BitSet samples) {}

    /** Thrown on a device's thread when it is the listener that failed. */
    static final class ListenerFailure extends RuntimeException {
        private static final long serialVersionUID = 1L;
        private final RuntimeException failure;

        ListenerFailure(RuntimeException failure) {
            super(failure);
            this.failure = failure;
        }

        RuntimeException failure() {
            return failure;
        }
    }

    private final StepListener listener;
    private final int perSample;
    private final int[] steps;
    private final Map<Integer, Gathered> gathered = new HashMap<>();
    private final Deque<Runnable> untold = new ArrayDeque<>();
    private boolean telling;
    private int told;
    /** Steps that some sample passed while there was no room. */
    private final BitSet ungathered = new BitSet();

    /**
     * @param from step at which all samples are
     * @param perSample elements of a sample's latents
     */
    BatchProgress(StepListener listener, int samples, int perSample, int from) {
        this.listener = listener;
        this.perSample = perSample;
        this.steps = new int[samples];
        Arrays.fill(steps, from);
        this.told = from;
    }

    /**
     * A portion has done a step.
     *
     * @param state of the portion after the step; without arrays where the listener does not want them
     */
    void done(Portion portion, SamplingState state) {
        note(portion, state);
        tell();
    }

    private synchronized void note(Portion portion, SamplingState state) {
        int step = state.done();
        if (!state.arrays().isEmpty()) {
            gather(portion, state);
        }
        Arrays.fill(steps, portion.first(), portion.first() + portion.count(), step);
        int least = Arrays.stream(steps).min().orElse(0);
        while (told < least) {
            told++;
            int now = told;
            Gathered whole = gathered.remove(now);
            SamplingState all = whole != null && whole.samples().cardinality() == steps.length
                    ? whole.state()
                    : new SamplingState(now, List.of());
            untold.add(() -> listener.stepDone(now, () -> all));
        }
    }

    private void gather(Portion portion, SamplingState state) {
        int step = state.done();
        if (step <= told || ungathered.get(step)) {
            return; // done again after a failure, or too late to be whole
        }
        if (!gathered.containsKey(step) && gathered.size() == GATHERED_STEPS) {
            ungathered.set(step);
            return;
        }
        Gathered whole =
                gathered.computeIfAbsent(step, any -> new Gathered(emptyLike(state), new BitSet(steps.length)));
        for (int i = 0; i < state.arrays().size(); i++) {
            System.arraycopy(
                    state.arrays().get(i),
                    0,
                    whole.state().arrays().get(i),
                    portion.first() * perSample,
                    portion.count() * perSample);
        }
        whole.samples().set(portion.first(), portion.first() + portion.count());
    }

    private SamplingState emptyLike(SamplingState portion) {
        return new SamplingState(
                portion.done(),
                portion.arrays().stream()
                        .map(array -> new float[steps.length * perSample])
                        .toList());
    }

    /** Whether the state after a step is still wanted from a portion. */
    synchronized boolean wants(int step) {
        return step > told && !ungathered.get(step) && listener.wantsState(step);
    }

    /** The samples go on from the state that was kept last. */
    synchronized void back(Portion portion) {
        Arrays.fill(
                steps,
                portion.first(),
                portion.first() + portion.count(),
                portion.state().done());
    }

    private void tell() {
        while (true) {
            Runnable next;
            synchronized (this) {
                if (telling || untold.isEmpty()) {
                    return;
                }
                telling = true;
                next = untold.removeFirst();
            }
            try {
                next.run();
            } catch (RuntimeException e) {
                throw new ListenerFailure(e);
            } finally {
                synchronized (this) {
                    telling = false;
                }
            }
        }
    }
}
