package org.tornadodit.pipeline;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.model.JavaHeap;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.pipeline.setup.CheckpointObjective;
import org.tornadodit.pipeline.setup.CheckpointSizes;
import org.tornadodit.pipeline.setup.DeviceChoice;
import org.tornadodit.pipeline.setup.DeviceTuning;
import org.tornadodit.pipeline.setup.EngineSetup;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.pipeline.setup.HeapNeed;
import org.tornadodit.pipeline.setup.Machine;
import org.tornadodit.pipeline.setup.NativeNeed;
import org.tornadodit.scheduler.device.TornadoProperties;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.plan.MeshRequest;
import org.tornadodit.scheduler.tune.DefaultRates;

/** How a model is to be opened. Nothing is read before {@link #open}. Not thread safe. */
public final class PipelineBuilder {
    private static final Logger LOG = System.getLogger(DitPipeline.class.getName());
    private static final int MOST_BATCH = 4096;

    private final Path checkpoint;
    private final Path vae;
    private @Nullable Path config;
    private @Nullable Path classNames;
    private @Nullable String name;
    private @Nullable Integer imageSize;
    private @Nullable Objective objective;
    private Supplier<DeviceChoice> devices = DeviceNames.parse("auto")::find;
    private List<Double> deviceWeights = List.of();
    private MatmulPrecision precision = MatmulPrecision.HIGHEST;
    private Tier kernels = Tier.AUTO;
    private Rng rng = Rng.CUDA;
    private int maxBatch = 8;
    private int maxWaiting = Integer.MAX_VALUE;
    private int threads = Runtime.getRuntime().availableProcessors();
    private boolean failFast;
    private boolean kernelCache = true;
    private Consumer<String> notices = line -> LOG.log(Level.INFO, line);
    private Consumer<String> starting = words -> {};

    PipelineBuilder(Path checkpoint, Path vae) {
        this.checkpoint = checkpoint;
        this.vae = vae;
    }

    /**
     * The model's sizes, where the checkpoint's shapes and a config.json beside it do not tell them.
     *
     * @param json a config.json with facebookresearch/DiT's or diffusers' keys, or its folder
     */
    public PipelineBuilder config(Path json) {
        config = json;
        return this;
    }

    /**
     * @param name of the model that pictures tell, as {@code --model} has it; without it, that of the paper, or of the weights'
     *     file. {@code "SiT-..."} says what it was trained to predict too, where {@link #objective} and tensors do not
     */
    public PipelineBuilder name(String name) {
        this.name = name;
        return this;
    }

    /** @param objective what the model was trained to predict, where its tensors and the file's name do not tell */
    public PipelineBuilder objective(Objective objective) {
        this.objective = objective;
        return this;
    }

    /** @param pixels a side, where the checkpoint does not tell */
    public PipelineBuilder imageSize(int pixels) {
        imageSize = pixels;
        return this;
    }

    /**
     * Names of the classes. Default: a labels.json beside the weights, else none.
     *
     * @param json {@code {"names": [...], "favourites": [...]}}
     */
    public PipelineBuilder classNames(Path json) {
        classNames = json;
        return this;
    }

    /**
     * Where to run.
     *
     * @param names {@code "auto"}: GPUs where TornadoVM finds any, else the CPU; {@code "cpu"}; {@code "tornado"}; devices as
     *     {@link DitPipeline#devices} counts them, as in {@code "0,1"}; {@code "cpu:4"} for four that are emulated, for tests
     *     with tiny models
     * @throws IllegalArgumentException when it is none of these
     */
    public PipelineBuilder devices(String names) {
        devices = DeviceNames.parse(names)::find;
        return this;
    }

    /**
     * Where to run, for programs that have chosen: what they do not find they tell in words of their own.
     *
     * @param chosen the devices, none for the CPU engine, and why
     */
    public PipelineBuilder devices(DeviceChoice chosen) {
        devices = () -> chosen;
        return this;
    }

