package org.tornadodit.scheduler.run;

import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.tornadodit.model.cpu.CpuDit;
import org.tornadodit.model.cpu.CpuOptions;
import org.tornadodit.model.cpu.CpuVaeDecoder;
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
import org.tornadodit.scheduler.run.SharedPass.Verdict;
import org.tornadodit.scheduler.run.SharedPass.Verdict.Scope;

/** The CPU engine behind {@link Engine}: a thread that computes, with the help of others. Several threads may use it. */
public final class CpuEngine implements Engine {
    private final DitConfig config;
    private final CpuDit dit;
    private final CpuVaeDecoder decoder;
    private final int threads;
    private final int most;
    private final ExecutorService thread;
    private final SharedPass pass;

    /** For batches of any size; {@code threads} as many as there are cores, usually. */
    public CpuEngine(DitConfig config, DitWeights weights, VaeConfig vaeConfig, VaeWeights vaeWeights, int threads) {
        this(config, weights, vaeConfig, vaeWeights, threads, Integer.MAX_VALUE);
    }

    /**
     * @param threads as many as there are cores, usually
     * @param most samples that share a pass
     */
    public CpuEngine(
            DitConfig config, DitWeights weights, VaeConfig vaeConfig, VaeWeights vaeWeights, int threads, int most) {
        this.config = config;
        this.threads = threads;
        this.most = most;
        CpuOptions options = CpuOptions.defaults().withThreads(threads);
        dit = new CpuDit(config, weights, options);
        decoder = new CpuVaeDecoder(vaeConfig, vaeWeights, options);
        thread = Executors.newSingleThreadExecutor(
                Thread.ofPlatform().daemon().name("dit-cpu-engine").factory());
        CpuStepper stepper = new CpuStepper(config, dit);
        // States are on the host anyway; what fails would fail again.
        pass = new SharedPass(
                config,
                List.of(new Lane(most, 1, thread, () -> stepper)),
                1,
                0,
                true,
                (lane, samples, failure) -> new Verdict(Scope.PASS, failure));
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
        if (request.samples() > most) {
            throw new IllegalArgumentException(
                    "the engine was made for up to %d samples, not %d".formatted(most, request.samples()));
        }
        return pass.sample(request, noise, from, listener);
    }

    @Override
    public float[] decode(float[] latents, int samples) {
        try {
            return DeviceWorker.await(thread.submit(() -> decodeHere(latents, samples)));
        } catch (RejectedExecutionException e) {
            throw new IllegalStateException("the engine is closed", e);
        }
    }

    private float[] decodeHere(float[] latents, int samples) {
        dit.release();
        int size = config.inputSize();
        float[] images = decoder.decode(latents, samples, size, size);
        if (!ReturnedValues.areFinite(images, images.length)) {
            throw OverflowException.ofDecoder(
                    decoder.firstNotFinite(latents, samples, size, size).orElse(OverflowException.IMAGES));
        }
        return images;
    }

    /** Waits for the step or the pictures that it is in the middle of. */
    @Override
    public void close() {
        pass.close();
        thread.close();
        dit.close();
        decoder.close();
    }
}
