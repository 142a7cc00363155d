package org.tornadodit.scheduler.run;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.diffusion.AdaptiveSampler;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.CudaGrid;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.DeviceLink;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.device.DevicePlan.Launched;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.FailedDevices;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.Startup;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.graph.DecoderTier;
import org.tornadodit.scheduler.graph.DitBuffers;
import org.tornadodit.scheduler.graph.DitBuffers.Tables;
import org.tornadodit.scheduler.graph.DitBuffers.Ties;
import org.tornadodit.scheduler.graph.DitDeviceWeights;
import org.tornadodit.scheduler.graph.DitGraphs;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MemoryNeed;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.graph.SuitedSteps;
import org.tornadodit.scheduler.graph.VaeBuffers;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan;
import org.tornadodit.scheduler.run.ConditioningTable.Condition;
import org.tornadodit.scheduler.run.SampleStep.Draw;
import org.tornadodit.scheduler.run.SampleStep.Later;
import org.tornadodit.virtual.VirtualLink;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The engine on one device of TornadoVM. Weights and activations stay on the device; the host sends a step's few scalars
 * and reads the latents once, at the end. Made for a largest batch; smaller ones take as much less.
 */
public final class TornadoEngine implements Engine, Stepper {

    /** Memory that one pass of the decoder may take: more images a pass fill the device better, up to a point. */
    static final long DECODER_BYTES = 4L << 30;

    /** Steps that a device has at once: with two, what the host does for one takes place while the device is at the other. */
    private static final int STEPS_AHEAD = 2;

    private final ListedDevice device;
    private final DitConfig config;
    private final SamplingRequest shape;
    private final Part part;
    private final Freshness freshness;
    private final boolean hostNoise;
    private final String description;
    private final Operations operations;
    private final boolean reportsOverflow;
    private final DitBuffers buffers;
    /** Where there are {@link DitBuffers#tables}. */
    private final @Nullable ConditioningTable table;

    private final DitGraphs ditGraphs;
    private final DevicePlan ditPlan;
    private final SuitedSteps suitedSteps;
    private final DeviceDecoder decoder;
    /** Addresses of the arrays that other devices store into. */
    private long[] landings = new long[0];

    /** What stands for these, and for the state, where other devices do not reach them. */
    private @Nullable HostLandings hostLandings;

    private volatile long stateAddress;
    /** Graphs of the step that is prepared. */
    private List<Integer> order = List.of();
    /** Samples of the step that is prepared. */
    private int prepared;
    /** Steps that were prepared so far. */
    private int steps;
    /** Whether what is read next is marked, see {@link #expectRead}. */
    private boolean spoiled;
    /** What the last step's graphs gave. */
    private @Nullable TornadoExecutionResult last;
    /** Steps that the device was given and nobody has looked at yet, in their order. */
    private final Deque<UnderWay> underWay = new ArrayDeque<>();

    /** @param number of the step, for messages */
    private record UnderWay(Launched launched, int number) {}

    /**
     * Uploads the weights, compiles all kernels and runs each once, so that the first batch is as fast as the others.
     *
     * @param context makes this engine's graphs unique in the process, such as {@code d0_}
     * @param shape a largest batch: no other will have more samples, or be guided where it is not
     * @param hostNoise whether the noise comes from the host, as it does for PyTorch's CPU generator
     * @param kernels which kernels
     * @throws DeviceUnavailableException when the device has too little memory
     */
    public TornadoEngine(
            ListedDevice device,
            String context,
            DitConfig config,
            DitWeights weights,
            VaeConfig vaeConfig,
            VaeWeights vaeWeights,
            SamplingRequest shape,
            boolean hostNoise,
            KernelOptions kernels) {
        this(
                device,
                context,
                config,
                HostWeights.of(
                        config,
                        weights,
                        vaeConfig,
                        vaeWeights,
                        device,
                        Part.of(config, shape.samples(), shape.guided()),
                        Link.PEERS,
                        kernels),
                vaeConfig,
                shape,
                Part.of(config, shape.samples(), shape.guided()),
                Link.PEERS,
                hostNoise,
                Startup.silent());
    }