    /**
     * How fast the devices are in proportion to each other, as in 2, 1: samples are divided accordingly. Default: their rates.
     *
     * @throws IllegalArgumentException when one is not greater than 0
     */
    public PipelineBuilder deviceWeights(double... weights) {
        if (Arrays.stream(weights).anyMatch(weight -> !(weight > 0 && weight < Double.POSITIVE_INFINITY))) {
            throw new IllegalArgumentException(
                    "deviceWeights are %s, expected numbers greater than 0".formatted(Arrays.toString(weights)));
        }
        deviceWeights = Arrays.stream(weights).boxed().toList();
        return this;
    }

    /** @param precision of products on devices; HIGHEST by default. The CPU engine always has FP32's */
    public PipelineBuilder precision(MatmulPrecision precision) {
        this.precision = precision;
        return this;
    }

    /** @param tier which kernels may serve devices */
    public PipelineBuilder kernels(Tier tier) {
        kernels = tier;
        return this;
    }

    /** @param rng whose noise all requests have; CUDA by default */
    public PipelineBuilder rng(Rng rng) {
        this.rng = rng;
        return this;
    }

    /**
     * Samples that share a pass of the model, of one request or several; the memory is for so many. 8 by default.
     *
     * @throws IllegalArgumentException when it is not 1 to 4096
     */
    public PipelineBuilder maxBatch(int samples) {
        if (samples < 1 || samples > MOST_BATCH) {
            throw new IllegalArgumentException("maxBatch is %d, expected 1 to %d".formatted(samples, MOST_BATCH));
        }
        maxBatch = samples;
        return this;
    }

    /**
     * Requests that may wait for a place at a time; what comes then ends in a {@link QueueFullException} at once. Any number by
     * default; 0 serves those only for whom a place is free.
     *
     * @throws IllegalArgumentException when it is negative
     */
    public PipelineBuilder maxWaiting(int requests) {
        if (requests < 0) {
            throw new IllegalArgumentException("maxWaiting is %d, expected 0 or more".formatted(requests));
        }
        maxWaiting = requests;
        return this;
    }

    /**
     * Threads of the CPU engine; one for each processor by default. The result does not depend on it.
     *
     * @throws IllegalArgumentException when it is not 1 to 4096
     */
    public PipelineBuilder threads(int threads) {
        if (threads < 1 || threads > 4096) {
            throw new IllegalArgumentException("threads is %d, expected 1 to 4096".formatted(threads));
        }
        this.threads = threads;
        return this;
    }

    /** The first failure of a device ends a request; otherwise the others do its samples, to the same pictures. */
    public PipelineBuilder failFast() {
        failFast = true;
        return this;
    }

    /** Compiles all GPU kernels anew and keeps none; otherwise they are kept in the user's cache. */
    public PipelineBuilder noKernelCache() {
        kernelCache = false;
        return this;
    }

    /** @param notices takes lines such as those about a device that failed, on any thread; the log by default */
    public PipelineBuilder notices(Consumer<String> notices) {
        this.notices = notices;
        return this;
    }

    /** @param starting takes what {@link #open} is doing at each change, on any thread */
    public PipelineBuilder starting(Consumer<String> starting) {
        this.starting = starting;
        return this;
    }

    /**
     * Reads the weights, compiles the kernels and runs each once: seconds on the CPU, up to a minute on GPUs. Sets TornadoVM's
     * properties where they are not set.
     *
     * @throws PipelineException when files, devices or memory do not do, or TornadoVM has read other properties already
     * @throws IllegalArgumentException when what was asked for contradicts itself
     */
    public DitPipeline open() {
        TornadoProperties.apply();
        List<Checkpoint> opened = new ArrayList<>();
        try {
            Checkpoint weights = Checkpoints.open(checkpoint);
            opened.add(weights);
            Checkpoint vaeWeights = Checkpoints.openVae(vae);
            opened.add(vaeWeights);
            return open(weights, vaeWeights);
        } catch (RuntimeException | Error failure) {
            opened.forEach(Checkpoint::close);
            if (failure instanceof IllegalArgumentException || failure instanceof Error) {
                throw failure;
            }
            throw PipelineException.of(failure);
        }
    }

