package org.tornadodit.runner.measure;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.check.Ceiling;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.checkpoint.SeededCheckpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.plan.RunFiles;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.report.MeasuredSteps;
import org.tornadodit.runner.report.RunRecord;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.tune.Autotuner;
import org.tornadodit.scheduler.tune.DefaultRates;
import org.tornadodit.scheduler.tune.KernelRunner;
import org.tornadodit.scheduler.tune.ModelTuning;
import org.tornadodit.scheduler.tune.TunedOperation;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Times the engine and its kernels. */
@Command(
        name = "bench",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        subcommands = {SoakCommand.class, StartCommand.class},
        description = {
            "Times a denoising step, a whole sampling, the decoder, or each kernel: medians with their spread, after a"
                    + " warm-up, with device, driver, versions and options.",
            "bench soak runs many times in one JVM, to see what is left behind; bench start times whole processes."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit bench --model demo",
            "  dit bench step --random-weights --image-size 512",
            "  dit bench kernels --json kernels.json"
        })
public final class BenchCommand implements Callable<Integer> {
    /** Seconds; kernels are all timed, however long it takes. */
    private static final double UNLIMITED = 1e6;
    /** Stable Diffusion's decoder, which facebookresearch/DiT uses. */
    private static final VaeConfig VAE =
            new VaeConfig(List.of(128, 256, 512, 512), 2, 4, 3, 32, 1e-6, 0.18215, true, true);

    /** What can be timed. */
    enum What {
        STEP,
        SAMPLING,
        VAE,
        KERNELS
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Parameters(
            paramLabel = "step|sampling|vae|kernels",
            arity = "0..*",
            description = "What to time. Default: step vae, and kernels on a device of TornadoVM")
    List<What> chosen = List.of();

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Option(names = "--random-weights", description = "Draw the weights at random: times do not depend on them")
    boolean randomWeights;

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Option(
            names = "--repetitions",
            paramLabel = "N",
            description = "How often each is timed. Default: " + EngineTimes.STEPS + " steps, " + EngineTimes.DECODES
                    + " decodings, " + EngineTimes.SAMPLINGS + " sampling")
    @Nullable
    Integer repetitions;

    @Option(
            names = "--warm-up",
            paramLabel = "N",
            defaultValue = "3",
            description = "Steps and decodings before the timing, which are not counted. Default: ${DEFAULT-VALUE}")
    int warmUp = 3;

    @Option(names = "--default-kernels", description = "Leave out what autotune found")
    boolean defaultKernels;

    @Option(
            names = "--format",
            paramLabel = "md|csv|json",
            defaultValue = "md",
            description = "Default: ${DEFAULT-VALUE}")
    BenchTable.Format format = BenchTable.Format.MD;

    @Option(names = "--json", paramLabel = "FILE.json", description = "Also write the record, for ./dit report")
    @Nullable
    Path json;

    @Option(names = "--note", paramLabel = "TEXT", description = "What the run shows, kept in the JSON")
    @Nullable
    String note;

    private final Surroundings surroundings = Surroundings.read();

    /** Weights and sizes of what is timed. */
    private record Model(ModelSource source, DitConfig config, VaeConfig vaeConfig, Checkpoint dit, Checkpoint vae) {}

    @Override
    public Integer call() throws IOException {
        if (repetitions != null && (repetitions < 1 || repetitions > 900)) {
            throw usage("--repetitions is " + repetitions + ", expected 1 to 900");
        }
        if (warmUp < 1 || warmUp > 100) {
            throw usage("--warm-up is " + warmUp + ", expected 1 to 100");
        }
        if (json != null) {
            OutputFile.requireWritable(json);
            OutputFile.requireNoInput(json, modelOptions.inputs());
        }
        try (Weights weights = new Weights()) {
            SamplingPlan plan;
            Model model;
            try {
                model = weights.open();
                plan = plan(model);
                TypedOptions typed = new TypedOptions(spec.commandLine());
                typed.requireEffect(samplingOptions, plan.device());
                requireEffect(typed);
                if (randomWeights) {
                    typed.refuse(List.of("--ckpt"), "with --random-weights; leave one of them out");
                }
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
            }
            if (json != null && !randomWeights) {
                OutputFile.requireNoInput(json, model.source().inputs());
            }
            Set<What> what = what(plan);
            plan.requireMemory(plan.heapNeedOfWholeBatches(), model.dit(), model.vae());
            DeviceTuning tuning =
                    defaultKernels ? new DeviceTuning(Tuning.NONE, List.of("the kernels' defaults")) : plan.tuning();
            JsonObject record = RunRecord.begin("bench", spec, plan.devicesInUse(), note);
            record.add("options", options(plan, tuning));
            List<JsonObject> measurements = new ArrayList<>();
            PrintWriter err = spec.commandLine().getErr();
            if (!what.equals(EnumSet.of(What.KERNELS))) {
                try (Engine engine = plan.load(model.dit(), model.vae(), tuning, line -> err.println("dit: " + line))) {
                    err.println(engine.description());
                    tuning.lines().forEach(err::println);
                    measurements.addAll(new EngineTimes(engine, plan, repetitions, warmUp).of(what));
                }
            }
            record.add("measurements", RunRecord.array(measurements));
            boolean right = true;
            @Nullable KernelTable kernels = null;
            if (what.contains(What.KERNELS)) {
                kernels = kernels(plan, tuning);
                kernels.addTo(record);
                right = kernels.operations().stream()
                        .allMatch(one -> one.chosen().isPresent());
            }
            new BenchTable(record, measurements, kernels, plan.device().cpu())
                    .print(spec.commandLine().getOut(), format);
            if (json != null) {
                RunRecord.write(json, record);
            }
            return right ? ExitCode.DONE : ExitCode.FAILURE;
        }
    }

