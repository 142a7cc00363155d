package org.tornadodit.scheduler.plan;

import java.util.Optional;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.plan.Mesh.Grain;

/**
 * PipeFusion (J. Fang et al., arXiv 2405.14430): through pipeline stages go patches of the token sequence, one behind the other. A
 * patch attends to all tokens, of which those of the patches behind it have the keys and values that they had in the step
 * before: another picture than one device's.
 *
 * @param number patches of the tokens, all of one size; 1 for none
 * @param warmupSteps the first steps, in which all keys and values are the step's own
 */
public record PatchFlow(int number, int warmupSteps) {
    /** The command line's options. */
    public static final String DEGREE = "--pipefusion-parallel-degree";

    public static final String NUMBER = "--num-pipeline-patch";
    public static final String WARMUP = "--warmup-steps";

    /** All tokens at once. */
    public static final PatchFlow NONE = new PatchFlow(1, 1);

    /** @throws IllegalArgumentException without patches, or without a step that makes the first keys and values */
    public PatchFlow {
        if (number < 1) {
            throw new IllegalArgumentException(NUMBER + " is " + number + ", at least 1 is possible");
        }
        if (warmupSteps < 1) {
            throw new IllegalArgumentException(
                    "%s is %d, and the first step has no keys and values of a step before; at least 1 is possible"
                            .formatted(WARMUP, warmupSteps));
        }
    }

    /** Whether tokens are divided. */
    public boolean isDivided() {
        return number > 1;
    }

    /** Why a mesh cannot have them, in one line. */
    Optional<String> refusal(Mesh mesh, DitConfig config, Grain grain) {
        if (!isDivided()) {
            return Optional.empty();
        }
        for (Axis axis : new Axis[] {Axis.RING, Axis.HEADS, Axis.TENSOR}) {
            if (mesh.degree(axis) > 1) {
                return Optional.of("%s with %s: patches go with halves of guidance and with samples alone"
                        .formatted(DEGREE, axis.option()));
            }
        }
        if (config.tokens() % number != 0 || config.tokens() / number % grain.tokens() != 0) {
            return Optional.of("%d tokens in %d patches (%s): these kernels take multiples of %d"
                    .formatted(config.tokens(), number, NUMBER, grain.tokens()));
        }
        return Optional.empty();
    }

    /** What it does to a picture. */
    @Override
    public String toString() {
        return "PipeFusion, %s %d %s %d".formatted(NUMBER, number, WARMUP, warmupSteps);
    }

    /** The options, for so many stages. */
    String options(int stages) {
        return "%s %d %s %d %s %d".formatted(DEGREE, stages, NUMBER, number, WARMUP, warmupSteps);
    }
}
