package org.tornadodit.scheduler.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.StepPlan.Stage;

class StepPlanTest {

    @Test
    void aWholeStepRunsEachBlockBetweenItsEnds() {
        StepPlan plan = StepPlan.whole(Part.of(new DitConfig(4, 1, 4, 32, 3, 2, 2.0, 6, true), 1, true));
        assertEquals(List.of(Stage.EMBED, Stage.BLOCK, Stage.BLOCK, Stage.BLOCK, Stage.LAST), plan.stages());
        assertEquals(List.of(Stage.EMBED, Stage.BLOCK, Stage.LAST), plan.kinds());
        assertEquals(Set.of(Stage.LAST), plan.before(Stage.EMBED), "the step before");
        assertEquals(Set.of(Stage.EMBED, Stage.BLOCK), plan.before(Stage.BLOCK));
        assertEquals(Set.of(Stage.BLOCK), plan.before(Stage.LAST));
    }

    /** Five blocks in two stages: two and three. */
    @Test
    void stagesDoTheirBlocksForEachMicroBatchAndSampleOnce() {
        Mesh mesh = Mesh.ONE.withStages(2).withMicroBatches(2);
        DitConfig config = new DitConfig(4, 1, 4, 32, 5, 2, 2.0, 6, true);
        assertEquals(
                List.of(
                        Stage.EMBED,
                        Stage.BLOCK,
                        Stage.BLOCK,
                        Stage.HAND_ON,
                        Stage.EMBED,
                        Stage.BLOCK,
                        Stage.BLOCK,
                        Stage.HAND_ON,
                        Stage.SAMPLE),
                StepPlan.whole(mesh.part(config, 1, true, 0)).stages());
        StepPlan last = StepPlan.whole(mesh.part(config, 1, true, 1));
        assertEquals(List.of(Stage.EMBED, Stage.BLOCK, Stage.PREDICT, Stage.SAMPLE), last.kinds());
        assertEquals(11, last.stages().size());
        assertEquals(Set.of(Stage.SAMPLE, Stage.PREDICT), last.before(Stage.EMBED));
    }

    @Test
    void aSingleBlockComesAfterNoOther() {
        StepPlan plan = new StepPlan(List.of(Stage.EMBED, Stage.BLOCK, Stage.LAST));
        assertEquals(Set.of(Stage.EMBED), plan.before(Stage.BLOCK));
        assertThrows(IllegalArgumentException.class, () -> new StepPlan(List.of()));
    }

    /** The kernel's arrays hold what any sampler keeps whose steps a device takes. */
    @Test
    void devicesHaveRoomForEverySamplersHistory() {
        assertTrue(Arrays.stream(SamplingMethod.values())
                .filter(method -> !method.adaptive())
                .allMatch(method -> method.history() <= DenoiseStep.HISTORY));
    }
}