    /** Weights as the checkpoint has them, and the kernels that read them; several engines on equal devices share them. */
    record HostWeights(KernelChoice choice, DitWeights dit, VaeWeights vae) {

        /**
         * Chooses the kernels, once it is known that the weights and the activations of a part fit the device: all but the host's
         * noise, which the engine counts too.
         *
         * @param between the devices of the crew
         * @throws DeviceUnavailableException when they do not
         */
        static HostWeights of(
                DitConfig config,
                DitWeights dit,
                VaeConfig vaeConfig,
                VaeWeights vae,
                ListedDevice device,
                Part part,
                Link between,
                KernelOptions kernels) {
            KernelChoice choice = KernelChoice.of(device, config, kernels);
            MemoryNeed.of(
                            config,
                            vaeConfig,
                            part,
                            choice.operations(),
                            choice.decoder(vaeConfig),
                            DECODER_BYTES,
                            between,
                            false)
                    .requireFits(device, part.samples().count());
            return new HostWeights(choice, dit, vae);
        }
    }

    /**
     * As the public constructor, with weights that are shared.
     *
     * @param between the devices of the crew
     * @param part of the shape's samples; where it is not whole, {@link #connect} comes before the first step
     */
    TornadoEngine(
            ListedDevice device,
            String context,
            DitConfig config,
            HostWeights weights,
            VaeConfig vaeConfig,
            SamplingRequest shape,
            Part part,
            Link between,
            boolean hostNoise,
            Startup startup) {
        this.device = device;
        this.config = config;
        this.shape = shape;
        this.part = part;
        this.freshness = new Freshness(part.mesh().flow().warmupSteps());
        this.hostNoise = hostNoise;
        KernelChoice choice = weights.choice();
        operations = choice.operations();
        reportsOverflow = operations.reportsOverflow();
        DecoderTier decoderTier = choice.decoder(vaeConfig);
        MemoryNeed need =
                MemoryNeed.of(config, vaeConfig, part, operations, decoderTier, DECODER_BYTES, between, hostNoise);
        need.requireFits(device, shape.samples());
        description = "%s; %s: %s; %s of device memory"
                .formatted(device, operations.description(), choice.reason(), ByteCount.of(need.bytes()));

        buffers = new DitBuffers(config, part, operations, between);
        buffers.describeExchanges(config, part, operations);
        Tables tables = buffers.tables;
        table = tables == null ? null : new ConditioningTable(tables, part, config.nullClass());
        GridScheduler grids = new GridScheduler();
        ditGraphs = new DitGraphs(
                context,
                config,
                DitDeviceWeights.of(weights.dit(), operations, part),
                buffers,
                StepPlan.whole(part),
                part,
                operations);
        ditPlan = new DevicePlan(device, () -> ditGraphs.build(grids, hostNoise), ditGraphs.later(), grids, startup);
        ditPlan.launchAhead(STEPS_AHEAD, ditGraphs.returned());
        suitedSteps = new SuitedSteps(ditGraphs, ditPlan, line -> startup.note(device.label() + ": " + line));

        VaeBuffers decoding =
                new VaeBuffers(vaeConfig, config.inputSize(), need.decodedTogether(), decoderTier, part, between);
        decoder = new DeviceDecoder(device, context + "vae_", config, vaeConfig, weights.vae(), decoding, startup);
        ditPlan.finish();
        try {
            loadWeights(startup); // while the decoder's kernels are compiled
            decoder.load(startup);
            try (Startup.Running running = startup.begin(device.label(), "first step")) {
                warmUp();
            }
        } catch (OverflowException | OutOfMemoryError e) { // the model's and Java's: the device is well
            closeAfter(e);
            throw e;
        } catch (RuntimeException | Error e) {
            abandon();
            throw e;
        }
    }

