package org.tornadodit.pipeline.setup;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.scheduler.device.DeviceUnavailableException;
import org.tornadodit.scheduler.device.ListedDevice;
import org.tornadodit.scheduler.device.TornadoDevices;

/**
 * Where a model runs.
 *
 * @param devices TornadoVM's; none for the CPU engine
 * @param reason why, for the user
 */
public record DeviceChoice(List<ListedDevice> devices, String reason) {

    /** Why a device was chosen that the user named. */
    public static final String ASKED_FOR = "asked for";

    public DeviceChoice {
        devices = List.copyOf(devices);
    }

    /**
     * How whoever asks writes what an error advises.
     *
     * @param sdkProblem why there is no TornadoVM, should there be none
     * @param cpu the CPU engine, such as {@code --device cpu}
     * @param virtual so many emulated devices, such as {@code --devices cpu:%d}
     * @param list what shows all devices, such as {@code ./dit devices}
     */
    public record Words(String sdkProblem, String cpu, String virtual, String list) {}

    /** Whether the CPU engine serves. */
    public boolean cpu() {
        return devices.isEmpty();
    }

    /** The CPU engine. */
    public static DeviceChoice ofCpu(String reason) {
        return new DeviceChoice(List.of(), reason);
    }

    /** The first GPU and all others of its kind; the CPU engine where there is none. */
    public static DeviceChoice automatic(Words words) {
        if (!TornadoDevices.sdkIsPresent()) {
            return ofCpu(words.sdkProblem());
        }
        try {
            DeviceChoice gpus = gpus(TornadoDevices.list());
            return gpus.cpu() ? ofCpu("TornadoVM sees no GPU") : gpus;
        } catch (DeviceUnavailableException e) {
            return ofCpu(String.valueOf(e.getMessage()));
        }
    }

    /**
     * The first GPU and all others of its kind, else TornadoVM's first device.
     *
     * @throws DeviceUnavailableException when TornadoVM is not there, or has no device
     */
    public static DeviceChoice tornado(Words words) {
        List<ListedDevice> devices = list(words);
        DeviceChoice gpus = gpus(devices);
        if (!gpus.cpu()) {
            return gpus;
        }
        if (devices.isEmpty()) {
            throw new DeviceUnavailableException(
                    "TornadoVM sees no device; is the NVIDIA driver installed? use " + words.cpu() + " without one");
        }
        return new DeviceChoice(List.of(devices.getFirst()), "the first device; none is a GPU");
    }

    private static DeviceChoice gpus(List<ListedDevice> devices) {
        for (ListedDevice first : devices) {
            if (first.isGpu()) {
                List<ListedDevice> kind = devices.stream()
                        .filter(other -> other.name().equals(first.name())
                                && other.backend().equals(first.backend()))
                        .toList();
                return new DeviceChoice(kind, kind.size() == 1 ? "the first GPU" : "all GPUs of the first one's kind");
            }
        }
        return ofCpu("");
    }

    /**
     * TornadoVM's devices of these numbers.
     *
     * @throws DeviceUnavailableException when TornadoVM is not there, or has no such device
     */
    public static DeviceChoice numbered(List<Integer> indices, Words words) {
        List<ListedDevice> devices = list(words);
        List<ListedDevice> picked = new ArrayList<>();
        for (int index : indices) {
            if (index < 0 || index >= devices.size()) {
                throw new DeviceUnavailableException("there is no device %d; TornadoVM sees %d: see %s"
                        .formatted(index, devices.size(), words.list()));
            }
            picked.add(devices.get(index));
        }
        return new DeviceChoice(picked, ASKED_FOR);
    }

    /**
     * Devices that are emulated on the host, for tests.
     *
     * @throws DeviceUnavailableException where TornadoVM itself is, which has none
     */
    public static DeviceChoice emulated(int count, Words words) {
        if (TornadoDevices.sdkIsPresent()) {
            throw new DeviceUnavailableException(
                    "the TornadoVM SDK is in use, which has no virtual devices; unset TORNADOVM_HOME for "
                            + words.virtual().formatted(count));
        }
        return new DeviceChoice(TornadoDevices.emulated(count), "emulated on the processor, for tests");
    }

    private static List<ListedDevice> list(Words words) {
        if (!TornadoDevices.sdkIsPresent()) {
            throw new DeviceUnavailableException(words.sdkProblem()
                    + "; run ./setup-tornado.sh to get the TornadoVM 5.2.0-jdk25 SDK, or use " + words.cpu());
        }
        return TornadoDevices.list();
    }
}
