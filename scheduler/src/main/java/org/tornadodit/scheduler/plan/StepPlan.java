package org.tornadodit.scheduler.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * The order in which a device does the stages of a denoising step.
 *
 * @param stages each as often as it runs
 * @param synchronous likewise, of a step of patches in which all keys and values are the step's own; empty without patches
 */
public record StepPlan(List<Stage> stages, List<Stage> synchronous) {

    /** What a graph of the step does. */
    public enum Stage {
        /** Patches, positions, time and label; behind the first blocks' device, what comes from there in place of the first two. */
        EMBED,
        /** A patch is there, from the stage before, and begins with the first block. */
        ARRIVE,
        /** Hidden states of the next patch become those that blocks work on. */
        TAKE,
        /** Queries, keys and values of a patch in the next block. */
        KEYS,
        /** Attention and MLP of the next block; of a patch, whose keys and values are there. */
        BLOCK,
        /** And the other way round, in a step that goes through each block with all patches. */
        PUT,
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
        synchronous = List.copyOf(synchronous);
        if (stages.isEmpty()) {
            throw new IllegalArgumentException("a step without stages");
        }
    }

    /** Of a step without patches. */
    public StepPlan(List<Stage> stages) {
        this(stages, List.of());
    }

    /** All of a step that a part takes: its blocks one after the other, micro-batch after micro-batch, or patch after patch. */
    public static StepPlan whole(Part part) {
        return part.isPatched() ? ofPatches(part) : ofMicroBatches(part);
    }

    /**
     * Patch after patch goes through all blocks; or, where each has to have the others' keys and values of this step, all patches
     * through each block, first for their keys.
     */
    private static StepPlan ofPatches(Part part) {
        int patches = part.mesh().patches();
        Stage end = part.isLastStage() ? Stage.PREDICT : Stage.HAND_ON;
        List<Stage> stages = new ArrayList<>(List.of(Stage.EMBED));
        for (int patch = 0; patch < patches; patch++) {
            stages.addAll(List.of(Stage.ARRIVE, Stage.TAKE));
            for (int layer = 0; layer < part.layers().count(); layer++) {
                stages.addAll(List.of(Stage.KEYS, Stage.BLOCK));
            }
            stages.add(end);
        }
        stages.add(Stage.SAMPLE);
        List<Stage> synchronous = new ArrayList<>(List.of(Stage.EMBED));
        synchronous.addAll(Collections.nCopies(patches, Stage.ARRIVE));
        for (int layer = 0; layer < part.layers().count(); layer++) {
            for (int patch = 0; patch < patches; patch++) {
                synchronous.addAll(List.of(Stage.TAKE, Stage.KEYS));
            }
            for (int patch = 0; patch < patches; patch++) {
                synchronous.addAll(List.of(Stage.TAKE, Stage.BLOCK, Stage.PUT));
            }
        }
        for (int patch = 0; patch < patches; patch++) {
            synchronous.addAll(List.of(Stage.TAKE, end));
        }
        synchronous.add(Stage.SAMPLE);
        return new StepPlan(stages, synchronous);
    }

    private static StepPlan ofMicroBatches(Part part) {
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
        Set<Stage> kinds = new LinkedHashSet<>(stages);
        kinds.addAll(synchronous);
        return List.copyOf(kinds);
    }

    /** The stages that a stage comes right after; the first comes after the last too, of the step before. */
    public Set<Stage> before(Stage stage) {
        Set<Stage> before = new LinkedHashSet<>();
        for (List<Stage> order : List.of(stages, synchronous)) {
            for (int i = 0; i < order.size(); i++) {
                if (order.get(i) == stage) {
                    before.add(order.get((i + order.size() - 1) % order.size()));
                }
            }
        }
        return before;
    }
}