    private void closeAfter(Throwable failure) {
        try {
            close();
        } catch (RuntimeException | Error e) {
            failure.addSuppressed(e);
        }
    }

    /** Brings the weights into arrays on the device. The graphs that read them come right after. */
    private void loadWeights(Startup startup) {
        try (Startup.Running running = startup.begin(device.label(), "weights")) {
            Draw draw = new Draw(0, 0, CudaGrid.DEFAULT.threads(2L * stride()), 0);
            ditPlan.execute(ditGraphs.start());
            prepare(IntStream.range(0, shape.samples())
                    .mapToObj(sample ->
                            BatchRun.step(shape, config, sample, shape.sampler().step(0), draw, Later.UNKNOWN))
                    .toList());
            ditGraphs.load(ditPlan);
        }
    }

    /**
     * The rest of one step and one pass of the decoder: the first execution of a graph uploads its weights. What comes back
     * tells whether the device took them, for TornadoVM logs the driver's errors and goes on.
     */
    private void warmUp() {
        last = ditPlan.execute(ditGraphs.step().getLast());
        if (part.isWhole()) {
            requireLatents(last);
            recordStep();
        }
        if (!decoder.isShared()) { // else addresses() comes
            decoder.warmUp();
        }
    }

    /** Has the device record a step of all samples, whose graphs have all run, so that a run's first is one launch like the others. */
    void recordStep() {
        ditPlan.record(beginningStep());
    }

    /** The graphs of a step that begins a run, of all samples. */
    private List<Integer> beginningStep() {
        return part.isPatched() ? ditGraphs.synchronousStep() : ditGraphs.step();
    }

    private void requireLatents(TornadoExecutionResult result) {
        int size = stride();
        float[] latents = ReturnedValues.requireReturned(arrays(result, size, 1).getFirst(), size);
        if (!reportsOverflow || !overflowed()) { // else sampling will name the tensor
            ReturnedValues.requireFinite(latents, size, () -> OverflowException.ofFloat(OverflowException.LATENTS, 1));
        }
    }

    ListedDevice device() {
        return device;
    }

    /** What this engine holds of its samples. */
    Part part() {
        return part;
    }

    /**
     * Where this device's arrays are, for the others that hold the same samples, once a step and a pass of the decoder have been
     * done without these: see {@link Exchange}.
     */
    IntArray addresses() {
        Ties ties = ties();
        lastStep().transferToHost(ties.state());
        LongStream weights =
                part.sharesWeights() ? Arrays.stream(OwnedWeights.landings(ties.state())) : LongStream.empty();
        landings = LongStream.concat(
                        IntStream.range(0, Exchange.SITES).mapToLong(site -> Exchange.landing(ties.state(), site)),
                        weights)
                .toArray();
        stateAddress = Exchange.address(ties.state());
        decoder.findAddress();
        return ties.state();
    }

    /** Another device of the crew failed: a virtual device waits for it no longer. A GPU's kernels wait for 10 s or more. */
    void abandonExchanges() {
        VirtualLink.abandon(stateAddress);
        decoder.abandonExchanges();
    }

    /** Memory of the host for devices that do not reach this one's. */
    HostLandings hostLandings(DeviceLink link) {
        return new HostLandings(link, buffers.landingElements(config, part, operations), decoder.landingElements());
    }

    /**
     * Tells this device where the others' arrays are.
     *
     * @param engines of all devices that hold the samples, in the order of their ranks, once each has {@link #addresses}
     * @param through what stands for the devices' arrays, likewise; none where they reach each other's
     */
    void connect(List<TornadoEngine> engines, List<HostLandings> through) {
        for (TornadoEngine each : engines) {
            buffers.connect(part, each.part, each.ties().state());
            decoder.connect(each.part.rank(), each.decoder);
        }
        if (!through.isEmpty()) {
            connectThroughHost(engines, through);
        }
        ties().link().set(Exchange.ACTIVE, 1);
    }

