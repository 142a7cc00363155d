package org.tornadodit.runner.measure;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.Ceiling;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.pipeline.setup.DeviceChoice;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.DivisionOptions;
import org.tornadodit.runner.option.KernelArguments;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.report.RunRecord;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.ShardPlan;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;
import org.tornadodit.scheduler.tune.Autotuner;
import org.tornadodit.scheduler.tune.KernelRunner;
import org.tornadodit.scheduler.tune.ModelTuning;
import org.tornadodit.scheduler.tune.TunedOperation;
import org.tornadodit.scheduler.tune.TuningCache;
import org.tornadodit.scheduler.tune.TuningKey;
import org.tornadodit.scheduler.tune.VirtualRunner;
import picocli.CommandLine.Command;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Finds the fastest variant of every kernel of a model on a device. */
@Command(
        name = "autotune",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        modelTransformer = AutotuneCommand.Unheeded.class,
        description = {
            "Times the variants of every kernel of a model on a device, each after its check against the reference,"
                    + " and keeps the fastest for sample to use. Pictures stay the same, bit for bit.",
            "Stopped half way it keeps what it has; the next call goes on from there."
        },
        footerHeading = "%nExamples:%n",
        footer = {"  dit autotune --image-size 512", "  dit autotune --model demo --budget 60"})
public final class AutotuneCommand implements Callable<Integer> {
    /** What says how several devices share a run. */
    private static final List<String> OF_SEVERAL = Stream.concat(
                    Stream.of("--device-weights", "--fail-fast"), DivisionOptions.NAMES.stream())
            .toList();

    private static final List<String> OF_CPU = List.of("--threads");

    /** What names devices, and says what is done on them besides kernels. */
    private static final List<String> OF_DEVICES = Stream.of(
                    List.of("--device", "--devices"), OF_SEVERAL, OF_CPU, List.of("--no-kernel-cache"))
            .flatMap(List::stream)
            .toList();

