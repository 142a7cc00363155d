package org.tornadodit.scheduler.run;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.plan.ShardPlan;

/**
 * Devices that share batches.
 *
 * @param devices in the order in which they get samples
 * @param speeds of each, in any measure that is proportional to samples a second
 * @param policy what happens when one fails
 */
public record DeviceTeam(List<ListedDevice> devices, List<Double> speeds, FaultPolicy policy) {

    public DeviceTeam {
        devices = List.copyOf(devices);
        speeds = List.copyOf(speeds);
        if (devices.isEmpty() || devices.size() != speeds.size()) {
            throw new IllegalArgumentException("%d devices and %d speeds".formatted(devices.size(), speeds.size()));
        }
    }

    /** Who does which samples. */
    public ShardPlan plan(int samples) {
        return ShardPlan.weighted(
                samples, speeds.stream().mapToDouble(Double::doubleValue).toArray());
    }

    /** The devices behind one; null when it is the last. */
    @Nullable
    DeviceTeam behind(int device) {
        int size = devices.size();
        return device + 1 == size
                ? null
                : new DeviceTeam(devices.subList(device + 1, size), speeds.subList(device + 1, size), policy);
    }
}
