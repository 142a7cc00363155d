package org.tornadodit.runner;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.scheduler.DeviceUnavailableException;
import org.tornadodit.scheduler.TornadoDevices;
import org.tornadodit.scheduler.TornadoDevices.Listed;
import picocli.CommandLine.Option;

/** Where a model runs. */
final class DeviceOptions {

    /** The engines. */
    enum Device {
        AUTO,
        CPU,
        TORNADO
    }

    /**
     * What was chosen.
     *
     * @param listed TornadoVM's device, or null for the CPU engine
     * @param reason why, for the user
     */
    record Chosen(@Nullable Listed listed, String reason) {}

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|tornado",
            defaultValue = "auto",
            description = {
                "cpu: the CPU engine; tornado: a device of TornadoVM; auto: a GPU where TornadoVM finds one, else the",
                "CPU. Default: ${DEFAULT-VALUE}"
            })
    Device device = Device.AUTO;

    @Option(
            names = "--devices",
            paramLabel = "INDEX",
            description = "Which device of TornadoVM, as ./dit devices counts them. Default: the first GPU")
    @Nullable
    Integer index;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Threads of the CPU engine. Default: one for each processor")
    int threads = Runtime.getRuntime().availableProcessors();

    /**
     * Finds the device.
     *
     * @throws DeviceUnavailableException when TornadoVM was asked for, and is not there or has no such device
     * @throws IllegalArgumentException when options contradict each other
     */
    Chosen choose(Surroundings surroundings) {
        if (threads < 1 || threads > 4096) {
            throw new IllegalArgumentException("--threads is " + threads + ", expected 1 to 4096");
        }
        if (device == Device.CPU) {
            if (index != null) {
                throw new IllegalArgumentException("--devices counts TornadoVM's devices, but --device is cpu");
            }
            return new Chosen(null, "asked for");
        }
        boolean wanted = device == Device.TORNADO || index != null;
        if (!TornadoDevices.sdkIsPresent()) {
            String problem = surroundings.sdkProblem();
            if (wanted) {
                throw new DeviceUnavailableException(problem
                        + "; run ./setup-tornado.sh to get the TornadoVM 5.2.0-jdk25 SDK, or use --device cpu");
            }
            return new Chosen(null, problem);
        }
        List<Listed> devices;
        try {
            devices = TornadoDevices.list();
        } catch (DeviceUnavailableException e) {
            if (wanted) {
                throw e;
            }
            return new Chosen(null, String.valueOf(e.getMessage()));
        }
        if (index != null) {
            if (index < 0 || index >= devices.size()) {
                throw new DeviceUnavailableException("there is no device %d; TornadoVM sees %d: see ./dit devices"
                        .formatted(index, devices.size()));
            }
            return new Chosen(devices.get(index), "asked for");
        }
        for (Listed listed : devices) {
            if (listed.isGpu()) {
                return new Chosen(listed, "the first GPU");
            }
        }
        if (!wanted) {
            return new Chosen(null, "TornadoVM sees no GPU");
        }
        if (devices.isEmpty()) {
            throw new DeviceUnavailableException(
                    "TornadoVM sees no device; is the NVIDIA driver installed? use --device cpu without one");
        }
        return new Chosen(devices.getFirst(), "the first device; none is a GPU");
    }
}
