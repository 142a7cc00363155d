package org.tornadodit.pipeline.setup;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.plan.Mesh;
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
    /** The kernels' defaults, of which there is nothing to say. */
    public static final DeviceTuning NONE = new DeviceTuning(Tuning.NONE, List.of());

    /**
     * Looks a run's devices up.
     *
     * @param devices in use, of one kind, so that the first stands for all; none for the CPU engine
     * @param kernels that are asked for
     * @param shape a largest batch
     * @param mesh how the devices divide it
     */
    public static DeviceTuning of(
            List<ListedDevice> devices, DitConfig config, KernelOptions kernels, SamplingRequest shape, Mesh mesh) {
        if (devices.isEmpty()) {
            return NONE;
        }
        ListedDevice device = devices.getFirst();
        TuningCache cache = new TuningCache(Machine.cacheFolder());
        TuningCache.Loaded loaded =
                cache.load(key(device, kernels.precision().name().toLowerCase(Locale.ROOT)));
        List<String> lines = new ArrayList<>();
        loaded.ignored().ifPresent(lines::add);
        Part part = mesh.part(config, Math.ceilDiv(shape.samples(), mesh.samples()), shape.guided(), 0);
        List<Tunable> operations =
                ModelTuning.operations(device, config, KernelChoice.forModel(config, kernels), part).stream()
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
                Machine.driverVersion().orElse("unknown"),
                Machine.tornadoVersion(),
                Machine.projectVersion(),
                precision);
    }
}
