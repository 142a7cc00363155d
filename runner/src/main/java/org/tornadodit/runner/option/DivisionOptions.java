package org.tornadodit.runner.option;

import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
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

    @Option(
            names = "--ring-degree",
            paramLabel = "N",
            description =
                    "N devices compute a sample: each some of its tokens, to which keys and values of all come. With"
                            + " --ulysses-degree M N times M devices")
    @Nullable
    Integer ring;

    @Option(
            names = "--tensor-parallel-degree",
            paramLabel = "N",
            description =
                    "N devices compute a sample: each with some of the heads and features of all blocks, and their"
                            + " weights. FP32's accuracy, not one device's bits")
    @Nullable
    Integer tensor;

    @Option(
            names = "--pipeline-parallel-degree",
            paramLabel = "N",
            description =
                    "N devices compute a batch in stages (GPipe): each has some of the model's blocks, and the memory"
                            + " of their weights alone. With the other degrees as many times as many")
    @Nullable
    Integer stages;

    @Option(
            names = "--micro-batches",
            paramLabel = "M",
            description =
                    "Parts of a step's passes, two of a guided sample, that go through the stages one behind the other."
                            + " Default: the fastest by ./dit plan")
    @Nullable
    Integer microBatches;

    @Option(
            names = Mesh.OWNERS,
            paramLabel = "N",
            description =
                    "N devices that compute a sample together own the blocks' weights between them (ZeRO-3, FSDP): each"
                            + " block's come from its owner before it runs. Saves memory, not time. Alone: N devices,"
                            + " divided as is fastest by ./dit plan")
    @Nullable
    Integer owners;

    /**
     * What is asked for.
     *
     * @throws IllegalArgumentException when the options contradict each other
     */
    public MeshRequest request() {
        MeshRequest request = plan == Plan.SAMPLES ? MeshRequest.SAMPLES : MeshRequest.AUTO;
        request = with(request, Axis.SAMPLES, data);
        request = with(request, Axis.HALVES, cfg ? Integer.valueOf(2) : null);
        request = with(request, Axis.STAGES, stages);
        request = with(request, Axis.RING, ring);
        request = with(request, Axis.HEADS, ulysses);
        request = with(request, Axis.TENSOR, tensor);
        if (microBatches != null) {
            if (microBatches < 1 || microBatches > 1024) {
                throw new IllegalArgumentException(Mesh.MICRO_BATCHES + " is " + microBatches + ", expected 1 to 1024");
            }
            if (stages == null) {
                throw new IllegalArgumentException(Mesh.MICRO_BATCHES + " go through stages: give "
                        + Axis.STAGES.option() + " too, or leave it out");
            }
            request = request.withMicroBatches(microBatches);
        }
        if (owners != null) {
            if (owners < 1 || owners > Mesh.MOST_RANKS) {
                throw new IllegalArgumentException(
                        Mesh.OWNERS + " is " + owners + ", expected 1 to " + Mesh.MOST_RANKS);
            }
            request = request.withOwners(owners);
        }
        if (request.isExplicit() && plan != null) {
            throw new IllegalArgumentException("--plan %s chooses degrees, and others are given; leave out one of both"
                    .formatted(plan.name().toLowerCase(Locale.ROOT)));
        }
        return request;
    }

    private static MeshRequest with(MeshRequest request, Axis axis, @Nullable Integer degree) {
        if (degree == null) {
            return request;
        }
        if (degree < 1 || degree > 1024) {
            throw new IllegalArgumentException(axis.option() + " is " + degree + ", expected 1 to 1024");
        }
        return request.with(axis, degree);
    }
}
