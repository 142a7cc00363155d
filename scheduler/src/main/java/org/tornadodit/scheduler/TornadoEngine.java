package org.tornadodit.scheduler;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Locale;
import java.util.function.Supplier;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.PhiloxNoise;
import org.tornadodit.model.diffusion.StepCoefficients;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.TimestepEmbedding;
import org.tornadodit.model.noise.CudaGrid;
import org.tornadodit.model.noise.CudaNoise;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.DitGraphs.DitDeviceWeights;
import org.tornadodit.scheduler.DitGraphs.Ending;
import org.tornadodit.scheduler.TornadoDevices.Listed;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;

/**
 * The engine on one device of TornadoVM. Weights and activations stay on the device; the host sends a step's few scalars
 * and reads the latents once, at the end. Made for batches of one size and one way to sample.
 */
public final class TornadoEngine implements Engine {

    /** Memory that one pass of the decoder may take: more images a pass fill the device better, up to a point. */
    private static final long DECODER_BYTES = 4L << 30;

    private final Listed device;
    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final SamplingRequest shape;
    private final boolean hostNoise;
    private final String description;
    private final boolean reportsOverflow;
    private final DitBuffers buffers;
    private final DevicePlan ditPlan;
    private final VaeBuffers vaeBuffers;
    private final DevicePlan vaePlan;
    private final VaeGraphs vaeGraphs;

