package org.tornadodit.runner.plan;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.runner.terminal.Surroundings;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.tune.ModelTuning;
import org.tornadodit.scheduler.tune.TuningCache;
import org.tornadodit.scheduler.tune.TuningKey;

/**
 * What was tuned for a device, from the user's cache.
 *
 * @param lines what to tell the user about it; none for the CPU engine
 */
public record DeviceTuning(Tuning tuning, List<String> lines) {
    /** Looks a run's devices up; they are of one kind, so the first stands for all. */
    public static DeviceTuning of(SamplingPlan plan) {
        if (plan.device().cpu()) {
            return new DeviceTuning(Tuning.NONE, List.of());
        }
        ListedDevice device = plan.devicesInUse().getFirst();
        TuningCache cache = new TuningCache(Surroundings.cacheFolder());
        TuningCache.Loaded loaded =
                cache.load(key(device, plan.sampling().kernelArguments.precisionName()));
        List<String> lines = new ArrayList<>();
        loaded.ignored().ifPresent(lines::add);
        int samples = Math.ceilDiv(plan.request().samples(), plan.devicesInUse().size());
        List<Tunable> operations = ModelTuning.operations(
                        device,
                        plan.config(),
                        plan.sampling().kernelArguments.options(plan.config()),
                        Part.of(plan.config(), samples, plan.request().guided()))
                .stream()
                .filter(one -> one.variants().size() > 1)
                .toList();
        long tuned = operations.stream()
                .filter(one -> loaded.tuning().choices().containsKey(one.operation()))
                .count();
        lines.add(
                tuned > 0
                        ? "tuned: %d of %d operations, from %s".formatted(tuned, operations.size(), loaded.file())
                        : "not tuned for this device, model and batch: ./dit autotune tries the kernels' variants");
        return new DeviceTuning(loaded.tuning(), lines);
    }

    /** What a tuning of a device is kept under. */
    public static TuningKey key(ListedDevice device, String precision) {
        return new TuningKey(
                device.name(),
                device.capability().orElse(""),
                Surroundings.driverVersion().orElse("unknown"),
                Surroundings.tornadoVersion(),
                Surroundings.projectVersion(),
                precision);
    }
}
