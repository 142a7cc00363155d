package org.tornadodit.runner.option;

import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;
import org.tornadodit.scheduler.plan.PatchFlow;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;

/** How several devices divide a run; the words are xDiT's. */
public final class DivisionOptions {
    /** All names. */
    public static final List<String> NAMES = List.of(
            "--plan",
            "--data-parallel-degree",
            "--use-cfg-parallel",
            "--ulysses-degree",
            "--ring-degree",
            "--tensor-parallel-degree",
            "--pipeline-parallel-degree",
            "--micro-batches",
            "--fully-shard-degree",
            "--pipefusion-parallel-degree",
            "--num-pipeline-patch",
            "--warmup-steps");

    /** For commands that leave it to the engine: help does not offer what is refused. */
    public static final class Hidden implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            return hide(spec, NAMES);
        }
    }

    /** Leaves options out of help, for commands that refuse them in words of their own. */
    public static CommandSpec hide(CommandSpec spec, List<String> names) {
        for (String name : names) {
            OptionSpec option = spec.findOption(name);
            spec.remove(option);
            spec.addOption(OptionSpec.builder(option).hidden(true).build());
        }
        return spec;
    }

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

    @Option(
            names = PatchFlow.DEGREE,
            paramLabel = "N",
            description =
                    "N devices compute a sample in stages: each has some of the model's blocks, through which patches"
                            + " of the tokens go one behind the other. Keys and values of the patches behind are those of"
                            + " the step before: another picture, which is never chosen unasked")
    @Nullable
    Integer pipeFusion;

    @Option(
            names = PatchFlow.NUMBER,
            paramLabel = "M",
            description = "Patches of the tokens for --pipefusion-parallel-degree. Default: as many as its devices")
    @Nullable
    Integer patches;

    @Option(
            names = PatchFlow.WARMUP,
            paramLabel = "W",
            description = "Steps with keys and values of their own, before those of --pipefusion-parallel-degree with"
                    + " others of the step before; after --resume again. Default: 1")
    @Nullable
    Integer warmupSteps;

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
        request = withPatches(request);
        if (request.isExplicit() && plan != null) {
            throw new IllegalArgumentException("--plan %s chooses degrees, and others are given; leave out one of both"
                    .formatted(plan.name().toLowerCase(Locale.ROOT)));
        }
        return request;
    }

    /**
     * For commands that leave it to the engine.
     *
     * @throws IllegalArgumentException when something is asked for
     */
    void refuseAny(String why) {
        Stream.of(
                        Stream.ofNullable(plan).map(any -> "--plan"),
                        Stream.ofNullable(data).map(any -> Axis.SAMPLES.option()),
                        Stream.of(cfg).filter(asked -> asked).map(any -> Axis.HALVES.option()),
                        Stream.ofNullable(ulysses).map(any -> Axis.HEADS.option()),
                        Stream.ofNullable(ring).map(any -> Axis.RING.option()),
                        Stream.ofNullable(tensor).map(any -> Axis.TENSOR.option()),
                        Stream.ofNullable(stages).map(any -> Axis.STAGES.option()),
                        Stream.ofNullable(microBatches).map(any -> Mesh.MICRO_BATCHES),
                        Stream.ofNullable(owners).map(any -> Mesh.OWNERS),
                        Stream.ofNullable(pipeFusion).map(any -> PatchFlow.DEGREE),
                        Stream.ofNullable(patches).map(any -> PatchFlow.NUMBER),
                        Stream.ofNullable(warmupSteps).map(any -> PatchFlow.WARMUP))
                .flatMap(names -> names)
                .findFirst()
                .ifPresent(name -> {
                    throw new IllegalArgumentException("%s has no effect %s".formatted(name, why));
                });
    }

    private MeshRequest withPatches(MeshRequest request) {
        int degree = pipeFusion == null ? 1 : pipeFusion;
        if (degree < 1 || degree > 1024) {
            throw new IllegalArgumentException(PatchFlow.DEGREE + " is " + degree + ", expected 1 to 1024");
        }
        if (degree == 1) {
            if (patches != null || warmupSteps != null) {
                throw new IllegalArgumentException(
                        "%s is of patches that go through stages: give %s of 2 or more too, or leave it out"
                                .formatted(patches != null ? PatchFlow.NUMBER : PatchFlow.WARMUP, PatchFlow.DEGREE));
            }
            return request;
        }
        if (stages != null) {
            throw new IllegalArgumentException(
                    "%s and %s: give one of them".formatted(PatchFlow.DEGREE, Axis.STAGES.option()));
        }
        int number = patches == null ? degree : patches;
        if (number < 2 || number > 1024) {
            throw new IllegalArgumentException(PatchFlow.NUMBER + " is " + number + ", expected 2 to 1024");
        }
        return request.with(Axis.STAGES, degree).withFlow(new PatchFlow(number, warmupSteps == null ? 1 : warmupSteps));
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