    /** Refuses what only others than those that are timed heed. */
    private void requireEffect(TypedOptions typed) {
        if (json == null && format != BenchTable.Format.JSON) {
            typed.refuse(List.of("--note"), "without --json, which keeps it; leave it out, or give --json");
        }
        if (!chosen.contains(What.SAMPLING)) {
            typed.refuse(
                    List.of("--guidance-low", "--guidance-high"),
                    "on a step, which is timed with guidance; leave it out, or time sampling");
            typed.refuse(
                    List.of("--num-sampling-steps"),
                    "without sampling: a step is timed --repetitions times; leave it out, or time sampling");
        }
        if (chosen.isEmpty()) {
            return;
        }
        if (!chosen.contains(What.STEP) && !chosen.contains(What.VAE)) {
            typed.refuse(List.of("--warm-up"), "without step or vae; leave it out");
        }
        if (Set.copyOf(chosen).equals(Set.of(What.KERNELS))) {
            typed.refuse(List.of("--repetitions"), "on kernels, which are timed as autotune times them; leave it out");
        }
    }

    /** What was asked for, or all that is quick. */
    private Set<What> what(SamplingPlan plan) {
        if (plan.device().cpu() && chosen.contains(What.KERNELS)) {
            throw usage("kernels are TornadoVM's; with the CPU engine, time step, sampling or vae");
        }
        if (!chosen.isEmpty()) {
            return EnumSet.copyOf(chosen);
        }
        return plan.device().cpu() ? EnumSet.of(What.STEP, What.VAE) : EnumSet.of(What.STEP, What.VAE, What.KERNELS);
    }

    /** Opens checkpoints, or makes them up, and closes them. */
    private final class Weights implements AutoCloseable {
        private final List<Checkpoint> open = new ArrayList<>();

        Model open() {
            if (randomWeights) {
                DitConfig config = ModelSizes.of(modelOptions, surroundings);
                VaeConfig vaeConfig = modelOptions.vae == null ? VAE : VaeConfig.fromJson(modelOptions.vae);
                Path none = Path.of("random");
                ModelSource source =
                        new ModelSource(modelOptions.model, none, none, null, config, null, null, modelOptions);
                return new Model(
                        source,
                        config,
                        vaeConfig,
                        new SeededCheckpoint(DitWeights.specs(config), 5),
                        new SeededCheckpoint(VaeWeights.specs(vaeConfig), 6));
            }
            ModelSource source = ModelSource.of(modelOptions, surroundings);
            Checkpoint dit = Checkpoints.open(source.checkpoint());
            open.add(dit);
            Checkpoint vae = Checkpoints.openVae(source.vae());
            open.add(vae);
            return new Model(source, source.sizes(dit), VaeConfig.fromJson(source.vae()), dit, vae);
        }

        @Override
        public void close() {
            open.forEach(Checkpoint::close);
        }
    }

    private SamplingPlan plan(Model model) {
        ClassNames classes = randomWeights
                ? ClassNames.numbered(model.config().numClasses())
                : model.source().classNames(model.config());
        return new SamplingPlan(
                model.source(),
                model.config(),
                model.vaeConfig(),
                classes,
                samplingOptions.request(classes, model.config()),
                samplingOptions,
                deviceOptions.choose(
                        surroundings, line -> spec.commandLine().getErr().println("dit: " + line)),
                new DefaultRates(),
                deviceOptions.threads,
                RunFiles.none());
    }

    private JsonObject options(SamplingPlan plan, DeviceTuning tuning) {
        JsonObject options = ModelSizes.json(
                modelOptions.model, plan.config(), plan.request().samples(), samplingOptions.kernelArguments);
        options.addProperty("steps", samplingOptions.steps);
        options.addProperty("sampler", plan.request().sampler().method().toString());
        options.addProperty("guidance", plan.request().cfgScale());
        options.addProperty("weights", randomWeights ? "random" : "checkpoint");
        options.addProperty("tuned_operations", tuning.tuning().choices().size());
        if (plan.device().cpu()) {
            options.addProperty("threads", plan.threads());
        } else {
            options.addProperty(MeasuredSteps.DIVISION, plan.mesh().options());
        }
        return options;
    }

    /** Every kernel of a step in the variant that sampling uses, checked and timed on its own. */
    private KernelTable kernels(SamplingPlan plan, DeviceTuning tuning) {
        ListedDevice device = plan.devicesInUse().getFirst();
        KernelRunner runner = ModelTuning.runner(device);
        int samples = Math.ceilDiv(plan.request().samples(), plan.devicesInUse().size());
        List<Tunable> operations = ModelTuning.operations(
                        device,
                        plan.config(),
                        samplingOptions.kernelArguments.options(plan.config()),
                        Part.of(plan.config(), samples, plan.request().guided()))
                .stream()
                .map(one -> one.in(tuning.tuning().choose(one.operation(), one.variants())))
                .toList();
        Map<Ceiling, Double> ceilings = ModelTuning.ceilings(device, runner, operations);
        List<TunedOperation> times = new Autotuner(runner, UNLIMITED)
                .tune(operations, one -> spec.commandLine().getErr().println(one.operation()));
        return new KernelTable(times, ceilings);
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
