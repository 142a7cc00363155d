package org.tornadodit.runner.command;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.runner.challenge.ScoreCommand;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.BatchWatcher;
import org.tornadodit.runner.output.BatchWriter;
import org.tornadodit.runner.output.DecodedBatch;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.output.PreviewFile;
import org.tornadodit.runner.plan.OutputOptions;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.SavedRun;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Interruption;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.Progress;
import org.tornadodit.runner.terminal.StartProgress;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.Terminal;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.run.ShardedEngine;
import org.tornadodit.scheduler.tune.DefaultRates;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Samples a batch of images and writes them as one grid. */
@Command(
        name = "sample",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Samples images of given classes and writes them as one PNG grid, or each by itself.",
        footerHeading = "%nExamples:%n",
        footer = {
            "  dit sample --model demo --class-labels fox,panda",
            "  dit sample --image-size 512 --class-labels 207,360",
            "  dit sample --num-sampling-steps ddim50 --sampler ddim",
            "  dit sample --output pictures/ --batches 4 --seed 7",
            "  dit sample --devices 0,1 --dry-run"
        })
public final class SampleCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Mixin
    OutputOptions outputOptions = new OutputOptions();

    private final Surroundings surroundings = Surroundings.read();

    /** What shows that a run is being prepared. */
    private volatile @Nullable StartProgress starting;

    /** What shows a batch that is being sampled. */
    private volatile @Nullable Progress shown;

    @Override
    public Integer call() throws IOException {
        ModelSource source;
        NoiseStream noise;
        try {
            source = ModelSource.of(modelOptions, surroundings);
            noise = samplingOptions.noise();
            outputOptions.check();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), messageOf(e), e);
        }
        StartProgress progress =
                new StartProgress(System.err, Terminal.now(surroundings.terminal()), outputOptions.quiet);
        Startup startup = new Startup(Surroundings.secondsOfProcess(), progress::doing);
        try (progress;
                Checkpoint weights = Checkpoints.open(source.checkpoint());
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae())) {
            starting = progress;
            SamplingPlan plan;
            SavedRun run = null;
            SavedRun.Point from = null;
            try {
                try (Startup.Running running = startup.begin("", "devices")) {
                    plan = plan(source, weights);
                }
                TypedOptions typed = new TypedOptions(spec.commandLine());
                typed.requireEffect(samplingOptions, plan.device());
                typed.requireEffect(outputOptions);
                outputOptions.checkReached(plan.request().steps());
                if (outputOptions.resume != null || outputOptions.checkpointSteps != null) {
                    run = WeightFiles.of(weights, vaeWeights).read(() -> SavedRun.of(plan, weights, vaeWeights));
                }
                if (outputOptions.resume != null && run != null) {
                    from = run.read(outputOptions.resume, plan.request().steps());
                }
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), messageOf(e), e);
            }
            DitWeights.requireFit(weights, plan.config());
            VaeWeights.requireFit(vaeWeights, plan.vaeConfig());
            plan.requireMemory(plan.heapNeed(outputOptions.preview != null), weights, vaeWeights);
            plan.files()
                    .requireWritable(
                            plan.labels(),
                            outputOptions.preview != null,
                            outputOptions.checkpointSteps != null,
                            source.inputs(),
                            outputOptions.resume);
            if (outputOptions.dryRun) {
                progress.close();
                plan.lines().forEach(spec.commandLine().getOut()::println);
                if (from != null) {
                    spec.commandLine().getOut().println("resume   " + from.place());
                }
                return ExitCode.DONE;
            }
            plan.files().begin();
            PrintWriter err = spec.commandLine().getErr();
            DeviceTuning tuned = plan.tuning();
            try (Engine engine = plan.load(weights, vaeWeights, tuned, this::say, startup)) {
                progress.close();
                starting = null;
                if (invocation().debug()) {
                    startup.table().forEach(err::println);
                }
                err.println(engine.description());
                tuned.lines().forEach(err::println);
                if (plan.devicesInUse().size() < plan.device().devices().size()) {
                    err.printf(
                            "dit: %d of %d devices have nothing to do: a batch has %d samples%n",
                            plan.device().devices().size() - plan.devicesInUse().size(),
                            plan.device().devices().size(),
                            plan.request().samples());
                }
                if (!plan.device().cpu()) {
                    Machine.nvidiaDriver().ifPresent(driver -> err.println("driver: " + driver));
                }
                err.println(plan.summary());
                if (from != null) {
                    err.println("goes on " + from.place());
                    if (!from.engine().equals(plan.engineName())) {
                        err.printf(
                                "dit: the state was made by the engine \"%s\", this is \"%s\": the picture is the same"
                                        + " but for rounding%n",
                                Printable.text(from.engine()), plan.engineName());
                    }
                }
                try (BatchWriter writer = new BatchWriter()) {
                    // Devices have copies of the weights by now; the CPU computes with the files' pages.
                    WeightFiles used = plan.device().cpu() ? WeightFiles.of(weights, vaeWeights) : WeightFiles.of();
                    sampleBatches(engine, plan, noise, run, from, writer, used);
                }
                if (invocation().debug()) {
                    startup.notes().forEach(err::println);
                }
            }
        }
        return ExitCode.DONE;
    }

    private SamplingPlan plan(ModelSource source, Checkpoint weights) {
        DitConfig config = source.sizes(weights);
        ClassNames classes = source.classes() != null ? source.classes() : ClassNames.numbered(config.numClasses());
        return new SamplingPlan(
                source,
                config,
                VaeConfig.fromJson(source.vae()),
                classes,
                samplingOptions.request(classes, config.numClasses()),
                samplingOptions,
                deviceOptions.choose(surroundings, this::say),
                new DefaultRates(),
                deviceOptions.threads,
                outputOptions.files());
    }

    /**
     * @param run keeps the state; null where no state is kept
     * @param from where to go on; null for the beginning
     * @param used files that sampling and decoding read
     */
    private void sampleBatches(
            Engine engine,
            SamplingPlan plan,
            NoiseStream noise,
            @Nullable SavedRun run,
            SavedRun.@Nullable Point from,
            BatchWriter writer,
            WeightFiles used)
            throws IOException {
        SamplingRequest request = plan.request();
        int steps = request.steps();
        PrintWriter out = results();
        PrintWriter err = spec.commandLine().getErr();
        int first = from == null ? 0 : from.batch();
        for (int batch = 0; batch < first; batch++) {
            plan.skipNoise(noise);
        }
        double total = 0;
        for (int batch = first; batch < outputOptions.batches; batch++) {
            int number = batch;
            String label = outputOptions.batches == 1
                    ? "sampling"
                    : "batch %d of %d".formatted(batch + 1, outputOptions.batches);
            SamplingState start = from != null && batch == first ? from.state() : SamplingState.START;
            long begun = System.nanoTime();
            Path unfinished = plan.files().preview(batch);
            float[] latents;
            try (Progress progress = new Progress(
                    System.err,
                    label,
                    start.done(),
                    steps,
                    Terminal.now(surroundings.terminal()),
                    outputOptions.quiet)) {
                shown = progress;
                progress.begin();
                BatchWatcher watcher = new BatchWatcher(progress::update)
                        .take(
                                outputOptions.preview,
                                steps - 1,
                                now -> preview(
                                        unfinished,
                                        decode(engine, now.latents(), plan).picture()))
                        .take(
                                outputOptions.checkpointSteps,
                                steps,
                                now -> keep(run, writer, new SavedRun.Point(number, now, plan.engineName())));
                latents = used.read(() -> engine.sample(request, noise, start, watcher));
            } finally {
                shown = null;
            }
            double sampled = (System.nanoTime() - begun) / 1e9;
            DecodedBatch decoded = used.read(() -> decode(engine, latents, plan));
            double seconds = sampled + decoded.seconds();
            total += seconds;
            int done = steps - start.done();
            err.printf(
                    Locale.ROOT,
                    "%d steps in %.3f s, %.2f ms a step; decoded in %.3f s%n",
                    done,
                    sampled,
                    1e3 * sampled / Math.max(1, done),
                    seconds - sampled);
            if (engine instanceof ShardedEngine sharded && plan.devicesInUse().size() > 1) {
                err.println(sharded.balance());
            }
            writer.begin(() -> write(number, latents, decoded, plan));
        }
        writer.await();
        if (outputOptions.checkpointSteps != null) {
            interruption().hint(null);
            SavedRun.delete(outputOptions.files().state());
        }
        if (from != null) {
            return; // what was timed is not a whole run
        }
        out.println(String.format(Locale.ROOT, "Average sampling time: %.4f seconds.", total / outputOptions.batches));
        if (plan.isTheChallenges()) {
            out.println(ScoreCommand.line(total / outputOptions.batches));
        }
    }

    /** Writes a batch's files and says where they are. */
    private void write(int batch, float[] latents, DecodedBatch decoded, SamplingPlan plan) throws IOException {
        List<Path> files = plan.files().pictures(batch, plan.labels());
        List<BufferedImage> pictures = outputOptions.output.folder() ? decoded.pictures() : List.of(decoded.picture());
        for (int i = 0; i < files.size(); i++) {
            writePng(files.get(i), pictures.get(i));
        }
        if (outputOptions.preview != null) {
            PreviewFile.delete(plan.files().preview(batch));
        }
        Path latentsFile = plan.files().latents(batch);
        if (latentsFile != null) {
            DitConfig config = plan.config();
            Shape shape =
                    Shape.of(plan.request().samples(), config.inChannels(), config.inputSize(), config.inputSize());
            NpyFile.write(latentsFile, shape, latents);
        }
        if (!outputOptions.toStdout()) {
            aside(() -> files.forEach(spec.commandLine().getOut()::println));
        }
    }

    /** Writes the state, which says that the batches before are done; a full disk is no reason to lose hours of work. */
    private void keep(@Nullable SavedRun run, BatchWriter writer, SavedRun.Point point) {
        try {
            writer.await();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        Path file = outputOptions.files().state();
        try {
            if (run != null) {
                run.write(file, point);
                interruption().hint("; the same command with --resume " + file + " goes on " + point.place());
            }
        } catch (IOException e) {
            say("the state was not kept: " + e.getMessage());
        }
    }

    private void say(String line) {
        aside(() -> spec.commandLine().getErr().println("dit: " + line));
    }

    /** Prints what may come in the middle of the progress: from devices, and of the batch before. */
    private void aside(Runnable printing) {
        Progress progress = shown;
        StartProgress start = starting;
        if (progress != null) {
            progress.aside(printing);
        } else if (start != null) {
            start.aside(printing);
        } else {
            printing.run();
        }
    }

    private Interruption interruption() {
        return invocation().interruption();
    }

    private Invocation invocation() {
        return (Invocation) spec.root().userObject();
    }

    /** Results; stderr where stdout carries the picture. */
    private PrintWriter results() {
        return outputOptions.toStdout()
                ? spec.commandLine().getErr()
                : spec.commandLine().getOut();
    }

    private DecodedBatch decode(Engine engine, float[] latents, SamplingPlan plan) {
        return DecodedBatch.of(
                engine,
                latents,
                plan.request().samples(),
                plan.config().imageSize(),
                plan.files().perRow(),
                plan.heapNeed(outputOptions.preview != null).decodedTogether());
    }

    /** A picture that nobody waits for is no reason to stop. */
    private void preview(Path file, BufferedImage picture) {
        try {
            PreviewFile.write(file, picture);
        } catch (IOException e) {
            say("the preview was not written: " + e.getMessage());
        }
    }

    private void writePng(Path file, BufferedImage picture) {
        try {
            if (OutputFile.isStdout(file)) {
                PrintStream stdout = invocation().stdout();
                ImageFiles.writePng(picture, stdout);
                stdout.flush();
            } else {
                AtomicFile.write(file, out -> ImageFiles.writePng(picture, out));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private static String messageOf(IllegalArgumentException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
