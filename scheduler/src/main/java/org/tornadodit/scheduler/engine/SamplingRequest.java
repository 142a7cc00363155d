package org.tornadodit.scheduler.engine;

import java.util.List;
import org.tornadodit.model.diffusion.Sampler;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;

/**
 * One batch to sample.
 *
 * @param labels class of each sample (N)
 * @param sampler its steps, and how each goes on from the latents and the model's output
 * @param cfgScale weight of classifier-free guidance; with 1 samples are unguided, and draw the noise of
 *     facebookresearch/DiT's sample_ddp.py
 * @param guidance channels that guidance changes
 * @param interval when guidance is on
 */
public record SamplingRequest(
        List<Integer> labels, Sampler sampler, double cfgScale, Guidance guidance, GuidanceInterval interval) {

    /** Guided all the time. */
    public SamplingRequest(List<Integer> labels, Sampler sampler, double cfgScale, Guidance guidance) {
        this(labels, sampler, cfgScale, guidance, GuidanceInterval.ALWAYS);
    }

    public SamplingRequest {
        labels = List.copyOf(labels);
        if (labels.isEmpty()) {
            throw new IllegalArgumentException("no class labels");
        }
    }

    /** Whether samples take two passes of the model, with their class and with the null class; while guidance is on. */
    public boolean guided() {
        return cfgScale != 1;
    }

    /** Whether they do so in a step. */
    public boolean guided(SamplerStep step) {
        return guided() && interval.contains(step.guidedAt());
    }

    /** Samples that a step's call of {@code torch.randn} draws for. */
    public int drawnSamples() {
        return sampler.drawsForBothHalves() ? passes() : samples();
    }

    /** Passes of the model that a step of the batch takes while guidance is on. */
    public int passes() {
        return guided() ? Math.multiplyExact(2, samples()) : samples();
    }

    /** Steps of each sample; the most of them with an {@link org.tornadodit.model.diffusion.AdaptiveSampler}. */
    public int steps() {
        return sampler.steps();
    }

    /** Some of its samples. */
    public SamplingRequest part(int first, int count) {
        return new SamplingRequest(labels.subList(first, first + count), sampler, cfgScale, guidance, interval);
    }

    /** Samples of the batch. */
    public int samples() {
        return labels.size();
    }
}
