package org.tornadodit.scheduler.tune;

import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import org.tornadodit.kernels.check.Ceiling;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.KernelOptions;
import org.tornadodit.scheduler.graph.Count;
import org.tornadodit.scheduler.graph.KernelChoice;
import org.tornadodit.scheduler.plan.Part;

/** What there is to tune of a model on a device, and what the device can do at most. */
public final class ModelTuning {
    /** Threads a compute unit of the kernels that measure ceilings: 16 times what one of an NVIDIA GPU runs at once. */
    private static final int THREADS = 1 << 15;

    private static final int REPETITIONS = 9;

    private ModelTuning() {}

    /**
     * The operations of a denoising step, with the kernels that the device gets.
     *
     * @param options which kernels
     * @param part of a run that the device holds
     */
    public static List<Tunable> operations(ListedDevice device, DitConfig config, KernelOptions options, Part part) {
        return Count.ofStep(
                        config, part, KernelChoice.of(device, config, options).operations())
                .tunables();
    }

    /** Runs kernels on a device. */
    public static KernelRunner runner(ListedDevice device) {
        return new DeviceRunner(device.device());
    }

    /**
     * Measures the ceilings of operations; one whose kernel fails its check is missing.
     *
     * @return bytes or operations a second
     */
    public static Map<Ceiling, Double> ceilings(ListedDevice device, KernelRunner runner, List<Tunable> operations) {
        Set<Ceiling> wanted = EnumSet.noneOf(Ceiling.class);
        operations.forEach(one -> {
            wanted.add(one.ceiling());
            one.ceiling().partOf().ifPresent(wanted::add);
        });
        Map<Ceiling, Double> ceilings = new LinkedHashMap<>();
        for (Ceiling ceiling : wanted) {
            ceiling.measurement(THREADS * device.computeUnits()).ifPresent(kernel -> {
                OptionalDouble seconds = Timing.ifRight(runner, kernel, REPETITIONS);
                if (seconds.isPresent()) {
                    double work = ceiling == Ceiling.MEMORY ? kernel.bytes() : kernel.flop();
                    ceilings.put(ceiling, work / seconds.getAsDouble());
                }
            });
        }
        for (Ceiling ceiling : wanted) {
            ceiling.partOf()
                    .flatMap(whole -> Optional.ofNullable(ceilings.get(whole)))
                    .ifPresent(rate -> ceilings.put(ceiling, rate * ceiling.share()));
        }
        return ceilings;
    }
}
