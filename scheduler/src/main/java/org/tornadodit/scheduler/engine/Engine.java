package org.tornadodit.scheduler.engine;

import org.tornadodit.model.noise.NoiseStream;

/**
 * A model loaded on a device: weights are read once, then batches are sampled and decoded.
 *
 * <p>Where an engine says that several threads may use it, their batches share passes of the model: samples join and leave
 * between steps, first come, first served, and each is the same bits as in a batch alone.
 */
public interface Engine extends AutoCloseable {

    /** Device and precision in words, for the first line that a user sees. */
    String description();

    /** Denoises one batch from pure noise. */
    default float[] sample(SamplingRequest request, NoiseStream noise, StepListener listener) {
        return sample(request, noise, SamplingState.START, listener);
    }

    /**
     * Denoises one batch, as the reference's {@code p_sample_loop} and {@code ddim_sample_loop} do with
     * {@code forward_with_cfg}.
     *
     * @param noise as it is before the batch; drawn from as PyTorch's generator is: once for the start, then for both
     *     halves of the guided batch at each step
     * @param from the step to go on from, of the same request and noise: the latents are those of an unbroken run, bit
     *     for bit
     * @return latents (N, C, H, W), not yet divided by the autoencoder's scaling factor
     * @throws java.util.concurrent.CancellationException when the thread is interrupted, or the engine is closed
     */
    float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener);

    /**
     * Decodes latents to images.
     *
     * @param latents (N, C, H, W), as {@link #sample} returns them
     * @param samples N
     * @return (N, 3, U H, U W), about -1..1; U is the autoencoder's upsampling, 8 as a rule
     */
    float[] decode(float[] latents, int samples);

    /** Releases the device's memory and threads. */
    @Override
    void close();
}
