package org.tornadodit.runner.measure;

import java.io.IOException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.plan.RunFiles;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.plan.TypedOptions;
import org.tornadodit.runner.terminal.ExitCode;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.DeviceMemory;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.tune.DefaultRates;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Many short runs in one JVM, to see what they leave behind. */
@Command(
        name = "soak",
        mixinStandardHelpOptions = true,
        sortOptions = false,
        description = "Samples the same batch many times in one JVM. Fails when a run differs in a bit from the first,"
                + " when memory of the devices or the process grows, or when a later run takes ten times the median.",
        footerHeading = "%nExamples:%n",
        footer = {"  dit bench soak --model demo --runs 20", "  dit bench soak --model demo --mode batches"})
final class SoakCommand implements Callable<Integer> {
    private static final double MEGA = 1e6;

    /** Seconds that a run may take before there is a median to compare with. */
    private static final double PATIENCE = 1800;

    /** Times the median after which a run is given up. */
    private static final int HANGING = 100;

    private static final double LINE_SECONDS = 10;

    /** What is made anew for each run. */
    enum Mode {
        /** The engine: weights are read, kernels compiled, device memory taken and given back. */
        ENGINES,
        /** Nothing but the batch. */
        BATCHES
    }

    @Spec
    @SuppressWarnings("NullAway.Init") // set by picocli
    CommandSpec spec;

    @Mixin
    ModelOptions modelOptions = new ModelOptions();

    @Mixin
    SamplingOptions samplingOptions = new SamplingOptions();

    @Mixin
    DeviceOptions deviceOptions = new DeviceOptions();

    @Option(names = "--runs", paramLabel = "N", defaultValue = "100", description = "Default: ${DEFAULT-VALUE}")
    int runs = 100;

    @Option(
            names = "--mode",
            paramLabel = "engines|batches",
            defaultValue = "engines",
            description = "engines: each run loads and closes an engine; batches: one engine does all runs."
                    + " Default: ${DEFAULT-VALUE}")
    Mode mode = Mode.ENGINES;

    @Option(
            names = "--most-device-growth",
            paramLabel = "MB",
            defaultValue = "16",
            description = "What the devices' memory may grow by, all together, from run 10 (of fewer than 20, from the"
                    + " first) to the last. Default: ${DEFAULT-VALUE}")
    double mostDeviceGrowth = 16;

    @Option(
            names = "--most-host-growth",
            paramLabel = "MB",
            defaultValue = "256",
            description = "The same of the process's resident memory. Default: ${DEFAULT-VALUE}")
    double mostHostGrowth = 256;

    private final Surroundings surroundings = Surroundings.read();

    /** What a run gives. */
    @SuppressWarnings("ArrayRecordComponent") // compared element by element
    private record Result(float[] latents, float[] images) {
        boolean same(Result other) {
            return Arrays.equals(latents, other.latents) && Arrays.equals(images, other.images);
        }
    }

    @Override
    public Integer call() throws IOException {
        TypedOptions.requireNothingBefore(spec);
        ModelSource source;
        try {
            source = ModelSource.of(modelOptions, surroundings);
            if (runs < 1 || runs > 1_000_000) {
                throw new IllegalArgumentException("--runs is " + runs + ", expected 1 to 1000000");
            }
        } catch (IllegalArgumentException e) {
            throw usage(e);
        }
        try (Checkpoint weights = Checkpoints.open(source.checkpoint());
                Checkpoint vaeWeights = Checkpoints.openVae(source.vae())) {
            SamplingPlan plan;
            try {
                plan = plan(source, weights);
            } catch (IllegalArgumentException e) {
                throw usage(e);
            }
            plan.requireMemory(plan.heapNeedOfWholeBatches(), weights, vaeWeights);
            spec.commandLine().getErr().println(plan.summary());
            SoakRecord record = new SoakRecord(soak(plan, weights, vaeWeights));
            record.lines().forEach(spec.commandLine().getOut()::println);
            List<String> problems = record.problems(
                    new SoakRecord.Bounds((long) (mostDeviceGrowth * MEGA), (long) (mostHostGrowth * MEGA)));
            if (!problems.isEmpty()) {
                throw new IllegalStateException(String.join("; ", problems));
            }
            spec.commandLine().getOut().println("all runs gave the bits of the first, and left nothing behind");
        }
        return ExitCode.DONE;
    }

    private ParameterException usage(IllegalArgumentException e) {
        return new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
    }

