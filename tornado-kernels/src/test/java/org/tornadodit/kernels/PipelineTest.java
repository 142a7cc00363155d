package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class PipelineTest {
    /** Uses of the stages, counted without end, beside the places that stand for them. */
    @Test
    void placesGoAroundTheRingTwice() {
        for (int stages = 2; stages <= Pipeline.MOST_STAGES; stages++) {
            int place = 0;
            for (int use = 0; use < 5 * stages; use++) {
                String what = "use " + use + " of " + stages + " stages";
                assertEquals(use % (2 * stages), place, what);
                assertEquals(use % stages, Pipeline.stage(place, stages), what);
                assertEquals((use + 2 * stages - 1) % (2 * stages), Pipeline.before(place, stages), what);
                for (int more = 0; more <= 3 * stages; more++) {
                    assertEquals(
                            (use + more) % (2 * stages), Pipeline.later(place, more, stages), what + " and " + more);
                }
                place = Pipeline.next(place, stages);
            }
        }
    }
}
