package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.scheduler.engine.OverflowException;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.engine.StepListener;

/**
 * Samples of any batches that share passes of the model. Each has a place on one of the lanes, or waits for one, first come,
 * first served; it joins and leaves between steps, and is at a step of its own. A lane takes a step of all that it has at a
 * time, and does not wait for the other lanes. Thread safe.
 *
 * <p>States stay on the device. They are read every so many steps, for listeners, and when somebody joins or leaves; from
 * what was read last others go on when a device fails. When a value does not fit the numbers, it is a batch's and not its
 * neighbours' fault: those that shared the pass do the step again, each batch by itself.
 */
final class SharedPass {

    /** What follows from a step that failed. */
    record Verdict(Scope scope, Throwable reason) {
        enum Scope {
            /** The batches that took part end with the reason. */
            PASS,
            /** All batches end with it. */
            ALL,
            /** The lane is lost; other lanes go on with its samples. */
            LANE
        }
    }

    /** Decides what follows, on the lane's thread. */
    interface Failures {
        /** @param samples that the lane had, back where they were kept last */
        Verdict of(Lane lane, List<RunningSample> samples, Throwable failure);
    }

    private final DitConfig config;
    private final List<Lane> lanes;
    private final int keepSteps;
    private final double keepSeconds;
    private final boolean hostNoise;
    private final Failures failures;
    private final TreeSet<RunningSample> waiting = new TreeSet<>(RunningSample.ORDER);
    private final Set<BatchRun> batches = new LinkedHashSet<>();
    private long tickets;
    private boolean closed;

    /**
     * @param keepSteps states are read after so many steps at the earliest
     * @param keepSeconds and after so long
     * @param hostNoise whether steppers are given their noise
     */
    SharedPass(
            DitConfig config,
            List<Lane> lanes,
            int keepSteps,
            double keepSeconds,
            boolean hostNoise,
            Failures failures) {
        this.config = config;
        this.lanes = List.copyOf(lanes);
        this.keepSteps = keepSteps;
        this.keepSeconds = keepSeconds;
        this.hostNoise = hostNoise;
        this.failures = failures;
    }

    /** As {@link org.tornadodit.scheduler.engine.Engine#sample} has it. */
    float[] sample(SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        from.requireFits(request, request.samples() * config.inputElements());
        if (!from.arrays().stream().allMatch(array -> ReturnedValues.areFinite(array, array.length))) {
            throw OverflowException.ofFloat(OverflowException.STATE, from.done());
        }
        BatchRun batch = enter(request, noise, from, listener);
        try {
            if (!batch.progress().hasBegun()) {
                listener.waits();
            }
            batch.progress().await(this::place);
            batch.noise().finish();
            return batch.latents();
        } finally {
            leave(batch);
        }
    }

    private synchronized BatchRun enter(
            SamplingRequest request, NoiseStream noise, SamplingState from, StepListener listener) {
        if (closed) {
            throw new IllegalStateException("the engine is closed");
        }
        if (lanes.stream().allMatch(Lane::isLost)) {
            throw new IllegalStateException("all devices failed");
        }
        if (batches.isEmpty()) {
            lanes.forEach(Lane::resetSeconds);
        }
        BatchRun batch = new BatchRun(request, config, noise, from, listener, tickets++);
        for (RunningSample sample : batch.samples()) {
            if (sample.isFinished()) {
                batch.finished(sample);
            } else {
                waiting.add(sample);
            }
        }
        if (batch.isFinished()) {
            batch.progress().begin();
            return batch;
        }
        batches.add(batch);
        place();
        return batch;
    }

    private synchronized void leave(BatchRun batch) {
        batch.stop();
        batches.remove(batch);
        waiting.removeIf(sample -> sample.batch() == batch);
        lanes.forEach(lane -> lane.samples().removeIf(sample -> sample.batch() == batch));
        place();
    }

    /** Batches that wait or are at work. */
    synchronized int batches() {
        return batches.size();
    }

    private void end(BatchRun batch, Throwable reason) {
        batch.progress().end(reason);
        leave(batch);
    }

    /** Gives places to those who wait: to each lane a run of them, so that all are done as early as can be. */
    private synchronized void place() {
        List<RunningSample> ready = waiting.stream()
                .filter(sample -> !sample.batch().progress().isBehind())
                .toList();
        int[] joining = new int[lanes.size()];
        for (int i = 0; i < ready.size(); i++) {
            int best = -1;
            for (int lane = 0; lane < joining.length; lane++) {
                if (hasRoom(lane, joining) && (best < 0 || load(lane, joining) < load(best, joining))) {
                    best = lane;
                }
            }
            if (best < 0) {
                break;
            }
            joining[best]++;
        }
        int next = 0;
        for (int lane = 0; lane < joining.length; lane++) {
            for (int i = 0; i < joining[lane]; i++) {
                RunningSample sample = ready.get(next++);
                waiting.remove(sample);
                lanes.get(lane).samples().add(sample);
                sample.batch().progress().begin();
            }
            schedule(lanes.get(lane));
        }
    }

