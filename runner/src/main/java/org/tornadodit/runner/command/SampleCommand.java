package org.tornadodit.runner.command;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.setup.BatchLoop;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.pipeline.setup.WeightFiles;
import org.tornadodit.runner.challenge.ScoreCommand;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.InterpolationOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.BatchWriter;
import org.tornadodit.runner.plan.Interpolation;
import org.tornadodit.runner.plan.Likeness;
import org.tornadodit.runner.plan.OutputOptions;
import org.tornadodit.runner.plan.RunFacts;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.SavedRun;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Invocation;
import org.tornadodit.runner.terminal.Screen;
import org.tornadodit.runner.terminal.StartProgress;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.runner.terminal.Terminal;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.tune.DefaultRates;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

/** Samples a batch of images and writes them as one grid. */
@Command(
        name = "sample",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Samples images of given classes and writes them as one grid, PNG or WebP, or each by itself.",
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

    @Option(
            names = "--like",
            paramLabel = "PICTURE",
            description =
                    "Sample what made this picture again; options that are typed come before what it tells. Weights"
                            + " that are no published ones, and devices, are for the user to name")
    @Nullable
    Path like;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    InterpolationOptions interpolationOptions = new InterpolationOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Mixin
    OutputOptions outputOptions = new OutputOptions();

    private final Surroundings surroundings = Surroundings.read();

    /** What the picture of {@code --like} tells, while it is sampled again. */
    private @Nullable Likeness likeness;

    @Override
    public Integer call() throws IOException {
        return like == null ? sample() : sampleAgain(like);
    }

    /** Runs the command once more, with the picture's facts in the place of defaults. */
    private int sampleAgain(Path picture) throws IOException {
        CommandLine root = spec.root().commandLine();
        try {
            likeness = Likeness.of(picture, spec.commandLine().getParseResult().hasMatchedOption("--model"));
        } catch (IllegalArgumentException e) {
            throw new ParameterException(spec.commandLine(), messageOf(e), e);
        }
        List<String> words = new ArrayList<>(root.getParseResult().originalArgs());
        int option = words.indexOf("--like");
        if (option >= 0) {
            words.subList(option, option + 2).clear();
        } else {
            words.removeIf(word -> word.startsWith("--like="));
        }
        spec.defaultValueProvider(likeness);
        try {
            return root.execute(words.toArray(String[]::new));
        } finally {
            spec.defaultValueProvider(null);
            likeness = null;
        }
    }

    private int sample() throws IOException {
        ModelSource source;
        NoiseStream noise;
        PrintWriter err = spec.commandLine().getErr();
        Screen screen = new Screen(err);
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
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae());
                Fingerprints fingerprints = new Fingerprints(
                        () -> source.sizes(weights), weights, () -> VaeConfig.fromJson(source.vae()), vaeWeights)) {
            screen.show(progress::aside);
            Interpolation row;
            Checkpoint model;
            SamplingPlan plan;
            SavedRun run = null;
            SavedRun.Point from = null;
            try {
                try (Startup.Running running = startup.begin("", "devices")) {
                    DitConfig config = source.sizes(weights);
                    ClassNames classes = source.classNames(config);
                    SamplingRequest request = samplingOptions.request(classes, config);
                    row = interpolation(request);
                    model = row == null ? weights : row.weights(weights);
                    plan = plan(
                            source,
                            row == null ? config : row.config(config),
                            row == null ? classes : row.classes(classes, config),
                            row == null ? request : row.request(request, config),
                            screen);
                }
                TypedOptions typed = new TypedOptions(spec.commandLine());
                typed.requireEffect(samplingOptions, plan.device());
                typed.requireEffect(outputOptions);
                outputOptions.checkReached(
                        plan.request().samples(),
                        plan.config().imageSize(),
                        plan.request().steps());
                if (outputOptions.resume != null || outputOptions.checkpointSteps != null) {
                    run = SavedRun.of(plan, fingerprints, row, outputOptions.skipBatches);
                }
                if (outputOptions.resume != null && run != null) {
                    WeightFiles.of(weights, vaeWeights).read(fingerprints::require);
                    from = run.read(outputOptions.resume, plan.request().steps());
                }
            } catch (IllegalArgumentException e) {
                throw new ParameterException(spec.commandLine(), messageOf(e), e);
            }
            DitWeights.requireFit(model, plan.config());
            VaeWeights.requireFit(vaeWeights, plan.vaeConfig());
            plan.requireMemory(plan.heapNeed(outputOptions.preview != null), model, vaeWeights);
            plan.files()
                    .requireWritable(
                            plan.labels(),
                            outputOptions.preview != null,
                            outputOptions.checkpointSteps != null,
                            source.inputs(),
                            outputOptions.resume);
            List<String> found = source.objective(weights).lines(weights, plan.config());
            if (outputOptions.dryRun) {
                progress.close();
                found.forEach(spec.commandLine().getOut()::println);
                plan.lines().forEach(spec.commandLine().getOut()::println);
                if (from != null) {
                    spec.commandLine().getOut().println("resume   " + from.place());
                }
                return ExitCode.DONE;
            }
            plan.files().begin();
            DeviceTuning tuned = plan.tuning();
            try (Engine engine = plan.load(model, vaeWeights, tuned, screen::say, startup)) {
                progress.close();
                screen.show(null);
                if (invocation().debug()) {
                    startup.table().forEach(err::println);
                }
                found.forEach(err::println);
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
                fingerprints.begin();
                try (BatchWriter writer = new BatchWriter()) {
                    String difference = likeness == null ? null : likeness.difference(fingerprints.await());
                    if (difference != null) {
                        screen.say(difference);
                    }
                    // Devices have copies of the weights by now; the CPU computes with the files' pages.
                    WeightFiles used = plan.device().cpu() ? WeightFiles.of(weights, vaeWeights) : WeightFiles.of();
                    double seconds = new SampledRun(
                                    engine,
                                    plan,
                                    outputOptions,
                                    run,
                                    used,
                                    writer,
                                    new RunFacts(
                                            plan,
                                            row,
                                            outputOptions,
                                            fingerprints,
                                            invocation().version()),
                                    screen,
                                    spec.commandLine().getOut(),
                                    invocation(),
                                    surroundings.terminal())
                            .run(noise, start(from, row, plan));
                    if (from == null) { // else what was timed is not a whole run
                        printTime(seconds, plan);
                    }
                }
                if (invocation().debug()) {
                    startup.notes().forEach(err::println);
                }
            }
        }
        return ExitCode.DONE;
    }

    /** The row that is asked for; a picture of --like names its classes as a user does. */
    private @Nullable Interpolation interpolation(SamplingRequest request) {
        boolean named = spec.commandLine().getParseResult().hasMatchedOption("--class-labels")
                || (likeness != null && likeness.facts().containsKey("class-labels"));
        Interpolation row =
                Interpolation.of(interpolationOptions, request, samplingOptions.objective(), named, outputOptions);
        if (row != null && !laysOutPictures()) {
            outputOptions.perRow = row.pictures();
        }
        return row;
    }

    /** Whether the pictures in a row of the grid are the user's choice, or that of a row which is made again. */
    private boolean laysOutPictures() {
        ParseResult typed = spec.commandLine().getParseResult();
        boolean sameRow = likeness != null
                && likeness.facts().containsKey("interpolate")
                && !typed.hasMatchedOption("--interpolate");
        return sameRow || typed.hasMatchedOption("--nrow");
    }

    private SamplingPlan plan(
            ModelSource source, DitConfig config, ClassNames classes, SamplingRequest request, Screen screen) {
        return new SamplingPlan(
                source,
                config,
                VaeConfig.fromJson(source.vae()),
                classes,
                request,
                samplingOptions,
                deviceOptions.choose(surroundings, screen::say),
                new DefaultRates(),
                deviceOptions.threads,
                outputOptions.files());
    }

    /** Where the run begins. */
    private BatchLoop.Point start(SavedRun.@Nullable Point from, @Nullable Interpolation row, SamplingPlan plan) {
        if (from != null) {
            return new BatchLoop.Point(from.batch(), from.state());
        }
        return row == null ? BatchLoop.Point.START : new BatchLoop.Point(0, row.start(samplingOptions, plan.config()));
    }

    private void printTime(double seconds, SamplingPlan plan) {
        PrintWriter out = results();
        out.println(String.format(Locale.ROOT, "Average sampling time: %.4f seconds.", seconds));
        if (plan.isTheChallenges()) {
            out.println(ScoreCommand.line(seconds));
        }
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

    private static String messageOf(IllegalArgumentException e) {
        return e.getMessage() == null ? e.toString() : e.getMessage();
    }
}