    /**
     * Uploads the weights, compiles all kernels and runs each once, so that the first batch is as fast as the others.
     *
     * @param context makes this engine's graphs unique in the process, such as {@code d0_}
     * @param shape a batch as all batches will be: as many labels, the same sampler and guidance
     * @param hostNoise whether the noise comes from the host, as it does for PyTorch's CPU generator
     * @param kernels which kernels
     * @throws DeviceUnavailableException when the device has too little memory
     */
    public TornadoEngine(
            Listed device,
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
                HostWeights.of(config, weights, vaeConfig, vaeWeights, device, shape.samples(), kernels),
                vaeConfig,
                shape,
                hostNoise);
    }

    /** Weights in host memory as the kernels of a device want them; several engines on equal devices share them. */
    record HostWeights(KernelChoice choice, DitDeviceWeights dit, VaeWeights vae) {

        /**
         * Copies the weights, once it is known that they and the activations of {@code samples} samples fit the device.
         *
         * @throws DeviceUnavailableException when they do not
         */
        static HostWeights of(
                DitConfig config,
                DitWeights dit,
                VaeConfig vaeConfig,
                VaeWeights vae,
                Listed device,
                int samples,
                KernelOptions kernels) {
            KernelChoice choice = KernelChoice.of(device, config, kernels);
            MemoryNeed.of(config, vaeConfig, samples, choice.operations(), choice.decoder(vaeConfig), DECODER_BYTES)
                    .requireFits(device, samples);
            return new HostWeights(choice, DitDeviceWeights.of(dit, choice.operations()), vae);
        }
    }

    /** As the public constructor, with weights that are shared. */
    TornadoEngine(
            Listed device,
            String context,
            DitConfig config,
            HostWeights weights,
            VaeConfig vaeConfig,
            SamplingRequest shape,
            boolean hostNoise) {
        this.device = device;
        this.config = config;
        this.vaeConfig = vaeConfig;
        this.shape = shape;
        this.hostNoise = hostNoise;
        KernelChoice choice = weights.choice();
        Operations operations = choice.operations();
        reportsOverflow = operations.reportsOverflow();
        DecoderTier decoder = choice.decoder(vaeConfig);
        MemoryNeed need = MemoryNeed.of(config, vaeConfig, shape.samples(), operations, decoder, DECODER_BYTES);
        need.requireFits(device, shape.samples());
        description = String.format(
                Locale.ROOT,
                "%s; %s: %s; %.1f GB of device memory",
                device,
                operations.description(),
                choice.reason(),
                need.bytes() / 1e9);

        buffers = new DitBuffers(config, shape.samples(), operations);
        GridScheduler grids = new GridScheduler();
        Ending ending = new Ending(shape.sampler(), hostNoise, shape.guidance().channels(config.inChannels()));
        ditPlan = new DevicePlan(
                device,
                new DitGraphs(context, config, weights.dit(), buffers, shape.samples(), operations, grids)
                        .build(ending),
                grids);

        vaeBuffers = new VaeBuffers(vaeConfig, config.inputSize(), need.decodedTogether(), decoder);
        GridScheduler vaeGrids = new GridScheduler();
        vaeGraphs = new VaeGraphs(context + "vae_", vaeConfig, weights.vae(), vaeBuffers, vaeGrids);
        vaePlan = new DevicePlan(device, vaeGraphs.build(), vaeGrids);
        try {
            warmUp();
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

    /**
     * One step and one pass of the decoder: the first execution of a graph uploads its weights. What comes back tells
     * whether the device took them, for TornadoVM logs the driver's errors and goes on.
     */
    private void warmUp() {
        int step = shape.diffusion().steps() - 1;
        setLabels(shape);
        setDraw(0, 0, CudaGrid.DEFAULT.threads(2L * buffers.latents.getSize()), 0);
        ditPlan.execute(DitGraphs.START);
        TornadoExecutionResult result = step(shape.diffusion().coefficients(step, shape.eta()), shape.cfgScale());
        float[] latents = latents(result);
        if (!reportsOverflow || !overflowed(result)) { // else sampling will name the tensor
            ShardedEngine.finite(latents, latents.length);
        }
        float[] image = decode(new float[config.inputElements()], 1);
        ShardedEngine.finite(image, image.length);
    }

    private float[] latents(TornadoExecutionResult result) {
        // TornadoVM logs a copy that fails, and goes on: what was not copied must not pass for latents.
        DeviceArrays.spoil(buffers.latents);
        result.transferToHost(buffers.latents);
        return buffers.latents.toHeapArray();
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
        BatchNoise batch = new BatchNoise(
                noise,
                request.samples(),
                config.inputElements(),
                request.diffusion().steps());
        float[] latents = sample(request, new Portion(0, request.samples(), from), noise, batch, listener);
        batch.finish();
        return latents;
    }

    /**
     * Denoises some samples of a batch.
     *
     * @param request of the portion: its labels, and any others up to the engine's number of samples
     * @param portion which samples of the batch they are, and where they are; as many as the engine's at most
     * @param stream where the batch's noise comes from; not advanced here
     * @return latents of the engine's number of samples, of which those behind the portion's mean nothing
     */
    float[] sample(
            SamplingRequest request, Portion portion, NoiseStream stream, BatchNoise noise, StepListener listener) {
        requireSameShape(request, stream);
        int steps = request.diffusion().steps();
        int first = portion.first();
        int count = portion.count();
        SamplingState from = portion.state();
        from.requireFits(count * config.inputElements(), steps);
        setLabels(request);
        DeviceArrays.fill(buffers.noise, from.done() == 0 ? noise.slice(0, first, count) : from.latents());
        ditPlan.execute(DitGraphs.START);

        Supplier<float[]> latents = buffers.noise::toHeapArray;
        for (int done = from.done() + 1; done <= steps; done++) {
            if (stream instanceof CudaNoise cuda) {
                setDraw(
                        cuda.seed(),
                        noise.counter(cuda, done),
                        cuda.grid().threads(noise.sizeOf(done)),
                        first * config.inputElements());
            } else {
                DeviceArrays.fill(buffers.noise, noise.slice(done, first, count));
            }
            TornadoExecutionResult result =
                    step(request.diffusion().coefficients(steps - done, request.eta()), request.cfgScale());
            latents = () -> latents(result);
            if (reportsOverflow) { // each step: what follows a value that did not fit would raise its flags too
                requireNoOverflow(result, done);
            }
            listener.stepDone(done, latents);
        }
        return latents.get();
    }

    /** One denoising step: embed, the blocks one after the other, final layer and sampler. */
    private TornadoExecutionResult step(StepCoefficients coefficients, double cfgScale) {
        DeviceArrays.fill(buffers.frequencies, TimestepEmbedding.of(coefficients.timestep()));
        setCoefficients(coefficients, cfgScale);
        ditPlan.launch(DitGraphs.EMBED);
        for (int block = 0; block < config.depth(); block++) {
            ditPlan.launch(DitGraphs.BLOCK);
        }
        return ditPlan.execute(DitGraphs.LAST);
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

    private void setLabels(SamplingRequest request) {
        int[] labels = CpuEngine.guidedLabels(request, config);
        for (int i = 0; i < labels.length; i++) {
            buffers.labels.set(i, labels[i]);
        }
    }

    private void setCoefficients(StepCoefficients c, double cfgScale) {
        boolean learned = config.learnSigma();
        buffers.coefficients.set(DenoiseStep.GUIDANCE_SCALE, (float) cfgScale);
        buffers.coefficients.set(DenoiseStep.SQRT_RECIP_ALPHAS_CUMPROD, c.sqrtRecipAlphasCumprod());
        buffers.coefficients.set(DenoiseStep.SQRT_RECIPM1_ALPHAS_CUMPROD, c.sqrtRecipm1AlphasCumprod());
        buffers.coefficients.set(DenoiseStep.POSTERIOR_MEAN_COEF1, c.posteriorMeanCoef1());
        buffers.coefficients.set(DenoiseStep.POSTERIOR_MEAN_COEF2, c.posteriorMeanCoef2());
        buffers.coefficients.set(DenoiseStep.MIN_LOG_VARIANCE, learned ? c.minLogVariance() : c.fixedLogVariance());
        buffers.coefficients.set(DenoiseStep.MAX_LOG_VARIANCE, learned ? c.maxLogVariance() : c.fixedLogVariance());
        buffers.coefficients.set(DenoiseStep.NOISE_FACTOR, c.noiseMask());
        buffers.coefficients.set(DenoiseStep.SQRT_ALPHAS_CUMPROD_PREV, c.sqrtAlphasCumprodPrev());
        buffers.coefficients.set(DenoiseStep.DDIM_DIRECTION, c.ddimDirection());
        buffers.coefficients.set(DenoiseStep.DDIM_SIGMA, c.ddimSigma());
    }

    /**
     * Where in PyTorch's stream this step's noise lies.
     *
     * @param counter Philox's at the step's call
     * @param threads of PyTorch's launch for the whole call
     * @param first element of the call that is this engine's first
     */
    private void setDraw(long seed, long counter, long threads, int first) {
        buffers.draw.set(PhiloxNoise.SEED_LOW, (int) seed);
        buffers.draw.set(PhiloxNoise.SEED_HIGH, (int) (seed >>> 32));
        buffers.draw.set(PhiloxNoise.CALL_LOW, (int) counter);
        buffers.draw.set(PhiloxNoise.CALL_HIGH, (int) (counter >>> 32));
        buffers.draw.set(PhiloxNoise.TORCH_THREADS, (int) threads);
        buffers.draw.set(PhiloxNoise.FIRST_ELEMENT, first);
    }

    private void requireSameShape(SamplingRequest request, NoiseStream noise) {
        if (request.samples() != shape.samples()
                || request.sampler() != shape.sampler()
                || request.guidance() != shape.guidance()
                || noise instanceof CudaNoise == hostNoise) {
            throw new IllegalArgumentException("the engine was made for %d samples of %s; load another for %d of %s"
                    .formatted(shape.samples(), shape.sampler(), request.samples(), request.sampler()));
        }
    }

    @Override
    public float[] decode(float[] latents, int samples) {
        int latent = config.inputElements();
        int image = vaeConfig.outChannels() * config.imageSize() * config.imageSize();
        float[] images = new float[Math.multiplyExact(samples, image)];
        for (int first = 0; first < samples; first += vaeBuffers.count) {
            int count = Math.min(vaeBuffers.count, samples - first);
            for (int i = 0; i < count * latent; i++) {
                vaeBuffers.latents.set(i, latents[first * latent + i]);
            }
            DeviceArrays.spoil(vaeBuffers.images);
            for (VaeGraphs.Run run : vaeGraphs.runs()) {
                vaeBuffers.layer.set(0, run.layer());
                vaePlan.execute(run.graph());
            }
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