    private void connectThroughHost(List<TornadoEngine> engines, List<HostLandings> through) {
        for (int rank = 0; rank < engines.size(); rank++) {
            TornadoEngine each = engines.get(rank);
            HostLandings landings = through.get(rank);
            buffers.connectThroughHost(part, each.part, each.ties().link(), landings.denoiser());
            decoder.connectThroughHost(rank, each.decoder, landings.decoder());
        }
        HostLandings own = through.get(part.rank());
        hostLandings = own;
        landings = own.denoiser().sites();
        stateAddress = own.denoiser().flags();
        HostExchange.setFlags(ties().link(), stateAddress);
        decoder.takeFlags(own.decoder().flags());
    }

    /** The first step with the others, as of {@link #warmUp}. They begin it together, once all have begun. */
    void firstStep() {
        TornadoExecutionResult result = ditPlan.execute(beginningStep());
        requireSignals();
        requireLatents(result);
        if (decoder.isShared()) {
            decoder.warmUp();
        }
    }

    /** For {@link #firstStep}. */
    void beginFirstStep() {
        start();
    }

    /** Nobody signals before all have done this. */
    private void start() {
        if (hostLandings != null) {
            hostLandings.clearFlags(); // as the graph does those in the state
        }
        ditPlan.execute(ditGraphs.start());
    }

    /** Bytes that virtual devices have stored into this one's memory, in steps. */
    long bytesReceived() {
        return Arrays.stream(landings).distinct().map(VirtualLink::storedBytes).sum();
    }

    private Ties ties() {
        return buffers.requireTies();
    }

    /** @throws PeerLostException when another device did not send what it had to */
    private void requireSignals() {
        Ties ties = buffers.ties;
        if (ties != null) {
            PeerLostException.requireSignals(ties.state(), Exchange.patience(ties.link()));
        }
    }

    /** Marks what is read next: TornadoVM logs a copy that fails, and goes on, and what was not copied must not pass for latents. */
    void expectRead() {
        if (!spoiled) {
            ReturnedValues.spoil(buffers.latents);
            spoiled = true;
        }
    }

