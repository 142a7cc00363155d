package org.tornadodit.scheduler.device;

import java.util.Optional;
import org.tornadodit.model.ByteCount;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;

/**
 * One device that TornadoVM sees.
 *
 * @param index what {@code --devices} takes
 * @param capability compute capability of an NVIDIA GPU, such as 9.0
 * @param memory bytes
 */
public record ListedDevice(
        int index,
        String backend,
        String name,
        String type,
        Optional<String> capability,
        long memory,
        TornadoDevice device) {

    /** Whether it is a GPU, and not a CPU driven through OpenCL or the emulation on the host. */
    public boolean isGpu() {
        return device.getDeviceType() == TornadoDeviceType.GPU;
    }

    /** Multiprocessors of a GPU, cores of a CPU. */
    public int computeUnits() {
        return device.getPhysicalDevice().getDeviceMaxComputeUnits();
    }

    /** What it is called where all devices are told apart by their numbers. */
    public String label() {
        return "device " + index;
    }

    @Override
    public String toString() {
        return "%d: %s (%s, %s%s, %s)"
                .formatted(
                        index,
                        name,
                        backend,
                        type,
                        capability.map(c -> ", capability " + c).orElse(""),
                        ByteCount.of(memory));
    }
}
