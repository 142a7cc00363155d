package org.tornadodit.runner.option;

import java.util.Locale;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.plan.MeshRequest;
import picocli.CommandLine.Option;

/** How several devices divide a run; the words are xDiT's. */
public final class DivisionOptions {

    /** Who chooses. */
    enum Plan {
        AUTO,
        SAMPLES
    }

    @Option(
            names = "--plan",
            paramLabel = "auto|samples",
            description =
                    "How several devices divide a batch where no degree is given. samples: each has samples of its own;"
                            + " auto: also each sample, where there are fewer samples than devices, the fastest way by"
                            + " ./dit plan. The picture is the same to the bit. Default: auto")
    @Nullable
    Plan plan;

    @Option(
            names = "--data-parallel-degree",
            paramLabel = "N",
            description = "Groups of devices that have samples of their own. Default: as many as there are devices for")
    @Nullable
    Integer data;

    @Option(
            names = "--use-cfg-parallel",
            description = "Two devices compute a guided sample: one with its class, one without")
    boolean cfg;

    @Option(
            names = "--ulysses-degree",
            paramLabel = "N",
            description =
                    "N devices compute a sample: each some of its tokens, and in attention some of the heads. With"
                            + " --use-cfg-parallel twice as many")
    @Nullable
    Integer ulysses;

    /**
     * What is asked for.
     *
     * @throws IllegalArgumentException when the options contradict each other
     */
    public MeshRequest request() {
        boolean degrees = data != null || cfg || ulysses != null;
        if (degrees && plan != null) {
            throw new IllegalArgumentException("--plan %s chooses degrees, and others are given; leave out one of both"
                    .formatted(plan.name().toLowerCase(Locale.ROOT)));
        }
        if (!degrees) {
            return plan == Plan.SAMPLES ? MeshRequest.SAMPLES : MeshRequest.AUTO;
        }
        return new MeshRequest(
                degree("--data-parallel-degree", data),
                cfg ? OptionalInt.of(2) : OptionalInt.empty(),
                degree("--ulysses-degree", ulysses),
                true);
    }

    private static OptionalInt degree(String option, @Nullable Integer value) {
        if (value == null) {
            return OptionalInt.empty();
        }
        if (value < 1 || value > 1024) {
            throw new IllegalArgumentException(option + " is " + value + ", expected 1 to 1024");
        }
        return OptionalInt.of(value);
    }
}
