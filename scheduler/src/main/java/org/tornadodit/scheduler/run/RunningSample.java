package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.tornadodit.model.diffusion.AdaptiveSampler;
import org.tornadodit.model.diffusion.SamplerStep;
import org.tornadodit.scheduler.engine.SamplingState;

/** A sample on its way, on a lane or waiting for one: its fields belong to whoever has it, and pass on under a lock. */
final class RunningSample {

    /** First come, first served. */
    static final Comparator<RunningSample> ORDER = Comparator.<RunningSample>comparingLong(
                    sample -> sample.batch.ticket())
            .thenComparingInt(sample -> sample.index);

    private final BatchRun batch;
    private final int index;
    private SamplingState kept;
    private int done;
    private int apartUntil;

    /**
     * @param index of the batch
     * @param from this sample's alone
     */
    RunningSample(BatchRun batch, int index, SamplingState from) {
        this.batch = batch;
        this.index = index;
        this.kept = from;
        this.done = from.done();
    }

    BatchRun batch() {
        return batch;
    }

    int index() {
        return index;
    }

    /** Steps that it has done. */
    int done() {
        return done;
    }

    /** Notes a step. */
    void stepped() {
        done++;
    }

    boolean isFinished() {
        return batch.request().sampler() instanceof AdaptiveSampler adaptive
                ? isKept() && adaptive.isFinished(done, kept.arrays())
                : done == batch.request().steps();
    }

    /** Whether the host has to see what its last step gave, to know how it goes on. */
    boolean isToBeDecided() {
        return batch.request().sampler() instanceof AdaptiveSampler adaptive && adaptive.decides(done - 1);
    }

    /** Arrays that a stepper has of it: the latents, and what its sampler remembers where that is not on the host. */
    int arrays() {
        return 1 + batch.request().sampler().method().deviceHistory();
    }

    /** What it does next. */
    SamplerStep step() {
        return step(done);
    }

    private SamplerStep step(int before) {
        return batch.request().sampler() instanceof AdaptiveSampler adaptive
                ? adaptive.step(before, kept.arrays())
                : batch.request().sampler().step(before);
    }

    /**
     * What it will do behind its next step.
     *
     * @param ahead 1 for the one right behind
     * @return nothing where it is done by then, or where its sampler decides before
     */
    Optional<SamplerStep> later(int ahead) {
        int before = done + ahead;
        boolean known = batch.request().sampler() instanceof AdaptiveSampler adaptive
                ? IntStream.range(done, before).noneMatch(adaptive::decides)
                : before < batch.request().steps();
        return known ? Optional.of(step(before)) : Optional.empty();
    }

    /** The last state that is on the host. */
    SamplingState kept() {
        return kept;
    }

    /** What a stepper takes in: what {@link #kept} has, or the start's noise where that was not given. A first step makes nothing of the history, but 0 times NaN is NaN. */
    List<float[]> keptArrays() {
        if (kept.done() > 0) {
            return kept.arrays().subList(0, arrays());
        }
        float[] start = kept.arrays().isEmpty() ? batch.noise().slice(0, index, 1) : kept.latents();
        List<float[]> arrays = new ArrayList<>(Collections.nCopies(arrays(), new float[start.length]));
        arrays.set(0, start);
        return arrays;
    }

    boolean isKept() {
        return kept.done() == done;
    }

    /**
     * Takes over what a stepper has now.
     *
     * @throws IllegalStateException when a sampler that decides by itself finds no way on
     */
    void keep(List<float[]> arrays) {
        List<float[]> now = arrays;
        if (batch.request().sampler() instanceof AdaptiveSampler adaptive) {
            List<float[]> known = kept.done() > 0 ? kept.arrays() : keptArrays();
            List<float[]> whole = done > 1 ? withTheHosts(arrays, known) : known;
            now = isToBeDecided() ? adaptive.next(done - 1, whole, arrays.getFirst()) : whole;
        }
        kept = new SamplingState(done, now);
    }

    /** A stepper's arrays, and behind them those that only the host has. */
    private static List<float[]> withTheHosts(List<float[]> arrays, List<float[]> known) {
        List<float[]> whole = new ArrayList<>(arrays);
        whole.addAll(known.subList(arrays.size(), known.size()));
        return whole;
    }

    /** Goes on from the state that was kept last. */
    void back() {
        done = kept.done();
        batch.progress().back(index, done);
    }

    /** Has it share passes with its own batch only until it has done the next step. */
    void setApart() {
        apartUntil = done + 1;
    }

    boolean isApart() {
        return done < apartUntil;
    }
}
