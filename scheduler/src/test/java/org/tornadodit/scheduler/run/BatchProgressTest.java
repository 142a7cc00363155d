package org.tornadodit.scheduler.run;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
}