    private SamplingPlan plan(ModelSource source, Checkpoint weights) {
        DitConfig config = source.sizes(weights);
        ClassNames classes = source.classNames(config);
        DeviceOptions.Chosen device = deviceOptions.choose(
                surroundings, line -> spec.commandLine().getErr().println("dit: " + line));
        new TypedOptions(spec.commandLine()).requireEffect(samplingOptions, device);
        return new SamplingPlan(
                source,
                config,
                VaeConfig.fromJson(source.vae()),
                classes,
                samplingOptions.request(classes, config),
                samplingOptions,
                device,
                new DefaultRates(),
                deviceOptions.threads,
                RunFiles.none());
    }

    private List<SoakRecord.Run> soak(SamplingPlan plan, Checkpoint weights, Checkpoint vaeWeights) throws IOException {
        PrintWriter err = spec.commandLine().getErr();
        DeviceTuning tuned = plan.tuning();
        Callable<Engine> load = () -> plan.load(weights, vaeWeights, tuned, line -> err.println("dit: " + line));
        List<SoakRecord.Run> done = new ArrayList<>();
        @Nullable Result first = null;
        long shown = System.nanoTime();
        try (Engine kept = mode == Mode.BATCHES ? inTime(load, 0, PATIENCE) : null) {
            for (int run = 0; run < runs; run++) {
                double patience = run < 3 ? PATIENCE : Math.max(60, HANGING * new SoakRecord(done).median());
                long begun = System.nanoTime();
                Result result = inTime(() -> kept != null ? sample(kept, plan) : sampleAnew(load, plan), run, patience);
                double seconds = (System.nanoTime() - begun) / 1e9;
                first = first == null ? result : first;
                System.gc(); // what is left is what something holds
                SoakRecord.Run now = new SoakRecord.Run(
                        seconds,
                        first.same(result),
                        devices(plan.devicesInUse()),
                        resident(),
                        ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed());
                done.add(now);
                if (run == 0 || (System.nanoTime() - shown) / 1e9 > LINE_SECONDS) {
                    shown = System.nanoTime();
                    err.printf(
                            Locale.ROOT,
                            "run %d of %d: %.3f s, devices %s MB, process %s MB%n",
                            run + 1,
                            runs,
                            seconds,
                            SoakRecord.megabytes(now.device()),
                            SoakRecord.megabytes(now.resident()));
                }
            }
        }
        return done;
    }

    private Result sampleAnew(Callable<Engine> load, SamplingPlan plan) throws Exception {
        try (Engine engine = load.call()) {
            return sample(engine, plan);
        }
    }

    private Result sample(Engine engine, SamplingPlan plan) {
        float[] latents = engine.sample(plan.request(), samplingOptions.noise(), (step, now) -> {});
        return new Result(latents, engine.decode(latents, plan.request().samples()));
    }

    /**
     * Does something on a thread that may be left hanging.
     *
     * @throws IllegalStateException when it has not ended in time
     */
    private static <T> T inTime(Callable<T> work, int run, double seconds) {
        FutureTask<T> task = new FutureTask<>(work);
        Thread.ofPlatform().daemon().name("soak").start(task);
        try {
            return task.get((long) (seconds * 1e3), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new IllegalStateException(
                    String.format(
                            Locale.ROOT,
                            "run %d has not ended after %.0f s; look for a thread that waits, with jstack",
                            run + 1,
                            seconds),
                    e);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException("run " + (run + 1) + " failed: " + e.getCause(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        }
    }

    private static OptionalLong devices(List<ListedDevice> devices) {
        long sum = 0;
        for (ListedDevice device : devices) {
            OptionalLong used = DeviceMemory.used(device);
            if (used.isEmpty()) {
                return OptionalLong.empty();
            }
            sum += used.getAsLong();
        }
        return devices.isEmpty() ? OptionalLong.empty() : OptionalLong.of(sum);
    }

    /** The process's pages in memory, of Linux. */
    private static OptionalLong resident() throws IOException {
        Path status = Path.of("/proc/self/status");
        if (!Files.isReadable(status)) {
            return OptionalLong.empty();
        }
        for (String line : Files.readAllLines(status)) {
            if (line.startsWith("VmRSS:")) {
                return OptionalLong.of(1024 * Long.parseLong(line.replaceAll("\\D", "")));
            }
        }
        return OptionalLong.empty();
    }
}