    private boolean hasRoom(int lane, int[] joining) {
        Lane each = lanes.get(lane);
        return !each.isLost() && each.samples().size() + joining[lane] < each.places();
    }

    /** When the lane would be done with one sample more. */
    private double load(int lane, int[] joining) {
        Lane each = lanes.get(lane);
        return (each.samples().size() + joining[lane] + 1) / each.speed();
    }

    private synchronized void schedule(Lane lane) {
        if (!lane.isScheduled() && !lane.isLost() && !lane.samples().isEmpty() && !closed) {
            lane.setScheduled(true);
            lane.execute(() -> turn(lane));
        }
    }

    /** A step of a lane, on its thread. What else the thread has to do comes before the next. */
    private void turn(Lane lane) {
        long start = System.nanoTime();
        try {
            List<RunningSample> pass = arrange(lane);
            if (!pass.isEmpty()) {
                step(lane, pass);
            }
        } catch (Throwable failure) { // what nobody hears of would have the callers wait for ever
            failed(lane, failure);
        }
        lane.addSeconds((System.nanoTime() - start) / 1e9);
        synchronized (this) {
            lane.setScheduled(false);
            schedule(lane);
        }
    }

    /** Has the stepper take in who is to share the next pass. */
    private List<RunningSample> arrange(Lane lane) {
        synchronized (this) {
            if (lane.resident().equals(lane.samples())
                    && together(lane).equals(lane.resident())
                    && lane.samples().stream()
                            .noneMatch(sample -> sample.batch().progress().isBehind())) {
                return lane.resident();
            }
        }
        save(lane);
        List<RunningSample> pass;
        synchronized (this) {
            List<RunningSample> behind = lane.samples().stream()
                    .filter(sample -> sample.batch().progress().isBehind())
                    .toList();
            lane.samples().removeAll(behind); // their places go to others meanwhile
            waiting.addAll(behind);
            place();
            pass = together(lane);
        }
        if (!pass.equals(lane.resident())) {
            lane.setResident(pass);
            if (!pass.isEmpty()) {
                lane.stepper()
                        .begin(pass.parallelStream() // a start's noise is drawn here
                                .map(RunningSample::keptArrays)
                                .toList());
                lane.kept();
            }
        }
        return pass;
    }

    /** Who of a lane's samples shares the next pass: all, unless one of them is to be apart with its batch. */
    private static List<RunningSample> together(Lane lane) {
        return lane.samples().stream()
                .filter(RunningSample::isApart)
                .findFirst()
                .map(apart -> lane.samples().stream()
                        .filter(sample -> sample.batch() == apart.batch())
                        .toList())
                .orElseGet(() -> List.copyOf(lane.samples()));
    }

    private void step(Lane lane, List<RunningSample> pass) {
        lane.stepper()
                .step(
                        pass.stream().map(sample -> sample.batch().step(sample)).toList(),
                        hostNoise
                                ? pass.stream()
                                        .map(sample -> sample.batch().hostNoise(sample))
                                        .toList()
                                : List.of(),
                        1 + pass.stream().mapToInt(RunningSample::done).max().orElse(0));
        pass.forEach(RunningSample::stepped);
        lane.stepped();
        List<RunningSample> wanted = pass.stream().filter(this::isWanted).toList();
        boolean decides = pass.stream().anyMatch(RunningSample::isToBeDecided);
        boolean ends = pass.stream().anyMatch(RunningSample::isFinished);
        boolean due = lane.sinceKept() >= keepSteps && lane.secondsSinceKept() >= keepSeconds;
        if (decides || ends || !wanted.isEmpty() || due) {
            save(lane);
        }
        if (decides) {
            lane.setResident(List.of()); // what goes on is on the host
        }
        List<RunningSample> finished = new ArrayList<>();
        for (RunningSample sample : pass) {
            if (sample.batch().isStopped()) {
                continue;
            }
            sample.batch()
                    .progress()
                    .done(
                            sample.index(),
                            wanted.contains(sample) ? sample.kept() : new SamplingState(sample.done(), List.of()));
            if (sample.isFinished()) {
                finished.add(sample);
            }
        }
        if (!finished.isEmpty()) {
            synchronized (this) {
                lane.samples().removeAll(finished);
                place();
            }
            finished.forEach(sample -> sample.batch().finished(sample));
        }
    }

