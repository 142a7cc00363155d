package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.plan.RunFiles;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ErrorLine;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.PermanentException;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.Terminal;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.plan.PatchFlow;
import org.tornadodit.scheduler.tune.DefaultRates;
import picocli.CommandLine.Command;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.IModelTransformer;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Makes many pictures in a folder, with any number of other workers, and puts them into one file. */
@Command(
        name = "bulk",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        exitCodeOnInvalidInput = ExitCode.PERMANENT,
        defaultValueProvider = BulkCommand.Defaults.class,
        modelTransformer = BulkCommand.Aliases.class,
        description = {
            "Samples many pictures into a folder, as sample_ddp.py does for an FID: any number of workers with a"
                    + " --shard each, stopped and started again as often as you like, make the same pictures.",
            "Picture I is what dit sample makes of the seed 1000000 times --seed, plus I. Exit code 42: no retry mends"
                    + " it."
        },
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit bulk --num-samples 50000 --output fid --shard 0/8",
            "  dit bulk --collect fid",
            "  dit bulk --model demo --num-samples 8 --output few"
        })
public final class BulkCommand implements Callable<Integer> {
    /** What {@code --collect} heeds: the pictures and their manifest say the rest. */
    private static final List<String> OF_COLLECT = List.of("--collect", "--npz", "--dry-run", "--quiet", "--debug");

    /** What is otherwise than in sample: {@code sample_ddp.py}'s guidance. */
    static final class Defaults implements IDefaultValueProvider {
        @Override
        public @Nullable String defaultValue(ArgSpec argument) {
            return argument instanceof OptionSpec option
                            && List.of(option.names()).contains("--cfg-scale")
                    ? "1.5"
                    : null;
        }
    }

    /** {@code sample_ddp.py}'s name of the seed, and {@code --labels} in the place of {@code --class-labels}. */
    static final class Aliases implements IModelTransformer {
        @Override
        public CommandSpec transform(CommandSpec spec) {
            OptionSpec seed = spec.findOption("--seed");
            spec.remove(spec.findOption("--class-labels"));
            spec.remove(seed);
            spec.addOption(OptionSpec.builder(seed)
                    .names("--seed", "--global-seed")
                    .description("Seed of the run, 0 or more; picture I is of the seed " + PictureSeed.MOST_PICTURES
                            + " times that, plus I. Default: ${DEFAULT-VALUE}")
                    .build());
            return spec;
        }
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    BulkOptions bulkOptions = new BulkOptions();

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    private final Surroundings surroundings = Surroundings.read();

    @Override
    public Integer call() throws IOException {
        try {
            bulkOptions.check();
            return bulkOptions.collect != null ? collect(bulkOptions.collect) : make();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        } catch (RuntimeException | Error e) {
            // Files that do not do, and values that the numbers cannot hold, are the same at the next try.
            if (ErrorLine.exitCode(e) == ExitCode.CHECKPOINT || e instanceof OverflowException) {
                throw new PermanentException(ErrorLine.of(e), e);
            }
            throw e;
        }
    }

    private int make() throws IOException {
        Shard shard = Shard.of(bulkOptions.shard, Surroundings.environment());
        long seed = TorchRandn.parseSeed(samplingOptions.seed);
        PictureSeed.require(seed, samplingOptions.rng);
        ModelSource source = ModelSource.of(modelOptions, surroundings);
        try (Checkpoint weights = Checkpoints.open(source.checkpoint());
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae())) {
            DitConfig config = source.sizes(weights);
            VaeConfig vaeConfig = VaeConfig.fromJson(source.vae());
            ClassNames classes = source.classNames(config);
            Labels labels = labels(classes, config.numClasses(), seed);
            SamplingPlan plan = plan(source, config, vaeConfig, classes, labels);
            DitWeights.requireFit(weights, config);
            VaeWeights.requireFit(vaeWeights, vaeConfig);
            RunFolder folder = new RunFolder(bulkOptions.folder(folderName(source, config)));
            source.objective(weights).lines(weights, config).forEach(err()::println);
            if (bulkOptions.dryRun) {
                dryRun(plan, shard, labels, folder);
                return ExitCode.DONE;
            }
            Map<String, String> fingerprints;
            try (Fingerprints made = new Fingerprints(() -> config, weights, () -> vaeConfig, vaeWeights)) {
                fingerprints = made.await();
            }
            if (fingerprints.isEmpty()) {
                throw new IOException("the weights cannot be read any more: " + Printable.path(source.checkpoint()));
            }
            Pictures pictures = new Pictures(plan, seed, labels, invocation().version(), fingerprints);
            invocation().interruption().hint("; the same command goes on");
            new Worker(pictures, shard, folder, weights, vaeWeights, this::progress, this::say, out(), err()).run();
            invocation().interruption().hint(null);
            return ExitCode.DONE;
        }
    }

    private Labels labels(ClassNames classes, int numClasses, long seed) throws IOException {
        int samples = bulkOptions.samples();
        Labels labels = switch (bulkOptions.labels.toLowerCase(Locale.ROOT)) {
            case Labels.RANDOM -> Labels.random(samples, numClasses, seed);
            case Labels.UNIFORM -> Labels.uniform(samples, numClasses);
            default ->
                Labels.read(
                        Path.of(bulkOptions.labels),
                        bulkOptions.numSamples == null ? PictureSeed.MOST_PICTURES : samples,
                        classes,
                        numClasses);
        };
        int given = labels.each().length;
        if (bulkOptions.numSamples != null && given < samples) {
            throw new IllegalArgumentException("--labels %s names %d classes, --num-samples is %d"
                    .formatted(Printable.text(bulkOptions.labels), given, samples));
        }
        return labels;
    }

