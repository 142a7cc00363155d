package org.tornadodit.scheduler;

import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;
import org.tornadodit.kernels.DenoiseStep;
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

    private final DitConfig config;
    private final VaeConfig vaeConfig;
    private final SamplingRequest shape;
    private final boolean hostNoise;
    private final String description;
    private final DitBuffers buffers;
    private final DevicePlan ditPlan;
    private final VaeBuffers vaeBuffers;
    private final DevicePlan vaePlan;
    private final List<VaeGraphs.Run> vaeRuns;

    /**
     * Uploads the weights, compiles all kernels and runs each once, so that the first batch is as fast as the others.
     *
     * @param context makes this engine's graphs unique in the process, such as {@code d0_}
     * @param shape a batch as all batches will be: as many labels, the same sampler and guidance
     * @param hostNoise whether the noise comes from the host, as it does for PyTorch's CPU generator
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
            boolean hostNoise) {
        this.config = config;
        this.vaeConfig = vaeConfig;
        this.shape = shape;
        this.hostNoise = hostNoise;
        KernelChoice choice = KernelChoice.of(device);
        Operations operations = choice.operations();
        MemoryNeed need = MemoryNeed.of(config, vaeConfig, shape.samples(), operations, DECODER_BYTES);
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
        DitDeviceWeights deviceWeights = DitDeviceWeights.of(weights, operations);
        Ending ending = new Ending(shape.sampler(), hostNoise, shape.guidance().channels(config.inChannels()));
        ditPlan = new DevicePlan(
                device,
                new DitGraphs(context, config, deviceWeights, buffers, shape.samples(), operations, grids).build(ending),
                grids);

        vaeBuffers = new VaeBuffers(vaeConfig, config.inputSize(), need.decodedTogether());
        GridScheduler vaeGrids = new GridScheduler();
        VaeGraphs vaeGraphs = new VaeGraphs(context + "vae_", vaeConfig, vaeWeights, vaeBuffers, vaeGrids);
        vaePlan = new DevicePlan(device, vaeGraphs.build(), vaeGrids);
        vaeRuns = vaeGraphs.runs();
        warmUp();
    }

    /** One step and one pass of the decoder: the first execution of a graph uploads its weights. */
    private void warmUp() {
        int step = shape.diffusion().steps() - 1;
        setLabels(shape);
        setDraw(new CudaNoise(0, 0, CudaGrid.DEFAULT), 2L * buffers.latents.getSize());
        ditPlan.execute(DitGraphs.START);
        step(shape.diffusion().coefficients(step, shape.eta()), shape.cfgScale());
        decode(new float[config.inputElements()], 1);
    }

    @Override
    public String description() {
        return description;
    }

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, StepListener listener) {
        requireSameShape(request, noise);
        int samples = request.samples();
        int elements = samples * config.inputElements();
        int steps = request.diffusion().steps();
        setLabels(request);
        DeviceArrays.fill(buffers.noise, noise.next(elements));
        ditPlan.execute(DitGraphs.START);

        Supplier<float[]> latents = buffers.noise::toHeapArray;
        for (int step = steps - 1; step >= 0; step--) {
            // The reference draws for both halves of the guided batch and keeps the first, as of the prediction.
            if (noise instanceof CudaNoise cuda) {
                setDraw(cuda, 2L * elements);
                noise.skip(2 * elements);
            } else {
                DeviceArrays.fill(buffers.noise, noise.next(2 * elements, 0, elements));
            }
            TornadoExecutionResult result =
                    step(request.diffusion().coefficients(step, request.eta()), request.cfgScale());
            latents = () -> {
                result.transferToHost(buffers.latents);
                return buffers.latents.toHeapArray();
            };
            listener.stepDone(steps - step, latents);
        }
        return latents.get();
    }

    /** One denoising step: embed, the blocks one after the other, final layer and sampler. */
    private TornadoExecutionResult step(StepCoefficients coefficients, double cfgScale) {
        DeviceArrays.fill(buffers.frequencies, TimestepEmbedding.of(coefficients.timestep()));
        setCoefficients(coefficients, cfgScale);
        ditPlan.execute(DitGraphs.EMBED);
        for (int block = 0; block < config.depth(); block++) {
            buffers.layer.set(0, block);
            ditPlan.execute(DitGraphs.BLOCK);
        }
        return ditPlan.execute(DitGraphs.LAST);
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
        buffers.coefficients.set(
                DenoiseStep.MIN_LOG_VARIANCE, learned ? c.minLogVariance() : c.fixedLogVariance());
        buffers.coefficients.set(
                DenoiseStep.MAX_LOG_VARIANCE, learned ? c.maxLogVariance() : c.fixedLogVariance());
        buffers.coefficients.set(DenoiseStep.NOISE_FACTOR, c.noiseMask());
        buffers.coefficients.set(DenoiseStep.SQRT_ALPHAS_CUMPROD_PREV, c.sqrtAlphasCumprodPrev());
        buffers.coefficients.set(DenoiseStep.DDIM_DIRECTION, c.ddimDirection());
        buffers.coefficients.set(DenoiseStep.DDIM_SIGMA, c.ddimSigma());
    }

    /** Where in PyTorch's stream this step's call of {@code elements} elements begins. */
    private void setDraw(CudaNoise noise, long elements) {
        buffers.draw.set(PhiloxNoise.SEED_LOW, (int) noise.seed());
        buffers.draw.set(PhiloxNoise.SEED_HIGH, (int) (noise.seed() >>> 32));
        buffers.draw.set(PhiloxNoise.CALL_LOW, (int) noise.counter());
        buffers.draw.set(PhiloxNoise.CALL_HIGH, (int) (noise.counter() >>> 32));
        buffers.draw.set(PhiloxNoise.TORCH_THREADS, (int) noise.grid().threads(elements));
        buffers.draw.set(PhiloxNoise.FIRST_ELEMENT, 0);
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
            for (VaeGraphs.Run run : vaeRuns) {
                vaeBuffers.layer.set(0, run.layer());
                vaePlan.execute(run.graph());
            }
            for (int i = 0; i < count * image; i++) {
                images[first * image + i] = vaeBuffers.images.get(i);
            }
        }
        return images;
    }

    /** Bytes that the plans hold on the device now. */
    public long deviceBytes() {
        return ditPlan.deviceBytes() + vaePlan.deviceBytes();
    }

    @Override
    public void close() {
        vaePlan.close();
        ditPlan.close();
    }
}
