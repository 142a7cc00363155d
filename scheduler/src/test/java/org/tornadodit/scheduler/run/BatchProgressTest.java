package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

class BatchProgressTest {

    /** A clock must not depend on when the listener's thread wakes. */
    @Test
    void stepsAreReachedBeforeAnybodyIsToldOfThem() {
        List<String> heard = new ArrayList<>();
        StepListener listener = new StepListener() {
            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {
                heard.add("told " + done);
            }

            @Override
            public void reached(int done) {
                heard.add("reached " + done);
            }
        };
        BatchProgress progress = new BatchProgress(listener, 2, 4, 0);
        progress.done(0, new SamplingState(1, List.of()));
        assertEquals(List.of(), heard);
        progress.done(1, new SamplingState(1, List.of()));
        progress.done(1, new SamplingState(2, List.of()));
        progress.done(0, new SamplingState(2, List.of()));
        assertEquals(List.of("reached 1", "reached 2"), heard);
    }

    /** Who goes back has not done the step, whatever it had done before. */
    @Test
    void aStepIsNotReachedBySomebodyWhoWentBack() {
        List<Integer> heard = new ArrayList<>();
        BatchProgress progress = new BatchProgress(states(new ArrayList<>(), heard), 2, 1, 0);
        progress.done(0, new SamplingState(1, List.of()));
        progress.back(0, 0);
        progress.done(1, new SamplingState(1, List.of()));
        assertEquals(List.of(), heard);
        progress.done(0, new SamplingState(1, List.of()));
        assertEquals(List.of(1), heard);
    }

    /** A sample that ends early has its own states up to its end, and its last one in later steps. */
    @Test
    void statesHaveTheLastOfWhoIsDone() {
        List<List<Float>> told = new ArrayList<>();
        BatchProgress progress = new BatchProgress(states(told, new ArrayList<>()), 2, 1, 0);
        progress.done(0, state(1, 10));
        progress.done(0, state(2, 20));
        progress.finished(0, state(2, 20));
        for (int step = 1; step <= 3; step++) {
            progress.done(1, state(step, step));
        }
        progress.finished(1, state(3, 3));
        progress.end(null);
        progress.await(() -> {});
        assertEquals(List.of(List.of(10f, 1f), List.of(20f, 2f), List.of(20f, 3f)), told);
    }

    /** Of 32 MB there is room for four states of two samples; what is done again takes none, and what has no room is not wanted. */
    @Test
    void statesThatHaveNoRoomAreNotGathered() {
        int elements = 1 << 20;
        List<List<Float>> told = new ArrayList<>();
        BatchProgress progress = new BatchProgress(states(told, new ArrayList<>()), 2, elements, 0);
        float[] latents = new float[elements];
        progress.done(0, new SamplingState(1, List.of(latents)));
        progress.done(1, new SamplingState(1, List.of(latents)));
        progress.back(0, 0);
        for (int step = 1; step <= 7; step++) {
            assertEquals(step > 1 && step < 7, progress.wants(step), "step " + step);
            if (step < 7) {
                progress.done(0, new SamplingState(step, List.of(latents)));
            }
            if (step == 6) {
                progress.done(0, new SamplingState(7, List.of(latents)));
            }
            assertEquals(step > 1 && step < 6, progress.wants(step), "step " + step);
        }
        for (int step = 2; step <= 7; step++) {
            progress.done(1, new SamplingState(step, List.of(latents)));
        }
        progress.end(null);
        progress.await(() -> {});
        assertEquals(List.of(2, 2, 2, 2, 2, 0, 0), told.stream().map(List::size).toList());
    }

    @Test
    void theFirstEndCounts() {
        BatchProgress progress = new BatchProgress(StepListener.NONE, 1, 1, 0);
        IllegalStateException first = new IllegalStateException("first");
        progress.end(first);
        progress.end(null);
        progress.end(new IllegalStateException("second"));
        assertEquals(first, assertThrows(IllegalStateException.class, () -> progress.await(() -> {})));
    }

    private static SamplingState state(int done, float value) {
        return new SamplingState(done, List.of(new float[] {value}));
    }

    /** Takes the first and the last element of each state, and the steps that are reached. */
    private static StepListener states(List<List<Float>> told, List<Integer> reached) {
        return new StepListener() {
            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {
                List<float[]> arrays = state.get().arrays();
                told.add(
                        arrays.isEmpty()
                                ? List.of()
                                : List.of(arrays.getFirst()[0], arrays.getFirst()[arrays.getFirst().length - 1]));
            }

            @Override
            public boolean wantsState(int step) {
                return true;
            }

            @Override
            public void reached(int step) {
                reached.add(step);
            }
        };
    }
}
