package org.tornadodit.scheduler.plan;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.diffusion.Update;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.StepPlan.Stage;

class StepPlanTest {
    /** A patch after the other through all blocks; and all of them through each block, for its keys and then for the rest. */
    @Test
    void stagesTakePatches() {
        DitConfig config = new DitConfig(4, 1, 4, 32, 3, 2, 2.0, 6, true);
        StepPlan plan = StepPlan.whole(
                Mesh.ONE.withStages(3).withFlow(new PatchFlow(2, 1)).part(config, 1, true, 0));
        assertEquals(
                "EMBED ARRIVE TAKE KEYS BLOCK HAND_ON ARRIVE TAKE KEYS BLOCK HAND_ON SAMPLE", words(plan.stages()));
        assertEquals(
                "EMBED ARRIVE ARRIVE TAKE KEYS TAKE KEYS TAKE BLOCK PUT TAKE BLOCK PUT TAKE HAND_ON TAKE HAND_ON"
                        + " SAMPLE",
                words(plan.synchronous()));
        assertEquals(Set.of(Stage.KEYS, Stage.TAKE), plan.before(Stage.BLOCK));
        assertEquals(Set.of(Stage.ARRIVE, Stage.KEYS, Stage.PUT, Stage.HAND_ON), plan.before(Stage.TAKE));
        assertTrue(plan.kinds().contains(Stage.PUT));
    }

    private static String words(List<Stage> stages) {
        return stages.stream().map(Stage::name).collect(Collectors.joining(" "));
    }

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
        assertEquals(DenoiseStep.STAGE_HISTORY, Objective.SIT.deviceHistory());
        assertEquals(DenoiseStep.STAGE_HISTORY, 1 + Update.Stage.MOST);
    }
}
