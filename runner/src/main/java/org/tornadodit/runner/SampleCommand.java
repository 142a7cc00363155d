package org.tornadodit.runner;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.AtomicFile;
import org.tornadodit.model.io.Checkpoint;
import org.tornadodit.model.io.Checkpoints;
import org.tornadodit.model.io.NpyFile;
import org.tornadodit.model.metrics.ImageFiles;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.Engine;
import org.tornadodit.scheduler.SamplingRequest;
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
            description = "The grid; with --batches, one a batch: sample_0.png, ... Default: ${DEFAULT-VALUE}")
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
            description = "Every so many steps, write the picture as it is so far; costs a decoding each time")
    @Nullable
    Integer preview;

    @Option(names = "--dry-run", description = "Print what would be done, and stop")
    boolean dryRun;

    @Option(names = "--quiet", description = "No progress")
    boolean quiet;

    private final Surroundings surroundings = Surroundings.read();

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
            if (preview != null && preview < 1) {
                throw new IllegalArgumentException("--preview is " + preview + ", expected at least 1 step");
            }
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), messageOf(e), e);
        }
        try (Checkpoint weights = Checkpoints.open(source.checkpoint());
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae())) {
            SamplingPlan plan;
            try {
                plan = plan(source, weights);
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), messageOf(e), e);
            }
            if (preview != null && plan.devicesInUse().size() > 1) {
                throw new ParameterException(
                        spec.commandLine(), "--preview works on one device: choose it with --devices INDEX");
            }
            plan.requireMemory();
            if (dryRun) {
                plan.lines().forEach(spec.commandLine().getOut()::println);
                return ExitCode.DONE;
            }
            requireWritableOutputs();
            PrintWriter err = spec.commandLine().getErr();
            try (Engine engine = plan.load(weights, vaeWeights)) {
                err.println(engine.description());
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
                sampleBatches(engine, plan, noise);
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
                deviceOptions.threads,
                batches,
                output);
    }

    private void sampleBatches(Engine engine, SamplingPlan plan, NoiseStream noise) throws IOException {
        DitConfig config = plan.config();
        SamplingRequest request = plan.request();
        PrintWriter out = spec.commandLine().getOut();
        double total = 0;
        for (int batch = 0; batch < batches; batch++) {
            String label = batches == 1 ? "sampling" : "batch %d of %d".formatted(batch + 1, batches);
            long start = System.nanoTime();
            Path file = numbered(output, batch);
            float[] latents;
            try (Progress progress =
                    new Progress(System.err, label, request.diffusion().steps(), surroundings.terminal(), quiet)) {
                latents = engine.sample(request, noise, (done, now) -> {
                    if (preview != null
                            && done % preview == 0
                            && done < request.diffusion().steps()) {
                        writeGrid(file, engine.decode(now.get(), request.samples()), plan);
                    }
                    progress.update(done);
                });
            }
            double sampled = (System.nanoTime() - start) / 1e9;
            float[] images = engine.decode(latents, request.samples());
            double seconds = (System.nanoTime() - start) / 1e9;
            total += seconds;
            spec.commandLine()
                    .getErr()
                    .printf(
                            Locale.ROOT,
                            "%d steps in %.3f s, %.2f ms a step; decoded in %.3f s%n",
                            request.diffusion().steps(),
                            sampled,
                            1e3 * sampled / request.diffusion().steps(),
                            seconds - sampled);
            if (engine instanceof ShardedEngine sharded) {
                spec.commandLine().getErr().println(sharded.balance());
            }
            writeGrid(file, images, plan);
            if (saveLatents != null) {
                Shape shape = Shape.of(request.samples(), config.inChannels(), config.inputSize(), config.inputSize());
                NpyFile.write(numbered(saveLatents, batch), shape, latents);
            }
            out.println(file);
        }
        out.println(String.format(Locale.ROOT, "Average sampling time: %.4f seconds.", total / batches));
        if (plan.isTheChallenges()) {
            out.println(ScoreCommand.line(total / batches));
        }
    }

    private static void writeGrid(Path file, float[] images, SamplingPlan plan) {
        BufferedImage grid =
                ImageGrid.of(images, plan.request().samples(), plan.config().imageSize());
        try {
            AtomicFile.write(file, out -> ImageFiles.writePng(grid, out));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + file + ": " + e.getMessage(), e);
        }
    }

    private void requireWritableOutputs() throws IOException {
        Set<Path> files = new LinkedHashSet<>();
        for (int batch = 0; batch < Math.min(batches, 2); batch++) {
            List<Path> ofBatch = new ArrayList<>(List.of(numbered(output, batch)));
            if (saveLatents != null) {
                ofBatch.add(numbered(saveLatents, batch));
            }
            for (Path file : ofBatch) {
                OutputFile.requireWritable(file);
                if (!files.add(file.toAbsolutePath().normalize())) {
                    throw new IOException("--output and --save-latents name the same file, " + file);
                }
            }
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

    private static String messageOf(IllegalArgumentException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
