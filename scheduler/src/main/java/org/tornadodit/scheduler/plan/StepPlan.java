package org.tornadodit.scheduler.plan;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The order in which a device does the stages of a denoising step.
 *
 * @param stages each as often as it runs
 */
public record StepPlan(List<Stage> stages) {

    /** What a graph of the step does. */
    public enum Stage {
        /** Patches, positions, time and label; behind the first blocks' device, what comes from there in place of the first two. */
        EMBED,
        /** Attention and MLP of the next block. */
        BLOCK,
        /** Final layer, guidance and sampler. */
        LAST,
        /** Hidden states of a micro-batch go to the device with the next blocks. */
        HAND_ON,
        /** Final layer of a micro-batch. */
        PREDICT,
        /** Guidance and sampler, once all micro-batches are predicted. */
        SAMPLE
    }

    public StepPlan {
        stages = List.copyOf(stages);
        if (stages.isEmpty()) {
            throw new IllegalArgumentException("a step without stages");
        }
    }

    /** All of a step that a part takes: its blocks one after the other, micro-batch after micro-batch. */
    public static StepPlan whole(Part part) {
        List<Stage> stages = new ArrayList<>();
        for (int micro = 0; micro < part.mesh().microBatches(); micro++) {
            stages.add(Stage.EMBED);
            for (int layer = 0; layer < part.layers().count(); layer++) {
                stages.add(Stage.BLOCK);
            }
            if (part.isStage()) {
                stages.add(part.isLastStage() ? Stage.PREDICT : Stage.HAND_ON);
            }
        }
        stages.add(part.isStage() ? Stage.SAMPLE : Stage.LAST);
        return new StepPlan(stages);
    }

    /** The stages that occur, each once, in the order of their first run. */
    public List<Stage> kinds() {
        return List.copyOf(new LinkedHashSet<>(stages));
    }

    /** The stages that a stage comes right after; the first comes after the last too, of the step before. */
    public Set<Stage> before(Stage stage) {
        Set<Stage> before = new LinkedHashSet<>();
        for (int i = 0; i < stages.size(); i++) {
            if (stages.get(i) == stage) {
                before.add(stages.get((i + stages.size() - 1) % stages.size()));
            }
        }
        return before;
    }
}