    /**
     * Where the samples are: their latents, and what their samplers keep.
     *
     * @param wanted elements of each array
     * @param count of arrays
     */
    private List<float[]> arrays(TornadoExecutionResult result, int wanted, int count) {
        expectRead();
        spoiled = false;
        result.transferToHost(buffers.latents);
        List<float[]> arrays = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            float[] array = new float[wanted];
            MemorySegment.copy(
                    buffers.latents.getSegment(),
                    ValueLayout.JAVA_FLOAT,
                    (long) i * stride() * Float.BYTES,
                    array,
                    0,
                    wanted);
            arrays.add(array);
        }
        return arrays;
    }

    /** Elements between the arrays of a state on the device. */
    private int stride() {
        return part.samples().count() * config.inputElements();
    }

    private boolean overflowed() {
        for (int i = 0; i < buffers.overflow.getSize(); i++) {
            if (buffers.overflow.get(i) != 0) {
                return true;
            }
        }
        return false;
    }

    @Override
    public String description() {
        return description;
    }

    /** Of one thread at a time, and of samples that begin and end together. */
    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        requireRoom(request, noise);
        int steps = request.steps();
        int count = request.samples();
        int wanted = count * config.inputElements();
        from.requireFits(request, wanted);
        if (request.sampler() instanceof AdaptiveSampler) {
            throw new IllegalArgumentException("samples of sampler %s end at steps of their own, those here together"
                    .formatted(request.sampler().method().option()));
        }
        BatchRun batch = new BatchRun(request, config, noise, from, listener, 0);
        begin(batch.samples().stream().map(RunningSample::keptArrays).toList());
        Supplier<SamplingState> state = () -> from.part(count, 0, count);
        for (int done = from.done() + 1; done <= steps; done++) {
            int number = done;
            List<SampleStep> samples = batch.samples().stream().map(batch::step).toList();
            List<float[]> drawn =
                    hostNoise ? batch.samples().stream().map(batch::hostNoise).toList() : List.of();
            step(samples, drawn, number);
            batch.samples().forEach(RunningSample::stepped);
            state = () -> new SamplingState(
                    number, arrays(lastStep(), wanted, 1 + request.sampler().history()));
            listener.stepDone(done, state);
        }
        batch.noise().finish();
        return state.get().latents();
    }

    @Override
    public void begin(List<List<float[]>> states) {
        forget();
        if (table != null) {
            table.forget();
        }
        for (int i = 0; i < states.size(); i++) {
            for (int array = 0; array < states.get(i).size(); array++) {
                DeviceArrays.fill(
                        buffers.start,
                        array * stride() + i * config.inputElements(),
                        states.get(i).get(array));
            }
        }
        start();
        freshness.begin();
    }

    @Override
    public void step(List<SampleStep> samples, List<float[]> noise, int number) {
        prepareStep(samples, noise);
        launchStep(number);
    }

    /**
     * All of a step that comes before its launch; the device may be at the step before, but where the next cannot be given ahead.
     * Devices of a crew have done it all before one goes on.
     */
    void prepareStep(List<SampleStep> samples, List<float[]> noise) {
        if (samples.size() > part.samples().count()) {
            throw new IllegalArgumentException("%d samples, room for %d"
                    .formatted(samples.size(), part.samples().count()));
        }
        for (int i = 0; i < noise.size(); i++) {
            DeviceArrays.fill(buffers.noise, i * config.inputElements(), noise.get(i));
        }
        prepare(samples);
        prepared = samples.size();
        order = !part.isPatched()
                ? suitedSteps.next(buffers.wholeBatch.get(Batch.PASSES))
                : freshness.isSynchronous(samples) ? ditGraphs.synchronousStep() : ditGraphs.step();
        ditPlan.prepare(order);
        boolean ahead = part.isWhole() || buffers.allowStepsAhead();
        if (!ahead || !ditPlan.isRecorded(order)) { // what is not recorded waits for each of its copies
            settle();
        }
    }

    /** Gives the device the step that was prepared, and looks at those before it that have to be done by now. */
    void launchStep(int number) {
        Launched launched = ditPlan.launch(order, this::recordDecodeOfStep);
        suitedSteps.launched();
        last = launched.result();
        underWay.add(new UnderWay(launched, number));
        while (underWay.size() >= launched.depth()) {
            settleFirst();
        }
    }

    /** Waits for all steps that the device was given, and looks at what they returned. */
    void settle() {
        while (!underWay.isEmpty()) {
            settleFirst();
        }
    }

    private void settleFirst() {
        UnderWay first = underWay.remove();
        first.launched().await();
        requireSignals();
        if (reportsOverflow) { // of each step: what follows a value that did not fit raises its flags too
            requireNoOverflow(first.number());
        }
    }

    /** As {@link #settle}, of steps of samples that are here no longer. */
    private void forget() {
        while (!underWay.isEmpty()) {
            underWay.remove().launched().await();
        }
    }

    @Override
    public List<List<float[]>> read(List<Integer> arrays) {
        expectRead(); // while the device may be at a step
        int elements = config.inputElements();
        int most = arrays.stream().mapToInt(Integer::intValue).max().orElse(1);
        List<float[]> all = arrays(lastStep(), arrays.size() * elements, most);
        List<List<float[]>> states = new ArrayList<>();
        for (int i = 0; i < arrays.size(); i++) {
            int first = i * elements;
            states.add(all.subList(0, arrays.get(i)).stream()
                    .map(array -> ReturnedValues.requireReturned(
                            Arrays.copyOfRange(array, first, first + elements), elements))
                    .toList());
        }
        return states;
    }

    private TornadoExecutionResult lastStep() {
        settle();
        TornadoExecutionResult result = last;
        if (result == null) {
            throw new IllegalStateException("no step was done");
        }
        return result;
    }

    /** What the host sends for a step. */
    private void prepare(List<SampleStep> samples) {
        int[] labels = samples.stream().mapToInt(SampleStep::label).toArray();
        boolean[] guided = new boolean[labels.length];
        for (int i = 0; i < labels.length; i++) {
            guided[i] = samples.get(i).guided();
            samples.get(i).write(i, config.learnsVariance(), buffers.coefficients, buffers.draw);
        }
        if (part.halves().isWhole()) {
            Batch.fill(buffers.wholeBatch, labels, guided, config.nullClass());
        } else {
            int half = part.halves().first();
            Batch.fillHalf(
                    buffers.wholeBatch,
                    labels,
                    guided,
                    config.nullClass(),
                    half,
                    part.samples().count());
        }
        buffers.placePredictions(config, part, steps++);
        int passes = buffers.wholeBatch.get(Batch.PASSES);
        if (part.isStage()) {
            Batch.divide(buffers.wholeBatch, buffers.microBatches, part.mesh().microBatches(), part.microPasses());
        }
        // Micro-batches without a pass of their own have one behind all others.
        int all = part.isStage() ? part.passes() : passes;
        List<Condition> ofPasses = IntStream.range(0, all)
                .map(pass -> Math.min(pass, passes - 1))
                .mapToObj(pass -> {
                    int sample = buffers.wholeBatch.get(Batch.sample(pass));
                    SamplerStep step = samples.get(sample).step();
                    int label = buffers.wholeBatch.get(Batch.label(pass, part.passes()));
                    return new Condition(label, step.time(), step.interval());
                })
                .toList();
        List<Condition> computed = table == null ? ofPasses : table.fill(ofPasses, samples);
        ditGraphs.fillConditioning(
                computed.stream().mapToDouble(Condition::time).toArray(),
                computed.stream().mapToDouble(Condition::interval).toArray());
    }

    /** @throws OverflowException when a kernel has met a value that its operands cannot hold */
    private void requireNoOverflow(int step) {
        for (int layer = 0; layer < part.layers().count(); layer++) {
            for (int kind = 0; kind < Overflow.FINAL; kind++) {
                for (int row : part.flagRows(layer)) {
                    requireUnset(row, layer, kind, step);
                }
            }
        }
        requireUnset(0, 0, Overflow.FINAL, step);
        requireUnset(0, 0, Overflow.CONDITIONING, step);
    }

    private void requireUnset(int row, int layer, int kind, int step) {
        if (buffers.overflow.get(row * Overflow.KINDS + kind) != 0) {
            throw new OverflowException(part.layers().first() + layer, kind, step);
        }
    }

    private void requireRoom(SamplingRequest request, NoiseStream noise) {
        int passes = request.passes();
        if (request.samples() > part.samples().count()
                || passes > part.passes()
                || noise instanceof CudaNoise == hostNoise) {
            throw new IllegalArgumentException(
                    "the engine was made for up to %d samples in %d passes of the model, noise from the %s; %d in %d with"
                                    .formatted(
                                            part.samples().count(),
                                            part.passes(),
                                            hostNoise ? "host" : "device",
                                            request.samples(),
                                            passes)
                            + " noise of %s want another"
                                    .formatted(noise.getClass().getSimpleName()));
        }
    }

    /**
     * Once, while the device is at a step: who samples decodes as many, most likely. A crew does it before its first step, for the
     * driver may wait for a device to record, which may wait for another.
     */
    private void recordDecodeOfStep() {
        if (part.ranks() == 1) {
            decoder.record(prepared);
        }
    }

    @Override
    public float[] decode(float[] latents, int samples) {
        return decoder.decode(latents, samples);
    }

    DeviceDecoder decoder() {
        return decoder;
    }

    /** Bytes that the plans hold on the device now. */
    public long deviceBytes() {
        return ditPlan.deviceBytes() + decoder.deviceBytes();
    }

    /** Leaves the device, which failed, as it is; the engine is of no use afterwards, and not to be closed. */
    void abandon() {
        FailedDevices.leave(device, ditPlan, decoder);
    }

    @Override
    public void close() {
        decoder.close();
        ditPlan.close();
    }
}
