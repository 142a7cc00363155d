package org.tornadodit.runner.measure;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

/** What steps took that a device was given ahead. */
class EngineTimesTest {
    @Test
    void aStepThatWasWaitedForHasHalfOfWhatItAndTheNextTook() {
        List<Double> told = List.of(0.5, 5.0, 5.25, 10.0, 0.5, 5.0, 9.5, 0.5);
        assertEquals(List.of(0.5, 5.0, 5.25, 5.25, 5.25, 5.0, 5.0, 5.0), EngineTimes.evened(told));
    }

    @Test
    void stepsThatEndOneByOneStayAsTheyAre() {
        List<Double> told = List.of(9.0, 5.0, 4.9, 2.6, 5.1);
        assertEquals(told, EngineTimes.evened(told));
        assertEquals(List.of(), EngineTimes.evened(List.of()));
    }
}
