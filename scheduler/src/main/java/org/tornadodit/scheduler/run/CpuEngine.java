package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tornadodit.model.cpu.CpuDit;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.cpu.CpuVaeDecoder;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/** The CPU engine behind {@link Engine}. */
public final class CpuEngine implements Engine {
    private final DitConfig config;
    private final CpuDit dit;
    private final CpuVaeDecoder decoder;
    private final int threads;

    /** @param threads as many as there are cores, usually */
    public CpuEngine(DitConfig config, DitWeights weights, VaeConfig vaeConfig, VaeWeights vaeWeights, int threads) {
        this.config = config;
        this.threads = threads;
        CpuOptions options = CpuOptions.defaults().withThreads(threads);
        dit = new CpuDit(config, weights, options);
        decoder = new CpuVaeDecoder(vaeConfig, vaeWeights, options);
    }

    /**
     * Heap that the engine takes for batches of some size at its largest: denoising and decoding give their memory back to
     * each other.
     *
     * @param decodedTogether images that a call of {@link #decode} is asked for
     */
    public static long heapBytes(DitConfig config, VaeConfig vae, int samples, int threads, int decodedTogether) {
        CpuOptions options = CpuOptions.defaults().withThreads(threads);
        long pixels = (long) config.inputSize() * config.inputSize();
        long inputs = (long) samples * config.inputElements();
        long outputs = (long) samples * config.outputElements();
        // Latents and history before and after a step (6) and noise (2), copies for guidance (4), a listener's three;
        // prediction and its half.
        long denoising = Float.BYTES * (15 * inputs + 3 * outputs) + CpuDit.activationBytes(config, 2 * samples);
        long side = (long) config.inputSize() * vae.upsampling();
        long images = decodedTogether * side * side * vae.outChannels();
        long decoding = Float.BYTES * (4 * inputs + images) + CpuVaeDecoder.activationBytes(vae, pixels);
        return CpuDit.keptBytes(config, options)
                + CpuVaeDecoder.keptBytes(vae, pixels, options)
                + Math.max(denoising, decoding);
    }

    @Override
    public String description() {
        return "CPU engine, %d %s, float32".formatted(threads, threads == 1 ? "thread" : "threads");
    }

    @Override
    public float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        int samples = request.samples();
        int elements = samples * config.inputElements();
        int steps = request.steps();
        int passes = request.passes();
        int drawnElements = passes * config.inputElements();
        int[] labels = Arrays.copyOf(guidedLabels(request, config), passes);
        double[] timesteps = new double[passes];
        boolean draws = request.sampler().drawsEachStep();
        from.requireFits(request, elements);
        List<float[]> state = new ArrayList<>();
        if (from.done() == 0) {
            state.add(noise.next(elements));
            for (int i = 0; i < request.sampler().history(); i++) {
                state.add(new float[elements]);
            }
        } else {
            for (float[] array : from.arrays()) {
                if (!ReturnedValues.areFinite(array, elements)) {
                    throw OverflowException.ofFloat(OverflowException.STATE, from.done());
                }
                state.add(array.clone());
            }
            noise.skip(elements);
            for (int done = 0; draws && done < from.done(); done++) {
                noise.skip(drawnElements);
            }
        }
        for (int done = from.done(); done < steps; done++) {
            float[] x = state.getFirst();
            SamplerStep step = request.sampler().step(done);
            Arrays.fill(timesteps, step.time());
            float[] output = request.guided()
                    ? dit.forwardWithGuidance(
                            Arrays.copyOf(x, 2 * elements),
                            timesteps,
                            labels,
                            passes,
                            request.cfgScale(),
                            request.guidance())
                    : dit.forward(x, timesteps, labels, passes);
            // The reference draws for both halves of a guided batch and keeps the first, as of the prediction.
            float[] drawn = draws ? noise.next(drawnElements, 0, elements) : null;
            List<float[]> next =
                    step.take(samples, state, Arrays.copyOf(output, samples * config.outputElements()), drawn);
            if (dit.overflowed() || !ReturnedValues.areFinite(next.getFirst(), elements)) {
                double[] bothHalves = new double[2 * samples];
                Arrays.fill(bothHalves, step.time());
                String tensor = dit.firstNotFinite(
                                Arrays.copyOf(x, 2 * elements),
                                bothHalves,
                                guidedLabels(request, config),
                                2 * samples,
                                request.cfgScale(),
                                request.guidance())
                        .orElse("the result of the sampler");
                throw OverflowException.ofFloat(tensor, done + 1);
            }
            state = next;
            SamplingState now = new SamplingState(done + 1, next);
            listener.stepDone(done + 1, () -> now.part(samples, 0, samples));
        }
        return state.getFirst();
    }

    @Override
    public float[] decode(float[] latents, int samples) {
        dit.release();
        int size = config.inputSize();
        float[] images = decoder.decode(latents, samples, size, size);
        if (!ReturnedValues.areFinite(images, images.length)) {
            throw OverflowException.ofDecoder(
                    decoder.firstNotFinite(latents, samples, size, size).orElse(OverflowException.IMAGES));
        }
        return images;
    }

    /** The labels of a batch, then as many null classes (2N). */
    private static int[] guidedLabels(SamplingRequest request, DitConfig config) {
        int samples = request.samples();
        int[] labels = new int[2 * samples];
        Arrays.fill(labels, config.nullClass());
        for (int i = 0; i < samples; i++) {
            labels[i] = request.labels().get(i);
        }
        return labels;
    }

    @Override
    public void close() {
        dit.close();
        decoder.close();
    }
}
