package org.tornadodit.scheduler.run;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.model.ByteCount;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.CudaGrid;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.DevicePlan;
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
import org.tornadodit.scheduler.graph.DitGraphs;
import org.tornadodit.scheduler.graph.DitGraphs.DitDeviceWeights;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.graph.MemoryNeed;
import org.tornadodit.scheduler.graph.Operations;
import org.tornadodit.scheduler.graph.SuitedSteps;
import org.tornadodit.scheduler.graph.VaeBuffers;
import org.tornadodit.scheduler.graph.VaeGraphs;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Portion;
import org.tornadodit.scheduler.plan.StepPlan;
import org.tornadodit.scheduler.run.SampleStep.Draw;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;

/**
 * The engine on one device of TornadoVM. Weights and activations stay on the device; the host sends a step's few scalars
 * and reads the latents once, at the end. Made for a largest batch; smaller ones take as much less.
 */
public final class TornadoEngine implements Engine {

    /** Memory that one pass of the decoder may take: more images a pass fill the device better, up to a point. */
    private static final long DECODER_BYTES = 4L << 30;

    private final ListedDevice device;
    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final SamplingRequest shape;
    private final Part part;
    private final boolean hostNoise;
    private final String description;
    private final boolean reportsOverflow;
    private final DitBuffers buffers;
    private final DitGraphs ditGraphs;
    private final DevicePlan ditPlan;
    private final SuitedSteps suitedSteps;
    private final VaeBuffers vaeBuffers;
    private final DevicePlan vaePlan;
    private final VaeGraphs vaeGraphs;

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
                        kernels),
                vaeConfig,
                shape,
                hostNoise,
                Startup.silent());
    }

    /** Weights as the checkpoint has them, and the kernels that read them; several engines on equal devices share them. */
    record HostWeights(KernelChoice choice, DitWeights dit, VaeWeights vae) {

        /**
         * Chooses the kernels, once it is known that the weights and the activations of a part fit the device.
         *
         * @throws DeviceUnavailableException when they do not
         */
        static HostWeights of(
                DitConfig config,
                DitWeights dit,
                VaeConfig vaeConfig,
                VaeWeights vae,
                ListedDevice device,
                Part part,
                KernelOptions kernels) {
            KernelChoice choice = KernelChoice.of(device, config, kernels);
            MemoryNeed.of(config, vaeConfig, part, choice.operations(), choice.decoder(vaeConfig), DECODER_BYTES)
                    .requireFits(device, part.samples().count());
            return new HostWeights(choice, dit, vae);
        }
    }

    /** As the public constructor, with weights that are shared. */
    TornadoEngine(
            ListedDevice device,
            String context,
            DitConfig config,
            HostWeights weights,
            VaeConfig vaeConfig,
            SamplingRequest shape,
            boolean hostNoise,
            Startup startup) {
        this.device = device;
        this.config = config;
        this.vaeConfig = vaeConfig;
        this.shape = shape;
        this.part = Part.of(config, shape.samples(), shape.guided());
        this.hostNoise = hostNoise;
        KernelChoice choice = weights.choice();
        Operations operations = choice.operations();
        reportsOverflow = operations.reportsOverflow();
        DecoderTier decoder = choice.decoder(vaeConfig);
        MemoryNeed need = MemoryNeed.of(config, vaeConfig, part, operations, decoder, DECODER_BYTES);
        need.requireFits(device, shape.samples());
        description = "%s; %s: %s; %s of device memory"
                .formatted(device, operations.description(), choice.reason(), ByteCount.of(need.bytes()));

        buffers = new DitBuffers(config, part, operations);
        GridScheduler grids = new GridScheduler();
        ditGraphs = new DitGraphs(
                context,
                config,
                DitDeviceWeights.of(weights.dit(), operations),
                buffers,
                StepPlan.whole(part),
                part,
                operations);
        ditPlan = new DevicePlan(device, () -> ditGraphs.build(grids, hostNoise), ditGraphs.later(), grids, startup);
        suitedSteps = new SuitedSteps(ditGraphs, ditPlan, line -> startup.note(device.label() + ": " + line));

        vaeBuffers = new VaeBuffers(vaeConfig, config.inputSize(), need.decodedTogether(), decoder);
        GridScheduler vaeGrids = new GridScheduler();
        vaeGraphs = new VaeGraphs(context + "vae_", vaeConfig, weights.vae(), vaeBuffers);
        vaePlan = new DevicePlan(device, () -> vaeGraphs.build(vaeGrids), vaeGrids, startup);
        ditPlan.finish();
        try {
            loadWeights(startup); // while the decoder's kernels are compiled
            vaePlan.finish();
            try (Startup.Running running = startup.begin(device.label(), "first step")) {
                warmUp();
            }
        } catch (OverflowException | OutOfMemoryError e) { // the model's and Java's: the device is well
            closeAfter(e);
            throw e;
        } catch (RuntimeException | Error e) {
            FailedDevices.leave(device, ditPlan, vaePlan);
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
            ditGraphs.loadModulation(ditPlan);
            prepare(steps(shape, 0, sample -> draw));
            ditPlan.execute(ditGraphs.step().getFirst());
            ditGraphs.loadBlocks(ditPlan);
        }
    }

    /**
     * The rest of one step and one pass of the decoder: the first execution of a graph uploads its weights. What comes back
     * tells whether the device took them, for TornadoVM logs the driver's errors and goes on.
     */
    private void warmUp() {
        List<Integer> step = ditGraphs.step();
        TornadoExecutionResult result = run(step.subList(1, step.size()));
        int size = stride();
        float[] latents = ReturnedValues.requireReturned(
                state(result, 1, size, DenoiseStep.HISTORY).latents(), size);
        if (!reportsOverflow || !overflowed(result)) { // else sampling will name the tensor
            ReturnedValues.requireFinite(latents, size, () -> OverflowException.ofFloat(OverflowException.LATENTS, 1));
        }
        float[] image = decode(new float[config.inputElements()], 1);
        ReturnedValues.requireFinite(image, image.length, () -> OverflowException.ofDecoder(OverflowException.IMAGES));
    }

    /**
     * Where the samples are.
     *
     * @param wanted elements of their latents
     * @param history arrays that their sampler keeps
     */
    private SamplingState state(TornadoExecutionResult result, int done, int wanted, int history) {
        // TornadoVM logs a copy that fails, and goes on: what was not copied must not pass for latents.
        ReturnedValues.spoil(buffers.latents);
        result.transferToHost(buffers.latents);
        List<float[]> arrays = new ArrayList<>();
        for (int i = 0; i <= history; i++) {
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
        return new SamplingState(done, arrays);
    }

    /** Elements between the arrays of a state on the device. */
    private int stride() {
        return part.samples().count() * config.inputElements();
    }

    /** Has the device begin with some latents, and a history where there is one. */
    private void begin(List<float[]> arrays) {
        for (int i = 0; i < arrays.size(); i++) {
            DeviceArrays.fill(buffers.start, i * stride(), arrays.get(i));
        }
        ditPlan.execute(ditGraphs.start());
    }

    private boolean overflowed(TornadoExecutionResult result) {
        result.transferToHost(buffers.overflow);
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

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        BatchNoise batch = new BatchNoise(noise, request, config.inputElements());
        float[] latents = sample(request, new Portion(0, request.samples(), from), noise, batch, listener);
        batch.finish();
        return latents;
    }

    /**
     * Denoises some samples of a batch.
     *
     * @param request of the portion: its labels, as many as the engine's samples at most
     * @param portion which samples of the batch they are, and where they are
     * @param stream where the batch's noise comes from; not advanced here
     * @return latents of the portion
     */
    float[] sample(
            SamplingRequest request, Portion portion, NoiseStream stream, BatchNoise noise, StepListener listener) {
        requireRoom(request, stream);
        int steps = request.steps();
        int history = request.sampler().history();
        int first = portion.first();
        int count = portion.count();
        SamplingState from = portion.state();
        int wanted = count * config.inputElements();
        from.requireFits(request, wanted);
        // A first step makes nothing of the history, but 0 times what an earlier batch left there might be NaN.
        List<float[]> start =
                new ArrayList<>(from.done() == 0 ? Collections.nCopies(1 + history, new float[wanted]) : from.arrays());
        if (from.done() == 0) {
            start.set(0, noise.slice(0, first, count));
        }
        begin(start);

        Supplier<SamplingState> state = () -> from.part(count, 0, count);
        for (int done = from.done() + 1; done <= steps; done++) {
            int call = done;
            if (hostNoise && request.sampler().drawsEachStep()) {
                DeviceArrays.fill(buffers.noise, noise.slice(done, first, count));
            }
            TornadoExecutionResult result = step(steps(request, done - 1, sample -> noise.draw(call, first + sample)));
            state = () -> state(result, call, wanted, history);
            if (reportsOverflow) { // each step: what follows a value that did not fit would raise its flags too
                requireNoOverflow(result, done);
            }
            listener.stepDone(done, state);
        }
        return state.get().latents();
    }

    /**
     * The same step of all samples of a request, each with its label and its noise.
     *
     * @param done steps before it
     */
    private List<SampleStep> steps(SamplingRequest request, int done, IntFunction<Draw> draws) {
        SamplerStep step = request.sampler().step(done);
        int guidedChannels = request.guided() ? request.guidance().channels(config.inChannels()) : 0;
        List<SampleStep> result = new ArrayList<>();
        for (int i = 0; i < request.samples(); i++) {
            result.add(
                    new SampleStep(request.labels().get(i), step, request.cfgScale(), guidedChannels, draws.apply(i)));
        }
        return result;
    }

    /**
     * One step of samples that need not belong together: each at its own step, with its own guidance, sampler and noise.
     *
     * @param state before it: latents (S, C, H, W), then as many arrays of history as any of the samplers has
     * @return the same after it
     * @throws IllegalArgumentException when the engine has no room for so many, or their noise is to come from the host
     */
    List<float[]> step(List<SampleStep> samples, List<float[]> state) {
        if (samples.size() > part.samples().count() || hostNoise) {
            throw new IllegalArgumentException("%d samples, room for %d, noise from the %s"
                    .formatted(samples.size(), part.samples().count(), hostNoise ? "host" : "device"));
        }
        begin(state);
        return state(step(samples), 1, state.getFirst().length, state.size() - 1)
                .arrays();
    }

    /** One denoising step: the graphs of {@link DitGraphs#step}, one after the other. */
    private TornadoExecutionResult step(List<SampleStep> samples) {
        prepare(samples);
        return run(suitedSteps.next(buffers.batch.get(Batch.PASSES)));
    }

    /** What the host sends for a step. */
    private void prepare(List<SampleStep> samples) {
        int[] labels = samples.stream().mapToInt(SampleStep::label).toArray();
        boolean[] guided = new boolean[labels.length];
        for (int i = 0; i < labels.length; i++) {
            guided[i] = samples.get(i).guided();
            samples.get(i).write(i, config.learnSigma(), buffers.coefficients, buffers.draw);
        }
        Batch.fill(buffers.batch, labels, guided, config.nullClass());
        double[] times = new double[buffers.batch.get(Batch.PASSES)];
        for (int pass = 0; pass < times.length; pass++) {
            times[pass] =
                    samples.get(buffers.batch.get(Batch.sample(pass))).step().time();
        }
        ditGraphs.fillConditioning(times);
    }

    /** Runs graphs of a step. */
    private TornadoExecutionResult run(List<Integer> order) {
        order.subList(0, order.size() - 1).forEach(ditPlan::launch);
        return ditPlan.execute(order.getLast());
    }

    /** @throws OverflowException when a kernel has met a value that its operands cannot hold */
    private void requireNoOverflow(TornadoExecutionResult result, int step) {
        result.transferToHost(buffers.overflow);
        for (int layer = 0; layer < config.depth(); layer++) {
            for (int kind = 0; kind < Overflow.FINAL; kind++) {
                requireUnset(layer, kind, step);
            }
        }
        requireUnset(0, Overflow.FINAL, step);
        requireUnset(0, Overflow.CONDITIONING, step);
    }

    private void requireUnset(int layer, int kind, int step) {
        if (buffers.overflow.get(layer * Overflow.KINDS + kind) != 0) {
            throw new OverflowException(layer, kind, step);
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

    @Override
    public float[] decode(float[] latents, int samples) {
        int latent = config.inputElements();
        int side = config.inputSize() * vaeConfig.upsampling();
        int image = vaeConfig.outChannels() * side * side;
        float[] images = new float[Math.multiplyExact(samples, image)];
        for (int first = 0; first < samples; first += vaeBuffers.count) {
            int count = Math.min(vaeBuffers.count, samples - first);
            for (int i = 0; i < count * latent; i++) {
                vaeBuffers.latents.set(i, latents[first * latent + i]);
            }
            ReturnedValues.spoil(vaeBuffers.images);
            vaeGraphs.decode(vaePlan, count);
            vaeGraphs.overflow().ifPresent(layer -> {
                throw new OverflowException(layer);
            });
            MemorySegment.copy(
                    vaeBuffers.images.getSegment(), ValueLayout.JAVA_FLOAT, 0, images, first * image, count * image);
        }
        return images;
    }

    /** Bytes that the plans hold on the device now. */
    public long deviceBytes() {
        return ditPlan.deviceBytes() + vaePlan.deviceBytes();
    }

    /** Leaves the device, which failed, as it is; the engine is of no use afterwards, and not to be closed. */
    void abandon() {
        FailedDevices.leave(device, ditPlan, vaePlan);
    }

    @Override
    public void close() {
        vaePlan.close();
        ditPlan.close();
    }
}