    private boolean isWanted(RunningSample sample) {
        try {
            return sample.batch().progress().wants(sample.done());
        } catch (RuntimeException | Error listeners) {
            end(sample.batch(), listeners);
            return false;
        }
    }

    /** Reads where the samples of a lane are, unless that is known. */
    private void save(Lane lane) {
        List<RunningSample> resident = lane.resident();
        if (resident.stream()
                .allMatch(sample -> sample.isKept() || sample.batch().isStopped())) {
            return;
        }
        List<List<float[]>> states =
                lane.stepper().read(resident.stream().map(RunningSample::arrays).toList());
        lane.kept();
        List<@Nullable RuntimeException> outcomes = IntStream.range(0, resident.size())
                .parallel() // samplers that decide have arithmetic of their own
                .<@Nullable RuntimeException>mapToObj(i -> kept(resident.get(i), states.get(i)))
                .collect(Collectors.toCollection(ArrayList::new));
        for (int i = 0; i < resident.size(); i++) {
            RuntimeException failure = outcomes.get(i);
            BatchRun batch = resident.get(i).batch();
            if (failure != null && !batch.isStopped()) {
                end(batch, failure);
            }
        }
    }

    /** Has a sample take over what was read. What its state had before is not looked at again. */
    private static @Nullable RuntimeException kept(RunningSample sample, List<float[]> arrays) {
        if (sample.isKept()) {
            return null; // a sampler that decides takes what a step gave once
        }
        try {
            requireFinite(arrays, sample);
            Set<float[]> seen = Collections.newSetFromMap(new IdentityHashMap<>());
            seen.addAll(arrays);
            seen.addAll(sample.kept().arrays());
            sample.keep(arrays);
            requireFinite(
                    sample.kept().arrays().stream()
                            .filter(array -> !seen.contains(array))
                            .toList(),
                    sample);
            return null;
        } catch (OverflowException | IllegalStateException e) {
            return e;
        }
    }

    private static void requireFinite(List<float[]> arrays, RunningSample sample) {
        if (!arrays.stream().allMatch(array -> ReturnedValues.areFinite(array, array.length))) {
            throw OverflowException.ofFloat(OverflowException.LATENTS, sample.done());
        }
    }

    private void failed(Lane lane, Throwable failure) {
        List<RunningSample> pass = lane.resident().stream()
                .filter(sample -> !sample.batch().isStopped())
                .toList();
        lane.setResident(List.of());
        Set<BatchRun> sharing = batchesOf(pass);
        if (failure instanceof OverflowException) {
            if (sharing.size() > 1) {
                pass.forEach(RunningSample::setApart);
                pass.forEach(RunningSample::back);
            } else {
                sharing.forEach(batch -> end(batch, failure));
            }
            return;
        }
        List<RunningSample> rest = backs(lane);
        Verdict verdict;
        try {
            verdict = failures.of(lane, rest, failure);
        } catch (RuntimeException | Error e) {
            verdict = new Verdict(Verdict.Scope.ALL, e);
        }
        carryOut(lane, sharing.isEmpty() ? batchesOf(rest) : sharing, verdict);
    }

    /** A lane's device failed at something else than a step, on the lane's thread. */
    void lost(Lane lane, Verdict verdict) {
        lane.setResident(List.of());
        backs(lane);
        carryOut(lane, Set.of(), verdict);
    }

    private List<RunningSample> backs(Lane lane) {
        List<RunningSample> rest;
        synchronized (this) {
            rest = List.copyOf(lane.samples());
        }
        rest.forEach(RunningSample::back);
        return rest;
    }

    private void carryOut(Lane lane, Set<BatchRun> sharing, Verdict verdict) {
        Throwable reason = verdict.reason();
        if (verdict.scope() == Verdict.Scope.PASS) {
            sharing.forEach(batch -> end(batch, reason));
            return;
        }
        boolean noneLeft;
        synchronized (this) {
            lane.setLost(); // before batches end: whoever comes from here on is refused
            waiting.addAll(lane.samples());
            lane.samples().clear();
            noneLeft = lanes.stream().allMatch(Lane::isLost);
            place();
        }
        if (verdict.scope() == Verdict.Scope.ALL || noneLeft) {
            endAll(reason);
        }
    }

    private static Set<BatchRun> batchesOf(List<RunningSample> samples) {
        Set<BatchRun> result = new LinkedHashSet<>();
        samples.forEach(sample -> result.add(sample.batch()));
        return result;
    }

    private void endAll(Throwable reason) {
        List<BatchRun> all;
        synchronized (this) {
            all = List.copyOf(batches);
        }
        all.forEach(batch -> end(batch, reason));
    }

    /** Ends all batches. What a lane is in the middle of goes on. */
    void close() {
        synchronized (this) {
            closed = true;
        }
        endAll(new CancellationException("the engine was closed"));
    }
}