    private SamplingPlan plan(
            ModelSource source, DitConfig config, VaeConfig vaeConfig, ClassNames classes, Labels labels) {
        DeviceOptions.Chosen device = deviceOptions.choose(surroundings, this::say);
        new TypedOptions(spec.commandLine()).requireEffect(samplingOptions, device);
        if (device.division().flow().isPresent()) {
            throw new IllegalArgumentException(
                    "%s on bulk: there a picture does not depend on those beside it, and with patches it would; leave it out"
                            .formatted(PatchFlow.DEGREE));
        }
        SamplingRequest like = samplingOptions.request(classes, config);
        int places = Math.min(bulkOptions.places(device.devices().size()), labels.each().length);
        SamplingRequest all = new SamplingRequest(
                IntStream.range(0, places)
                        .mapToObj(number -> labels.each()[number])
                        .toList(),
                like.sampler(),
                like.cfgScale(),
                like.guidance(),
                like.interval());
        return new SamplingPlan(
                source,
                config,
                vaeConfig,
                classes,
                all,
                samplingOptions,
                device,
                new DefaultRates(),
                deviceOptions.threads,
                RunFiles.none());
    }

    /** As facebookresearch/DiT's {@code sample_ddp.py} names it, so that scripts find it. */
    private String folderName(ModelSource source, DitConfig config) {
        String model = modelOptions.model;
        String name = model.endsWith(".json") ? nameOf(Path.of(model)).replace(".json", "") : model.replace('/', '-');
        String weights = modelOptions.checkpoint == null
                ? "pretrained"
                : nameOf(source.checkpoint()).replace(".pt", "").replace(".safetensors", "");
        return "%s-%s-size-%d-vae-%s-cfg-%s-seed-%s"
                .formatted(
                        name,
                        weights,
                        config.imageSize(),
                        nameOf(source.vae()).replace("sd-vae-ft-", ""),
                        samplingOptions
                                .request(ClassNames.numbered(config.numClasses()), config)
                                .cfgScale(),
                        samplingOptions.seed.strip());
    }

    private static String nameOf(Path path) {
        return String.valueOf(path.toAbsolutePath().normalize().getFileName());
    }

    private void dryRun(SamplingPlan plan, Shard shard, Labels labels, RunFolder folder) throws IOException {
        int total = labels.each().length;
        BitSet missing = new BitSet();
        shard.pictures(total).forEach(missing::set);
        if (Files.isDirectory(folder.path())) {
            missing.andNot(folder.pictures(total));
        }
        out().printf("pictures %d of %d, %s labels%n", shard.size(total), total, labels.rule());
        out().printf("shard    %s (%s), %d to make%n", shard, shard.source(), missing.cardinality());
        plan.lines().stream()
                .filter(line -> !line.startsWith("output ") && !line.startsWith("labels "))
                .forEach(out()::println);
        out().println("engine   " + plan.arithmetic());
        out().println("output   " + folder.path());
    }

    private int collect(Path directory) throws IOException {
        TypedOptions typed = new TypedOptions(spec.commandLine());
        typed.refuse(List.of("--output", "--sample-dir", "--shard"), "with --collect, which names the folder");
        typed.refuseAllBut(OF_COLLECT, "with --collect, which makes no picture; leave it out");
        Path npz = bulkOptions.npz != null
                ? bulkOptions.npz
                : directory.toAbsolutePath().normalize().resolveSibling(nameOf(directory) + ".npz");
        OutputFile.requireSuffix("--npz", npz, ".npz");
        if (directory
                .toAbsolutePath()
                .normalize()
                .equals(npz.toAbsolutePath().normalize().getParent())) {
            throw new IllegalArgumentException("--npz %s is in the folder of the pictures, which holds nothing else"
                    .formatted(Printable.path(npz)));
        }
        Collector collector = new Collector(new RunFolder(directory));
        OutputFile.requireWritable(npz);
        OutputFile.requireWritable(Collector.checksumOf(npz));
        if (bulkOptions.dryRun) {
            out().printf("would put %d pictures of %s into %s%n", collector.total(), directory, npz);
            return ExitCode.DONE;
        }
        String checksum;
        try (PictureProgress progress =
                progress(() -> "collecting: %d of %d pictures".formatted(collector.read(), collector.total()))) {
            checksum = collector.collect(npz);
        }
        out().println(npz);
        out().println("sha256 " + checksum);
        return ExitCode.DONE;
    }

    private PictureProgress progress(java.util.function.Supplier<String> words) {
        return new PictureProgress(System.err, Terminal.now(surroundings.terminal()), bulkOptions.quiet, words);
    }

    private void say(String line) {
        err().println("dit: " + line);
    }

    private PrintWriter out() {
        return spec.commandLine().getOut();
    }

    private PrintWriter err() {
        return spec.commandLine().getErr();
    }

    private Invocation invocation() {
        return (Invocation) spec.root().userObject();
    }
}
