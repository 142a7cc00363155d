package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.run.SampleStep.Draw;
import org.tornadodit.scheduler.run.SampleStep.Later;

/** A batch that is being sampled: what its samples have in common wherever they are. */
final class BatchRun {
    private final SamplingRequest request;
    private final DitConfig config;
    private final BatchNoise noise;
    private final BatchProgress progress;
    private final long ticket;
    private final List<RunningSample> samples = new ArrayList<>();
    private final float[] latents;
    private int unfinished;
    private volatile boolean stopped;

    /** @param ticket tells who came first */
    BatchRun(
            SamplingRequest request,
            DitConfig config,
            NoiseStream noise,
            SamplingState from,
            StepListener listener,
            long ticket) {
        this.request = request;
        this.config = config;
        this.ticket = ticket;
        int count = request.samples();
        this.noise = new BatchNoise(noise, request, config.inputElements());
        this.progress = new BatchProgress(listener, count, config.inputElements(), from.done());
        this.latents = new float[count * config.inputElements()];
        this.unfinished = count;
        for (int i = 0; i < count; i++) {
            samples.add(new RunningSample(this, i, from.part(count, i, 1)));
        }
    }

    SamplingRequest request() {
        return request;
    }

    BatchNoise noise() {
        return noise;
    }

    BatchProgress progress() {
        return progress;
    }

    long ticket() {
        return ticket;
    }

    List<RunningSample> samples() {
        return samples;
    }

    /** What a sample does next. */
    SampleStep step(RunningSample sample) {
        Draw draw = noise.draw(call(sample), sample.index());
        Later later = ahead -> sample.later(ahead).map(step -> new Later.Step(step, request.guided(step)));
        return step(request, config, sample.index(), sample.step(), draw, later);
    }

    /** What a sample of a batch does in a step of its sampler. */
    static SampleStep step(
            SamplingRequest request, DitConfig config, int sample, SamplerStep step, Draw draw, Later later) {
        return new SampleStep(
                request.labels().get(sample),
                step,
                request.cfgScale(),
                request.guided(step) ? request.guidance().channels(config.inChannels()) : 0,
                draw,
                later);
    }

    /** The call of noise that a sample's next step has; 0 where it has none. */
    private int call(RunningSample sample) {
        int calls = request.sampler().draws(sample.done() + 1);
        return calls > request.sampler().draws(sample.done()) ? calls : 0;
    }

    /** Noise of its next step; empty where its sampler draws none. */
    float[] hostNoise(RunningSample sample) {
        int call = call(sample);
        return call > 0 ? noise.slice(call, sample.index(), 1) : new float[0];
    }

    /** A sample is done, and its last state kept. */
    synchronized void finished(RunningSample sample) {
        float[] own = sample.kept().latents();
        System.arraycopy(own, 0, latents, sample.index() * own.length, own.length);
        progress.finished(sample.index(), sample.kept());
        unfinished--;
        if (unfinished == 0) {
            progress.end(null);
        }
    }

    /** Whether all samples are done. */
    synchronized boolean isFinished() {
        return unfinished == 0;
    }

    /** Of all samples (N, C, H, W), when all are done. */
    float[] latents() {
        return latents;
    }

    /** Nobody waits for it any more. */
    void stop() {
        stopped = true;
    }

    boolean isStopped() {
        return stopped;
    }
}
