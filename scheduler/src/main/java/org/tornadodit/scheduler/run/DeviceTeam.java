package org.tornadodit.scheduler.run;

import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.engine.FaultPolicy;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.ShardPlan;

/**
 * Devices that share batches.
 *
 * @param devices in the order in which they get samples
 * @param speeds of each, in any measure that is proportional to samples a second
 * @param policy what happens when one fails
 * @param mesh how they divide a run: crews are devices that come one after the other
 */
public record DeviceTeam(List<ListedDevice> devices, List<Double> speeds, FaultPolicy policy, Mesh mesh) {

    public DeviceTeam {
        devices = List.copyOf(devices);
        speeds = List.copyOf(speeds);
        if (devices.isEmpty() || devices.size() != speeds.size()) {
            throw new IllegalArgumentException("%d devices and %d speeds".formatted(devices.size(), speeds.size()));
        }
        if (devices.size() != mesh.devices()) {
            throw new IllegalArgumentException("%d devices for %s".formatted(devices.size(), mesh));
        }
    }

    /** Each device by itself. */
    public DeviceTeam(List<ListedDevice> devices, List<Double> speeds, FaultPolicy policy) {
        this(devices, speeds, policy, Mesh.ofSamples(Math.max(1, devices.size())));
    }

    /** Devices that compute the same samples. */
    public List<ListedDevice> crew(int crew) {
        return devices.subList(crew * mesh.ranks(), (crew + 1) * mesh.ranks());
    }

    /** Of a crew: its slowest device's for each of them. */
    double speed(int crew) {
        return mesh.ranks()
                * speeds.subList(crew * mesh.ranks(), (crew + 1) * mesh.ranks()).stream()
                        .mapToDouble(Double::doubleValue)
                        .min()
                        .orElse(0);
    }

    /** Which crew does which samples. */
    public ShardPlan plan(int samples) {
        return ShardPlan.weighted(
                samples,
                IntStream.range(0, mesh.samples()).mapToDouble(this::speed).toArray());
    }

    /** The other crews, in their order; null when there is none. */
    @Nullable
    DeviceTeam without(Set<Integer> crews) {
        int[] devicesLeft = IntStream.range(0, devices.size())
                .filter(device -> !crews.contains(device / mesh.ranks()))
                .toArray();
        return devicesLeft.length == 0
                ? null
                : new DeviceTeam(
                        Arrays.stream(devicesLeft).mapToObj(devices::get).toList(),
                        Arrays.stream(devicesLeft).mapToObj(speeds::get).toList(),
                        policy,
                        mesh.withSamples(devicesLeft.length / mesh.ranks()));
    }
}
