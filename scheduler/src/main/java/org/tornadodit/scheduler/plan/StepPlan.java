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
        /** Patches, positions, time and label. */
        EMBED,
        /** Attention and MLP of the next block. */
        BLOCK,
        /** Final layer, guidance and sampler. */
        LAST
    }

    public StepPlan {
        stages = List.copyOf(stages);
        if (stages.isEmpty()) {
            throw new IllegalArgumentException("a step without stages");
        }
    }

    /** A whole step on one device, the blocks of a part one after the other. */
    public static StepPlan whole(Part part) {
        List<Stage> stages = new ArrayList<>();
        stages.add(Stage.EMBED);
        for (int layer = 0; layer < part.layers().count(); layer++) {
            stages.add(Stage.BLOCK);
        }
        stages.add(Stage.LAST);
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
