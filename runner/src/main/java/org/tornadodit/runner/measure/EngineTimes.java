package org.tornadodit.runner.measure;

import com.google.gson.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.AdaptiveSampler;
import org.tornadodit.model.diffusion.Objective;
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
                double seconds = (System.nanoTime() - start) * 1e-9;
                if (i == -warmUp) { // all that a run of one batch has
                    results.add(RunRecord.timing("first vae", Timing.of(new double[] {seconds})));
                }
                if (i >= 0) {
                    times[i] = seconds;
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

    /**
     * Steps, each from the end of the one before. One run has as many as are wanted, and one more, whose end is that of the run;
     * except that a sampler which adapts takes what it takes, so that it runs until they are together; there, calls of the model are
     * timed, all that lie between two decisions as long as they are in the mean, for the host's decision is a part of each.
     */
    private Timing steps(SamplingRequest request) {
        int count = repetitions != null ? repetitions : STEPS;
        boolean adaptive = request.sampler().method().adaptive();
        boolean dit = plan.config().objective() == Objective.DIT;
        int marks = warmUp + count + (dit ? 1 : 2); // SiT counts points
        SamplingRequest run = new SamplingRequest(
                request.labels(),
                adaptive ? request.sampler() : plan.sampling().sampler(String.valueOf(marks)),
                request.cfgScale(),
                request.guidance());
        List<Double> times = new ArrayList<>();
        for (int left = warmUp + count; left > 0; left = warmUp + count - times.size()) {
            int before = times.size();
            times.addAll(oneRun(run, left));
            if (times.size() == before) {
                throw new IllegalStateException("a run has no step to time");
            }
        }
        return Timing.of((adaptive ? times : evened(times))
                .stream().skip(warmUp).mapToDouble(Double::doubleValue).toArray());
    }

    /**
     * A device has a step ahead, and is waited for where states are read: that step then seems to have taken as long as two, and the
     * next, which has only been given to it, no time.
     */
    static List<Double> evened(List<Double> times) {
        List<Double> evened = new ArrayList<>(times);
        for (int i = 1; i < evened.size(); i++) {
            if (evened.get(i) < 0.5 * evened.get(i - 1)) {
                double mean = (evened.get(i - 1) + evened.get(i)) / 2;
                evened.set(i - 1, mean);
                evened.set(i, mean);
            }
        }
        return evened;
    }

    /** Seconds of the first steps of a run, at most so many. */
    private List<Double> oneRun(SamplingRequest run, int most) {
        List<Double> times = new ArrayList<>();
        long[] end = {System.nanoTime()};
        int[] calls = {0};
        engine.sample(run, plan.sampling().noise(), new StepListener() {
            @Override
            public void stepDone(int done, Supplier<SamplingState> state) {}

            @Override
            public void reached(int done) {
                calls[0]++;
                if (run.sampler() instanceof AdaptiveSampler adaptive && !adaptive.decides(done - 1)) {
                    return;
                }
                long now = System.nanoTime();
                double each = (now - end[0]) * 1e-9 / calls[0];
                for (; calls[0] > 0; calls[0]--) {
                    if (times.size() < most) { // Heun's moves take two
                        times.add(each);
                    }
                }
                end[0] = now;
            }
        });
        return times;
    }
}
