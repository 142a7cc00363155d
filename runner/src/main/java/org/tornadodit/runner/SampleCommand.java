package org.tornadodit.runner;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.AtomicFile;
import org.tornadodit.model.io.Checkpoint;
import org.tornadodit.model.io.Checkpoints;
import org.tornadodit.model.io.NpyFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.DeviceRates;
import org.tornadodit.scheduler.Engine;
import org.tornadodit.scheduler.SamplingRequest;
import org.tornadodit.scheduler.SamplingState;
import org.tornadodit.scheduler.ShardedEngine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Samples a batch of images and writes them as one grid. */
@Command(
        name = "sample",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Samples images of given classes and writes them as one PNG grid, four a row.")
final class SampleCommand implements Callable<Integer> {

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Option(
            names = {"-o", "--output"},
            paramLabel = "FILE.png",
            defaultValue = "sample.png",
            description =
                    "The grid, - for stdout; with --batches, one a batch: sample_0.png, ... Default: ${DEFAULT-VALUE}")
    Path output = Path.of("sample.png");

    @Option(
            names = "--save-latents",
            paramLabel = "FILE.npy",
            description = "Also write the latents (N, C, H, W) before the autoencoder, float32")
    @Nullable
    Path saveLatents;

    @Option(
            names = "--batches",
            paramLabel = "N",
            defaultValue = "1",
            description = "Batches of the same labels, one after the other from one stream of noise."
                    + " Default: ${DEFAULT-VALUE}")
    int batches = 1;

    @Option(
            names = "--preview",
            paramLabel = "STEPS",
            description =
                    "Every so many steps, write the picture as it is so far beside the output, sample.preview.png for"
                            + " sample.png; costs a decoding each time. It is deleted when the picture is complete")
    @Nullable
    Integer preview;

    @Option(
            names = "--checkpoint-steps",
            paramLabel = "N",
            description =
                    "Every N steps, keep the state of the run in a file beside the output, sample.state.safetensors"
                            + " for sample.png, for --resume to go on from; it is deleted when the run is complete")
    @Nullable
    Integer checkpointSteps;

    @Option(
            names = "--resume",
            paramLabel = "FILE",
            description = "Go on from the state of a run that was stopped, to the same pictures. The other options have"
                    + " to be those of that run; the devices may be others")
    @Nullable
    Path resume;

    @Option(names = "--dry-run", description = "Print what would be done, and stop")
    boolean dryRun;

    @Option(names = "--quiet", description = "No progress")
    boolean quiet;

    private final Surroundings surroundings = Surroundings.read();

    /** What shows a batch that is being sampled. */
    private volatile @Nullable Progress shown;

    @Override
    public Integer call() throws IOException {
        ModelSource source;
        NoiseStream noise;
        try {
            source = ModelSource.of(modelOptions, surroundings);
            noise = samplingOptions.noise();
            if (batches < 1 || batches > 100_000) {
                throw new IllegalArgumentException("--batches is " + batches + ", expected 1 to 100000");
            }
            OutputFile.requireSuffix("--output", output, ".png");
            OutputFile.requireSuffix("--save-latents", saveLatents, ".npy");
            requireSteps("--preview", preview);
            requireSteps("--checkpoint-steps", checkpointSteps);
            requireOnePictureForStdout();
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), messageOf(e), e);
        }
        try (Checkpoint weights = Checkpoints.open(source.checkpoint());
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae())) {
            SamplingPlan plan;
            SavedRun run = null;
            SavedRun.Point from = null;
            try {
                plan = plan(source, weights);
                new TypedOptions(spec.commandLine()).requireEffect(samplingOptions, plan.device());
                requireReached("--preview", preview, plan.request().diffusion().steps() - 1);
                requireReached(
                        "--checkpoint-steps",
                        checkpointSteps,
                        plan.request().diffusion().steps());
                if (resume != null || checkpointSteps != null) {
                    run = SavedRun.of(plan, weights, vaeWeights);
                }
                if (resume != null && run != null) {
                    from = run.read(resume, plan.request().diffusion().steps());
                }
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), messageOf(e), e);
            }
            plan.requireMemory(plan.heapNeed(preview != null));
            DitWeights.requireFit(weights, plan.config());
            VaeWeights.requireFit(vaeWeights, plan.vaeConfig());
            requireWritableOutputs(source);
            if (dryRun) {
                plan.lines().forEach(spec.commandLine().getOut()::println);
                if (from != null) {
                    spec.commandLine().getOut().println("resume   " + from.place());
                }
                return ExitCode.DONE;
            }
            PrintWriter err = spec.commandLine().getErr();
            DeviceTuning tuned = DeviceTuning.of(plan);
            try (Engine engine = plan.load(weights, vaeWeights, tuned.tuning(), this::say)) {
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
                    Surroundings.nvidiaDriver().ifPresent(driver -> err.println("driver: " + driver));
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
                    sampleBatches(engine, plan, noise, run, from, writer);
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
                deviceOptions.choose(surroundings),
                DeviceRates.defaults(),
                deviceOptions.threads,
                batches,
                output);
    }

    /**
     * @param run keeps the state; null where no state is kept
     * @param from where to go on; null for the beginning
     */
    private void sampleBatches(
            Engine engine,
            SamplingPlan plan,
            NoiseStream noise,
            @Nullable SavedRun run,
            SavedRun.@Nullable Point from,
            BatchWriter writer)
            throws IOException {
        SamplingRequest request = plan.request();
        int steps = request.diffusion().steps();
        PrintWriter out = results();
        PrintWriter err = spec.commandLine().getErr();
        int first = from == null ? 0 : from.batch();
        for (int batch = 0; batch < first; batch++) {
            plan.skipNoise(noise);
        }
        double total = 0;
        for (int batch = first; batch < batches; batch++) {
            int number = batch;
            String label = batches == 1 ? "sampling" : "batch %d of %d".formatted(batch + 1, batches);
            SamplingState start = from != null && batch == first ? from.state() : SamplingState.START;
            long begun = System.nanoTime();
            Path unfinished = previewOf(numbered(output, batch));
            float[] latents;
            try (Progress progress = new Progress(
                    System.err, label, start.done(), steps, Terminal.now(surroundings.terminal()), quiet)) {
                shown = progress;
                progress.begin();
                BatchWatcher watcher = new BatchWatcher(progress::update)
                        .take(preview, steps - 1, (done, now) -> writeGrid(unfinished, decode(engine, now, plan)))
                        .take(
                                checkpointSteps,
                                steps,
                                (done, now) -> keep(
                                        run,
                                        writer,
                                        new SavedRun.Point(number, new SamplingState(done, now), plan.engineName())));
                latents = engine.sample(request, noise, start, watcher);
            } finally {
                shown = null;
            }
            double sampled = (System.nanoTime() - begun) / 1e9;
            DecodedBatch decoded = decode(engine, latents, plan);
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
        if (checkpointSteps != null) {
            interruption().hint(null);
            SavedRun.delete(SavedRun.fileOf(output));
        }
        if (from != null) {
            return; // what was timed is not a whole run
        }
        out.println(String.format(Locale.ROOT, "Average sampling time: %.4f seconds.", total / batches));
        if (plan.isTheChallenges()) {
            out.println(ScoreCommand.line(total / batches));
        }
    }

    /** Writes a batch's files and says where they are. */
    private void write(int batch, float[] latents, DecodedBatch decoded, SamplingPlan plan) throws IOException {
        Path file = numbered(output, batch);
        writeGrid(file, decoded);
        if (preview != null) {
            Files.deleteIfExists(previewOf(file));
        }
        if (saveLatents != null) {
            DitConfig config = plan.config();
            Shape shape =
                    Shape.of(plan.request().samples(), config.inChannels(), config.inputSize(), config.inputSize());
            NpyFile.write(numbered(saveLatents, batch), shape, latents);
        }
        if (!OutputFile.isStdout(file)) {
            aside(() -> spec.commandLine().getOut().println(file));
        }
    }

    /** Writes the state, which says that the batches before are done; a full disk is no reason to lose hours of work. */
    private void keep(@Nullable SavedRun run, BatchWriter writer, SavedRun.Point point) {
        try {
            writer.await();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        Path file = SavedRun.fileOf(output);
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
        if (progress == null) {
            printing.run();
        } else {
            progress.aside(printing);
        }
    }

    private Interruption interruption() {
        return ((Runner) spec.root().userObject()).interruption;
    }

    private static void requireReached(String option, @Nullable Integer every, int last) {
        if (every != null && every > last) {
            throw new IllegalArgumentException(
                    "%s %d has no effect: the last step it could follow is %d".formatted(option, every, last));
        }
    }

    private void requireOnePictureForStdout() {
        if (OutputFile.isStdout(output) && (batches > 1 || preview != null || checkpointSteps != null)) {
            throw new IllegalArgumentException("--output " + output + " takes one picture, and has no file beside it: "
                    + "--batches, --preview and --checkpoint-steps want a file name");
        }
    }

    /** Results; stderr where stdout carries the picture. */
    private PrintWriter results() {
        return OutputFile.isStdout(output)
                ? spec.commandLine().getErr()
                : spec.commandLine().getOut();
    }

    private static void requireSteps(String option, @Nullable Integer steps) {
        if (steps != null && steps < 1) {
            throw new IllegalArgumentException(option + " is " + steps + ", expected at least 1 step");
        }
    }

    private DecodedBatch decode(Engine engine, float[] latents, SamplingPlan plan) {
        return DecodedBatch.of(
                engine,
                latents,
                plan.request().samples(),
                plan.config().imageSize(),
                plan.heapNeed(preview != null).decodedTogether());
    }

    private void writeGrid(Path file, DecodedBatch decoded) {
        BufferedImage grid = decoded.picture();
        try {
            if (OutputFile.isStdout(file)) {
                PrintStream stdout = ((Runner) spec.root().userObject()).stdout;
                ImageFiles.writePng(grid, stdout);
                stdout.flush();
            } else {
                AtomicFile.write(file, out -> ImageFiles.writePng(grid, out));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    private void requireWritableOutputs(ModelSource source) throws IOException {
        List<Path> inputs = new ArrayList<>(source.inputs());
        if (resume != null) {
            inputs.add(resume);
        }
        Set<Path> files = new LinkedHashSet<>();
        for (int batch = 0; batch < batches; batch++) {
            List<Path> ofBatch = new ArrayList<>();
            if (!OutputFile.isStdout(output)) {
                ofBatch.add(numbered(output, batch));
            }
            if (saveLatents != null) {
                ofBatch.add(numbered(saveLatents, batch));
            }
            if (preview != null) {
                ofBatch.add(previewOf(numbered(output, batch)));
            }
            for (Path file : ofBatch) {
                // The last one's name is the longest; what is already there may be a folder, a link or an input.
                if (batch == 0 || batch == batches - 1 || Files.exists(file)) {
                    OutputFile.requireWritable(file);
                    OutputFile.requireNoInput(file, inputs);
                }
                requireOther(files, file);
            }
        }
        if (checkpointSteps != null) {
            Path state = SavedRun.fileOf(output);
            OutputFile.requireWritable(state);
            OutputFile.requireNoInput(state, source.inputs());
            SavedRun.requireState(state);
            requireOther(files, state);
        }
    }

    private static void requireOther(Set<Path> files, Path file) throws IOException {
        boolean stream = Files.exists(file) && !Files.isRegularFile(file);
        if (!files.add(file.toAbsolutePath().normalize()) && !stream) {
            throw new IOException("two outputs have the same name, " + Printable.path(file));
        }
    }

    /** sample.png, or sample_3.png where there are several batches. */
    private Path numbered(Path file, int batch) {
        if (batches == 1) {
            return file;
        }
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(
                dot <= 0 ? name + "_" + batch : name.substring(0, dot) + "_" + batch + name.substring(dot));
    }

    /** sample.preview.png for sample.png. */
    private static Path previewOf(Path file) {
        String name = file.getFileName().toString();
        int dot = name.lastIndexOf('.');
        return file.resolveSibling(
                dot <= 0 ? name + ".preview" : name.substring(0, dot) + ".preview" + name.substring(dot));
    }

    private static String messageOf(IllegalArgumentException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
