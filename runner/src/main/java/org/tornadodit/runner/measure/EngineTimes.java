package org.tornadodit.runner.measure;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.runner.report.RunRecord;
import org.tornadodit.scheduler.engine.Engine;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;
import org.tornadodit.scheduler.tune.Timing;

/**
 * Times what a loaded engine does.
 *
 * @param repetitions how often each is timed; null for the default of each
 * @param warmUp steps and decodings before the timing
 */
record EngineTimes(
        Engine engine, SamplingPlan plan, @Nullable Integer repetitions, int warmUp) {
    static final int STEPS = 20;
    static final int DECODES = 5;
    static final int SAMPLINGS = 1;

    /** The times of these; kernels are timed without an engine. */
    List<JsonObject> of(Set<BenchCommand.What> what) {
        List<JsonObject> results = new ArrayList<>();
        int samples = plan.request().samples();
        if (what.contains(BenchCommand.What.STEP)) {
            JsonObject step = RunRecord.timing("step", steps(plan.request()));
            step.addProperty("flop", plan.stepFlops());
            results.add(step);
        }
        if (what.contains(BenchCommand.What.VAE)) {
            float[] latents = new float[samples * plan.config().inputElements()];
            for (int i = 0; i < latents.length; i++) {
                latents[i] = (float) Math.sin(i);
            }
            double[] times = new double[repetitions != null ? repetitions : DECODES];
            for (int i = -warmUp; i < times.length; i++) {
                long start = System.nanoTime();
                engine.decode(latents, samples);
                if (i >= 0) {
                    times[i] = (System.nanoTime() - start) * 1e-9;
                }
            }
            results.add(RunRecord.timing("vae", Timing.of(times)));
        }
        if (what.contains(BenchCommand.What.SAMPLING)) {
            double[] times = new double[repetitions != null ? repetitions : SAMPLINGS];
            for (int i = 0; i < times.length; i++) {
                long start = System.nanoTime();
                float[] latents = engine.sample(plan.request(), plan.sampling().noise(), (done, now) -> {});
                engine.decode(latents, samples);
                times[i] = (System.nanoTime() - start) * 1e-9;
            }
            results.add(RunRecord.timing("sampling", Timing.of(times)));
        }
        return results;
    }

    /** Steps of one run, each from the end of the one before: the engine waits for the device at every step. */
    private Timing steps(SamplingRequest request) {
        int count = repetitions != null ? repetitions : STEPS;
        long[] ends = new long[warmUp + count + 1];
        boolean dit = plan.config().objective() == Objective.DIT;
        SamplingRequest run = new SamplingRequest(
                request.labels(),
                request.sampler().method().adaptive() // whose calls cost as much, but may be fewer
                        ? plan.config().objective().sampler(SamplingMethod.EULER, String.valueOf(ends.length), 0)
                        : plan.sampling().sampler(String.valueOf(ends.length - (dit ? 1 : 0))), // SiT counts points
                request.cfgScale(),
                request.guidance());
        ends[0] = System.nanoTime();
        engine.sample(run, plan.sampling().noise(), new StepListener() {
            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {}

            @Override
            public void reached(int done) {
                if (done < ends.length) { // Heun's moves take two
                    ends[done] = System.nanoTime();
                }
            }
        });
        double[] times = new double[count];
        for (int i = 0; i < count; i++) {
            times[i] = (ends[warmUp + i + 1] - ends[warmUp + i]) * 1e-9;
        }
        return Timing.of(times);
    }
}