    private DitPipeline open(Checkpoint weights, Checkpoint vaeWeights) {
        DitConfig plain =
                config != null ? DitConfig.fromJson(config) : CheckpointSizes.of(checkpoint, weights, imageSize);
        CheckpointObjective found =
                CheckpointObjective.of(objective, name != null ? name : "", checkpoint, weights, plain);
        DitConfig sizes = found.apply(plain, weights, config != null || CheckpointSizes.isDescribed(checkpoint));
        found.lines(weights, sizes).forEach(notices);
        VaeConfig vaeSizes = VaeConfig.fromJson(vae);
        try {
            CheckpointSizes.requireFit(sizes, checkpoint.toString(), vaeSizes, vae);
        } catch (IllegalArgumentException e) { // of files
            throw PipelineException.of(e);
        }
        DitWeights.requireFit(weights, sizes);
        VaeWeights.requireFit(vaeWeights, vaeSizes);
        if (kernelCache) {
            KernelCompiler.fromClassPath().keep(Machine.kernelFolder(), TornadoProperties.all(), notices);
        }
        DeviceChoice chosen = devices.get();
        if (chosen.cpu()) {
            requireVectorApi();
        } else if (!deviceWeights.isEmpty()
                && deviceWeights.size() != chosen.devices().size()) {
            throw new IllegalArgumentException("deviceWeights are %d, the devices are %d"
                    .formatted(deviceWeights.size(), chosen.devices().size()));
        }
        HeapNeed heap = requireMemory(weights, sizes, vaeWeights, vaeSizes, chosen.cpu() ? threads : 0);
        Request largest = Request.of(sizes.objective(), new int[maxBatch]).guidance(2);
        EngineSetup setup = new EngineSetup(
                sizes,
                vaeSizes,
                chosen.devices(),
                chosen.cpu() ? List.of() : deviceWeights,
                failFast,
                threads,
                new KernelOptions(precision, kernels),
                rng == Rng.CPU,
                largest.batch(Collections.nCopies(maxBatch, 0), sizes.objective()),
                MeshRequest.AUTO);
        // Their file may be refused: while there is no engine yet that would have to be closed.
        ClassNames classes = names(sizes);
        DeviceTuning tuned = setup.tuning();
        tuned.lines().forEach(notices);
        Engine engine = setup.load(weights, vaeWeights, tuned, new DefaultRates(), notices, new Startup(0, starting));
        return new DitPipeline(
                new SharedEngine(
                        engine,
                        weights,
                        vaeWeights,
                        new Fingerprints(() -> sizes, weights, () -> vaeSizes, vaeWeights).begin(),
                        setup.cpu()),
                new RequestQueue(maxWaiting),
                sizes,
                classes,
                modelName(sizes),
                chosen.reason(),
                rng,
                precision,
                maxBatch,
                heap.decodedTogether());
    }

    private HeapNeed requireMemory(
            Checkpoint weights, DitConfig sizes, Checkpoint vaeWeights, VaeConfig vaeSizes, int cpuThreads) {
        long side = sizes.imageSize();
        HeapNeed heap = HeapNeed.of(sizes, vaeSizes, maxBatch, 3 * side * side * maxBatch, cpuThreads, true);
        if (!JavaHeap.holds(heap.bytes())) {
            throw new PipelineException(
                    PipelineException.inJava("%d images of %d x %d need %s, or open with a smaller maxBatch"
                            .formatted(maxBatch, side, side, JavaHeap.shortage(heap.bytes()))));
        }
        NativeNeed.of(weights, sizes, vaeWeights, vaeSizes, heap).require(NativeNeed.room());
        return heap;
    }

    private static void requireVectorApi() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            throw new PipelineException("the CPU engine computes with Java's Vector API, whose module is not there;"
                    + " start Java with --add-modules=jdk.incubator.vector");
        }
    }

    /** What is asked for, else that of a model of the paper, else the file's. */
    private String modelName(DitConfig sizes) {
        if (name != null) {
            return name;
        }
        return Arrays.stream(DitVariant.values())
                .filter(variant -> variant.patchSize() == sizes.patchSize())
                .filter(variant ->
                        variant.config(sizes.imageSize(), sizes.numClasses()).equals(sizes))
                .map(DitVariant::modelName)
                .findFirst()
                .orElse(String.valueOf(checkpoint.getFileName()));
    }

    private ClassNames names(DitConfig sizes) {
        return classNames != null ? ClassNames.read(classNames) : ClassNames.ofWeights(checkpoint, sizes.numClasses());
    }
}
