package org.tornadodit.runner.command;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.numpy.NpyFile;
import org.tornadodit.model.metrics.PictureFormat;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.pipeline.setup.BatchLoop;
import org.tornadodit.pipeline.setup.BatchLoop.Sampled;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.runner.output.BatchWatcher;
import org.tornadodit.runner.output.BatchWriter;
import org.tornadodit.runner.output.DecodedBatch;
import org.tornadodit.runner.output.OutputFile;
import org.tornadodit.runner.output.PreviewFile;
import org.tornadodit.runner.plan.OutputOptions;
import org.tornadodit.runner.plan.RunFacts;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.SavedRun;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.Progress;
import org.tornadodit.runner.terminal.Screen;
import org.tornadodit.runner.terminal.Terminal;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.run.ShardedEngine;

/** What becomes of a run's batches: progress, previews, kept states, pictures, times. */
final class SampledRun implements BatchLoop.Follower<IOException> {
    private final Engine engine;
    private final SamplingPlan plan;
    private final OutputOptions options;
    /** Files that the engine reads while it computes. */
    private final WeightFiles used;

    private final BatchWriter writer;
    private final RunFacts facts;
    private final Screen screen;
    private final PrintWriter out;
    private final Invocation invocation;
    private final boolean terminal;
    private @Nullable Progress progress;
    private double total;

    /** Keeps states; null where none is kept. */
    private final @Nullable SavedRun saved;

    /**
     * @param facts what the pictures tell
     * @param out where files are named
     * @param terminal whether stderr is one
     */
    SampledRun(
            Engine engine,
            SamplingPlan plan,
            OutputOptions options,
            @Nullable SavedRun saved,
            WeightFiles used,
            BatchWriter writer,
            RunFacts facts,
            Screen screen,
            PrintWriter out,
            Invocation invocation,
            boolean terminal) {
        this.engine = engine;
        this.plan = plan;
        this.options = options;
        this.saved = saved;
        this.used = used;
        this.writer = writer;
        this.facts = facts;
        this.screen = screen;
        this.out = out;
        this.invocation = invocation;
        this.terminal = terminal;
    }

    /**
     * Samples all batches, and waits until they are written.
     *
     * @return seconds of a batch, with decoding
     */
    double run(NoiseStream noise, BatchLoop.Point from) throws IOException {
        BatchLoop loop = new BatchLoop(engine, used, plan.config().inputElements());
        for (int batch = 0; batch < options.skipBatches; batch++) {
            loop.skip(plan.request(), noise);
        }
        loop.run(options.batches, batch -> plan.request(), noise, from, this);
        writer.await();
        if (options.checkpointSteps != null) {
            invocation.interruption().hint(null);
            SavedRun.delete(plan.files().state());
        }
        return total / options.batches;
    }

    @Override
    public StepListener begin(int number, SamplingState from) {
        int steps = plan.request().steps();
        Progress bar = new Progress(
                System.err,
                options.batches == 1 ? "sampling" : "batch %d of %d".formatted(number + 1, options.batches),
                from.done(),
                plan.request().sampler().method().adaptive() ? 0 : steps,
                Terminal.now(terminal),
                options.quiet);
        progress = bar;
        screen.show(bar::aside);
        bar.begin();
        Path unfinished = plan.files().preview(number);
        return new BatchWatcher(bar::update)
                .take(options.preview, steps - 1, now -> preview(unfinished, picture(decode(now.latents()))))
                .take(options.checkpointSteps, steps, now -> keep(new SavedRun.Point(number, now, plan.engineName())));
    }

    @Override
    public void end(int number) {
        screen.show(null);
        if (progress != null) {
            progress.close();
        }
    }

    @Override
    public void sampled(Sampled batch) throws IOException {
        DecodedBatch decoded = used.read(() -> decode(batch.latents()));
        total += batch.seconds() + decoded.seconds();
        screen.err()
                .printf(
                        Locale.ROOT,
                        "%d steps in %.3f s, %.2f ms a step; decoded in %.3f s%n",
                        batch.steps(),
                        batch.seconds(),
                        1e3 * batch.seconds() / Math.max(1, batch.steps()),
                        decoded.seconds());
        if (engine instanceof ShardedEngine sharded && plan.devicesInUse().size() > 1) {
            screen.err().println(sharded.balance());
        }
        writer.begin(() -> write(batch.number(), batch.latents(), decoded));
    }

    /** Writes a batch's files and says where they are. */
    private void write(int batch, float[] latents, DecodedBatch decoded) throws IOException {
        List<Path> files = plan.files().pictures(batch, plan.labels());
        boolean folder = options.output.folder();
        List<BufferedImage> pictures = folder ? decoded.pictures() : List.of(picture(decoded));
        for (int i = 0; i < files.size(); i++) {
            write(files.get(i), pictures.get(i), facts.texts(batch, folder ? Integer.valueOf(i) : options.picture));
        }
        if (options.preview != null) {
            PreviewFile.delete(plan.files().preview(batch));
        }
        Path latentsFile = plan.files().latents(batch);
        if (latentsFile != null) {
            DitConfig config = plan.config();
            Shape shape =
                    Shape.of(plan.request().samples(), config.inChannels(), config.inputSize(), config.inputSize());
            NpyFile.write(latentsFile, shape, latents);
        }
        if (!options.toStdout()) {
            screen.aside(() -> files.forEach(out::println));
        }
    }

    /** Writes the state, which says that the batches before are done; a full disk is no reason to lose hours of work. */
    private void keep(SavedRun.Point point) {
        try {
            writer.await();
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
        Path file = plan.files().state();
        try {
            if (saved != null) {
                saved.write(file, point);
                invocation
                        .interruption()
                        .hint("; the same command with --resume " + file + " goes on " + point.place());
            }
        } catch (IOException | CheckpointException e) {
            screen.say("the state was not kept: " + e.getMessage());
        }
    }

    private DecodedBatch decode(float[] latents) {
        return DecodedBatch.of(
                engine,
                latents,
                plan.request().samples(),
                plan.config().imageSize(),
                plan.files().perRow(),
                plan.heapNeed(options.preview != null).decodedTogether());
    }

    /** The grid, or the one picture that was asked for. */
    private BufferedImage picture(DecodedBatch decoded) {
        return options.picture == null || options.output.folder()
                ? decoded.picture()
                : decoded.pictures().get(options.picture);
    }

    /** A picture that nobody waits for is no reason to stop. */
    private void preview(Path file, BufferedImage picture) {
        try {
            PreviewFile.write(file, picture);
        } catch (IOException e) {
            screen.say("the preview was not written: " + e.getMessage());
        }
    }

    private void write(Path file, BufferedImage picture, Map<String, String> texts) {
        PictureFormat format = plan.files().format();
        try {
            if (OutputFile.isStdout(file)) {
                PrintStream stdout = invocation.stdout();
                format.write(picture, texts, stdout);
                stdout.flush();
            } else {
                AtomicFile.write(file, stream -> format.write(picture, texts, stream));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }
}
