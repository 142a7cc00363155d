package org.tornadodit.runner.plan;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.pipeline.Rng;
import org.tornadodit.pipeline.setup.CheckpointSizes;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.EngineSetup;
import org.tornadodit.pipeline.setup.HeapNeed;
import org.tornadodit.pipeline.setup.NativeNeed;
import org.tornadodit.runner.option.DeviceOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.ImageGrid;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.graph.Count;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.PatchFlow;
import org.tornadodit.scheduler.plan.ShardPlan.Shard;
import org.tornadodit.scheduler.run.DeviceTeam;
import org.tornadodit.scheduler.tune.DeviceRates;

/** A run that is resolved and checked, but not begun: what {@code --dry-run} prints. */
public record SamplingPlan(
        ModelSource source,
        DitConfig config,
        VaeConfig vaeConfig,
        ClassNames classes,
        SamplingRequest request,
        SamplingOptions sampling,
        DeviceOptions.Chosen device,
        DeviceRates rates,
        int threads,
        RunFiles files) {

    private static final int CHALLENGE_PIXELS = 512;
    private static final int CHALLENGE_IMAGES = 8;
    private static final int CHALLENGE_STEPS = 250;

    /**
     * @throws IllegalArgumentException when the autoencoder does not fit the model, or the devices cannot divide the run as it is
     *     asked for
     */
    public SamplingPlan {
        CheckpointSizes.requireFit(config, source.name(), vaeConfig, source.vae());
        if (!device.cpu()) {
            setup(config, vaeConfig, request, sampling, device, threads).mesh();
        }
    }

    int batches() {
        return files.batches();
    }

    /** The samples' classes, by name or number. */
    public List<String> labels() {
        return request.labels().stream().map(classes::name).toList();
    }

    /** How devices divide the samples; not of the CPU engine. */
    public Mesh mesh() {
        return setup().mesh();
    }

    /** Patches of the tokens, which make it another picture. */
    PatchFlow flow() {
        return device.division().flow().orElse(PatchFlow.NONE);
    }

    /** No more devices than samples. */
    public List<ListedDevice> devicesInUse() {
        return setup().devicesInUse();
    }

    /** The engine that the run takes. */
    private EngineSetup setup() {
        return setup(config, vaeConfig, request, sampling, device, threads);
    }

    private static EngineSetup setup(
            DitConfig config,
            VaeConfig vaeConfig,
            SamplingRequest request,
            SamplingOptions sampling,
            DeviceOptions.Chosen device,
            int threads) {
        return new EngineSetup(
                config,
                vaeConfig,
                device.devices(),
                device.weights(),
                device.failFast(),
                threads,
                sampling.kernelArguments.options(),
                sampling.rng == Rng.CPU,
                request,
                device.division());
    }

    /** What a state notes of the engine: another's pictures differ by rounding. */
    public String engineName() {
        return device.cpu()
                ? "cpu"
                : "tornado, kernels "
                        + sampling.kernelArguments.options().tier().word();
    }

    /** What decides the rounding, see {@link EngineSetup#arithmetic}. */
    public String arithmetic() {
        return setup().arithmetic();
    }

    private DeviceRates.Rate rate(ListedDevice listed) {
        return setup().rate(rates, listed);
    }

    /** What was tuned for the devices. */
    public DeviceTuning tuning() {
        return setup().tuning();
    }

    /**
     * Reads the weights into an engine.
     *
     * @param tuned of its kernels
     * @param report takes a line about each device that fails
     */
    public Engine load(Checkpoint weights, Checkpoint vaeWeights, DeviceTuning tuned, Consumer<String> report) {
        return load(weights, vaeWeights, tuned, report, Startup.silent());
    }

    /** As above, telling what is done. */
    public Engine load(
            Checkpoint weights, Checkpoint vaeWeights, DeviceTuning tuned, Consumer<String> report, Startup startup) {
        return setup().load(weights, vaeWeights, tuned, rates, report, startup);
    }

    /**
     * Refuses what would not fit into the heap or the memory, or not into arrays and pictures, before anything is allocated.
     *
     * @throws IllegalStateException with what is needed, what is there and what to do
     */
    public void requireMemory(HeapNeed need, Checkpoint weights, Checkpoint vaeWeights) {
        requireHeap(need);
        NativeNeed.of(weights, config, vaeWeights, vaeConfig, need).require(NativeNeed.room());
    }

    /** {@link #requireMemory} without what is outside the heap. */
    void requireHeap(HeapNeed need) {
        long needed = need.bytes();
        String images = "%d images of %d x %d".formatted(request.samples(), config.imageSize(), config.imageSize());
        if (!JavaHeap.holds(needed)) {
            throw new IllegalStateException(
                    images + " need " + JavaHeap.shortage(needed) + ", or name fewer --class-labels");
        }
        if (ImageGrid.pixels(request.samples(), files.perRow(), config.imageSize()) > Integer.MAX_VALUE) {
            throw new IllegalStateException(
                    images + " are more than a PNG grid can hold; name fewer --class-labels, or use --batches");
        }
    }

    /**
     * Heap of sampling; devices have their activations in their own memory, which they compare by themselves.
     *
     * @param previews whether pictures are written while others are made, as with several batches
     */
    public HeapNeed heapNeed(boolean previews) {
        return HeapNeed.of(
                config,
                vaeConfig,
                request.samples(),
                Integer.BYTES * ImageGrid.pixels(request.samples(), files.perRow(), config.imageSize()) + onHostBytes(),
                device.cpu() ? threads : 0,
                previews || batches() > 1);
    }

    /** States that a sampler which decides on the host has there: before and after a step. */
    private long onHostBytes() {
        long latents = (long) Float.BYTES * request.samples() * config.inputElements();
        return adaptive() ? 2 * latents * (1 + request.sampler().history()) : 0;
    }

    /** Heap of a measurement, which decodes whole batches. */
    public HeapNeed heapNeedOfWholeBatches() {
        return HeapNeed.ofWholeBatches(config, vaeConfig, request.samples(), device.cpu() ? threads : 0);
    }

    /** Whether the run is what the challenge times: eight images of 512 x 512 by DiT-XL/2 in 250 DDPM steps. */
    public boolean isTheChallenges() {
        return config.equals(DitVariant.XL_2.config(CHALLENGE_PIXELS, config.numClasses()))
                && request.samples() == CHALLENGE_IMAGES
                && request.steps() == CHALLENGE_STEPS
                && request.sampler().method() == SamplingMethod.DDPM
                && request.interval().equals(GuidanceInterval.ALWAYS);
    }

    /** The last words before the work begins. */
    public String summary() {
        return String.format(
                Locale.ROOT,
                "%s, %d images of %d x %d, %s steps, guidance %s%s, seed %s",
                source.name(),
                request.samples(),
                config.imageSize(),
                config.imageSize(),
                request.sampler().inWords(),
                number(request.cfgScale()),
                interval(),
                sampling.seed);
    }

    /** The whole plan, a fact a line. */
    public List<String> lines() {
        List<String> lines = new ArrayList<>();
        lines.add(String.format(
                Locale.ROOT,
                "model    %s: %.1f M parameters, %d blocks, hidden size %d, %d heads of %d, patch %d, %d classes",
                source.name(),
                config.parameters() / 1e6,
                config.depth(),
                config.hiddenSize(),
                config.numHeads(),
                config.headSize(),
                config.patchSize(),
                config.numClasses()));
        lines.add("weights  " + source.checkpoint());
        lines.add("vae      " + source.vae() + ", scaling factor " + number(vaeConfig.scalingFactor()));
        lines.add("labels   " + String.join(", ", labels()));
        lines.add(String.format(
                Locale.ROOT,
                "steps    %s, guidance %s on %s channels%s, %s noise of seed %s",
                request.sampler().inWords(),
                number(request.cfgScale()),
                sampling.cfgChannels,
                interval(),
                sampling.rng.name().toLowerCase(Locale.ROOT),
                sampling.seed));
        lines.add(String.format(
                Locale.ROOT,
                "shapes   latents (%d, %d, %d, %d), tokens (%d, %d, %d), images (%d, 3, %d, %d)",
                request.samples(),
                config.inChannels(),
                config.inputSize(),
                config.inputSize(),
                request.passes(),
                config.tokens(),
                config.hiddenSize(),
                request.samples(),
                config.imageSize(),
                config.imageSize()));
        double flops = stepFlops();
        lines.add(String.format(
                Locale.ROOT,
                "work     %.3f TFLOP a step, %s, %d %s",
                flops / 1e12,
                adaptive()
                        ? "as many as a sample needs"
                        : "%.1f TFLOP a batch without the decoder".formatted(flops * request.steps() / 1e12),
                batches(),
                batches() == 1 ? "batch" : "batches"));
        lines.add(String.format(
                Locale.ROOT,
                "memory   about %s of heap of %s, %s of weights",
                ByteCount.of(heapNeed(false).bytes()),
                ByteCount.of(JavaHeap.room()),
                ByteCount.of(config.parameters() * Float.BYTES)));
        lines.addAll(deviceLines());
        lines.add("output   " + files.inWords(labels()));
        return lines;
    }

    /** Who does what, and how long it may take. */
    private List<String> deviceLines() {
        List<String> lines = new ArrayList<>();
        int steps = adaptive() ? 1 : request.steps();
        Forecast slowest;
        String source;
        if (device.cpu()) {
            slowest = Forecast.of(config, vaeConfig, request.samples(), request.guided(), rates.ofCpu(threads));
            source = rates.ofCpu(threads).source();
            lines.add("device   cpu, " + threads + (threads == 1 ? " thread" : " threads") + ": " + device.reason());
        } else {
            slowest = new Forecast(0, 0);
            source = rate(devicesInUse().getFirst()).source();
            DeviceTeam team = setup().team(rates, line -> {});
            for (Shard shard : team.plan(request.samples()).shards()) {
                List<ListedDevice> crew = team.crew(shard.device());
                Forecast alone = Forecast.of(config, vaeConfig, shard.count(), request.guided(), rate(crew.getFirst()));
                Forecast own = new Forecast(alone.step() / crew.size(), alone.decoding());
                slowest = own.seconds(steps) > slowest.seconds(steps) ? own : slowest;
                for (ListedDevice listed : crew) {
                    lines.add("device   %s: samples %d to %d, about %s"
                            .formatted(
                                    listed,
                                    shard.first(),
                                    shard.first() + shard.count() - 1,
                                    Forecast.duration(own.seconds(steps))));
                }
            }
            if (team.mesh().ranks() > 1) {
                lines.add("plan     " + team.mesh());
            }
            lines.add("         " + device.reason());
        }
        lines.add("time     %s of %s, decoding %s (%s; without loading and compiling)"
                .formatted(
                        adaptive()
                                ? "as many steps as a sample needs"
                                : "about %s a batch: %d steps"
                                        .formatted(Forecast.duration(slowest.seconds(steps)), steps),
                        Forecast.duration(slowest.step()),
                        Forecast.duration(slowest.decoding()),
                        source));
        return lines;
    }

    /** Whether nobody knows before how many steps there are. */
    private boolean adaptive() {
        return request.sampler().method().adaptive();
    }

    /** Operations in the products of a step of the batch: two a multiplication and addition. */
    public double stepFlops() {
        return Count.ofStep(config, Part.of(config, request.samples(), request.guided()))
                .flops();
    }

    private String interval() {
        return request.guided() && !request.interval().equals(GuidanceInterval.ALWAYS)
                ? " while the noise is %s to %s"
                        .formatted(
                                number(request.interval().low()),
                                number(request.interval().high()))
                : "";
    }

    private static String number(double value) {
        return value == Math.rint(value) && Math.abs(value) < 1e15
                ? String.valueOf((long) value)
                : String.valueOf(value);
    }
}
