package org.tornadodit.runner;

import java.util.ArrayList;
import java.util.List;
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
     * @param devices TornadoVM's; none for the CPU engine
     * @param reason why, for the user
     */
    record Chosen(List<Listed> devices, String reason) {
        boolean cpu() {
            return devices.isEmpty();
        }
    }

    @Option(
            names = "--device",
            paramLabel = "auto|cpu|tornado",
            defaultValue = "auto",
            description =
                    "cpu: the CPU engine; tornado: a device of TornadoVM; auto: a GPU where TornadoVM finds one, else the "
                            + "CPU. Default: ${DEFAULT-VALUE}")
    Device device = Device.AUTO;

    @Option(
            names = "--devices",
            paramLabel = "INDEX",
            split = ",",
            description =
                    "Which devices of TornadoVM, as ./dit devices counts them, separated by commas; the samples of a"
                            + " batch are divided among them. Default: the first GPU and all others of its kind")
    List<Integer> indices = List.of();

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
            if (!indices.isEmpty()) {
                throw new IllegalArgumentException("--devices counts TornadoVM's devices, but --device is cpu");
            }
            return new Chosen(List.of(), "asked for");
        }
        boolean wanted = device == Device.TORNADO || !indices.isEmpty();
        if (!TornadoDevices.sdkIsPresent()) {
            String problem = surroundings.sdkProblem();
            if (wanted) {
                throw new DeviceUnavailableException(
                        problem + "; run ./setup-tornado.sh to get the TornadoVM 5.2.0-jdk25 SDK, or use --device cpu");
            }
            return new Chosen(List.of(), problem);
        }
        List<Listed> devices;
        try {
            devices = TornadoDevices.list();
        } catch (DeviceUnavailableException e) {
            if (wanted) {
                throw e;
            }
            return new Chosen(List.of(), String.valueOf(e.getMessage()));
        }
        if (!indices.isEmpty()) {
            return new Chosen(pick(devices), "asked for");
        }
        for (Listed first : devices) {
            if (first.isGpu()) {
                List<Listed> kind = devices.stream()
                        .filter(other -> other.name().equals(first.name())
                                && other.backend().equals(first.backend()))
                        .toList();
                return new Chosen(kind, kind.size() == 1 ? "the first GPU" : "all GPUs of the first one's kind");
            }
        }
        if (!wanted) {
            return new Chosen(List.of(), "TornadoVM sees no GPU");
        }
        if (devices.isEmpty()) {
            throw new DeviceUnavailableException(
                    "TornadoVM sees no device; is the NVIDIA driver installed? use --device cpu without one");
        }
        return new Chosen(List.of(devices.getFirst()), "the first device; none is a GPU");
    }

    private List<Listed> pick(List<Listed> devices) {
        List<Listed> picked = new ArrayList<>();
        for (int index : indices) {
            if (index < 0 || index >= devices.size()) {
                throw new DeviceUnavailableException(
                        "there is no device %d; TornadoVM sees %d: see ./dit devices".formatted(index, devices.size()));
            }
            Listed device = devices.get(index);
            if (picked.contains(device)) {
                throw new IllegalArgumentException("--devices names device " + index + " twice");
            }
            picked.add(device);
        }
        return picked;
    }
}