    /** Help does not offer what is refused on all devices. */
    static final class Unheeded implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            return DivisionOptions.hide(DivisionOptions.hide(spec, OF_SEVERAL), OF_CPU);
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "8",
            description = "Samples of a batch: as many as sample gets class labels. Default: ${DEFAULT-VALUE}")
    int batch = 8;

    @Mixin
    KernelArguments kernelArguments = new KernelArguments();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Option(
            names = "--budget",
            paramLabel = "SECONDS",
            defaultValue = "300",
            description = "Begin nothing new after so many seconds. Default: ${DEFAULT-VALUE}")
    double budget = 300;

    @Option(names = "--again", description = "Also time what was tuned before")
    boolean again;

    @Option(names = "--json", paramLabel = "FILE.json", description = "Also write all times, for ./dit report")
    @Nullable
    Path json;

    @Option(names = "--note", paramLabel = "TEXT", description = "What the run shows, kept in the JSON")
    @Nullable
    String note;

    @Option(
            names = "--virtual",
            description =
                    "Make the times up: tries the command where there is no device. Kernels run on the CPU, slowly")
    boolean virtual;

    private final Surroundings surroundings = Surroundings.read();

    @Override
    public Integer call() throws IOException {
        if (batch < 1 || batch > 1024) {
            throw usage("--batch is " + batch + ", expected 1 to 1024");
        }
        if (!(budget >= 0)) {
            throw usage("--budget is " + budget + ", expected at least 0 seconds");
        }
        if (json != null) {
            OutputFile.requireWritable(json);
            OutputFile.requireNoInput(json, modelOptions.inputs());
        }
        DitConfig config;
        List<ListedDevice> devices;
        try {
            if (json == null) {
                new TypedOptions(spec.commandLine())
                        .refuse(List.of("--note"), "without --json, which keeps it; leave it out, or give --json");
            }
            config = ModelSizes.of(modelOptions, surroundings);
            devices = virtual ? first() : chosen();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
        ListedDevice device = devices.getFirst();
        TuningKey key = virtual
                ? DeviceTuning.key(device, "made-up times")
                : DeviceTuning.key(device, kernelArguments.precisionName());
        TuningCache cache = new TuningCache(Machine.cacheFolder());
        TuningCache.Loaded loaded = cache.load(key);
        if (json != null) {
            OutputFile.requireNoInput(json, List.of(loaded.file()));
        }
        PrintWriter err = spec.commandLine().getErr();
        loaded.ignored().ifPresent(err::println);

        Map<OperationShape, Variant> choices =
                new LinkedHashMap<>(loaded.tuning().choices());
        List<Tunable> all = tunables(device, config, devices.size());
        List<Tunable> left = again
                ? all
                : all.stream()
                        .filter(one -> !choices.containsKey(one.operation())
                                || !one.variants().contains(choices.get(one.operation())))
                        .toList();
        KernelRunner runner = ModelTuning.runner(device);
        Map<Ceiling, Double> ceilings = Map.of();
        if (virtual) {
            runner = VirtualRunner.over(runner);
        } else {
            ceilings = ModelTuning.ceilings(device, runner, all);
        }
        err.println("%s: %d operations of %s, %d of them tuned before"
                .formatted(device, all.size(), modelOptions.model, all.size() - left.size()));
        List<TunedOperation> tuned = new Autotuner(runner, budget).tune(left, one -> {
            one.chosen().ifPresent(variant -> {
                choices.put(one.operation(), variant);
                keep(cache, key, choices);
            });
            err.println(
                    one.operation() + ": " + one.chosen().map(Object::toString).orElse("THE DEFAULT IS WRONG"));
        });

        KernelTable table = new KernelTable(tuned, ceilings);
        PrintWriter out = spec.commandLine().getOut();
        table.print(out);
        out.println(String.format(
                Locale.ROOT,
                "kernels of a step: %.3f ms with the defaults, %.3f ms tuned (%.1f %% less)",
                table.standardStep(),
                table.chosenStep(),
                table.standardStep() > 0 ? 100 * (1 - table.chosenStep() / table.standardStep()) : 0));
        if (tuned.size() < left.size()) {
            out.println("%d of %d operations are left: the budget is used up; run it again to go on"
                    .formatted(left.size() - tuned.size(), left.size()));
        }
        out.println("kept in " + loaded.file());
        if (json != null) {
            JsonObject record = RunRecord.begin("autotune", spec, devices, note);
            record.add("options", ModelSizes.json(modelOptions.model, config, batch, kernelArguments));
            table.addTo(record);
            RunRecord.write(json, record);
        }
        return tuned.stream().allMatch(one -> one.chosen().isPresent()) ? ExitCode.DONE : ExitCode.FAILURE;
    }

    /** The device that kernels run on for their results alone; refuses what would choose another. */
    private List<ListedDevice> first() {
        new TypedOptions(spec.commandLine())
                .refuse(OF_DEVICES, "with --virtual, which makes the times of one device up; leave one of them out");
        return TornadoDevices.list().subList(0, 1);
    }

    /** The devices; refuses what has no effect on them. */
    private List<ListedDevice> chosen() {
        TypedOptions typed = new TypedOptions(spec.commandLine());
        typed.refuse(OF_CPU, "on autotune, which tunes kernels of TornadoVM; leave it out");
        typed.refuse(OF_SEVERAL, "on autotune, which tunes one device; leave it out");
        DeviceOptions.Chosen chosen = deviceOptions.choose(
                surroundings, line -> spec.commandLine().getErr().println("dit: " + line));
        if (chosen.cpu()) {
            String problem = "there is nothing to tune for the CPU engine (%s); autotune is for devices of TornadoVM"
                    .formatted(chosen.reason());
            if (chosen.reason().equals(DeviceChoice.ASKED_FOR)) {
                throw new IllegalArgumentException(problem);
            }
            throw new DeviceUnavailableException(problem);
        }
        typed.requireEffect(chosen);
        return chosen.devices();
    }

    /** The operations of every share of the batch that a device gets. */
    private List<Tunable> tunables(ListedDevice device, DitConfig config, int devices) {
        return ShardPlan.even(batch, Math.min(batch, devices)).shards().stream()
                .map(Shard::count)
                .distinct()
                .flatMap(
                        count -> ModelTuning.operations(
                                device, config, kernelArguments.options(config), Part.of(config, count, true))
                                .stream())
                .toList();
    }

    private static void keep(TuningCache cache, TuningKey key, Map<OperationShape, Variant> choices) {
        try {
            cache.store(key, new Tuning(choices));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the tuning to " + cache.folder() + ": " + e.getMessage(), e);
        }
    }

    private ParameterException usage(String message) {
        return new ParameterException(spec.commandLine(), message);
    }
}
