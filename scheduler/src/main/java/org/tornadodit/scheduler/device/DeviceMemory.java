package org.tornadodit.scheduler.device;

import java.util.Optional;
import java.util.OptionalLong;
import org.tornadodit.kernels.ptx.DriverMemory;
import org.tornadodit.virtual.VirtualDevice;

/**
 * Memory of a device as its driver knows it, which counts other processes' too, and what TornadoVM forgot.
 *
 * @param free bytes that can be allocated
 * @param used bytes in use. On a GPU they are the whole GPU's
 */
public record DeviceMemory(long free, long used) {

    private static final DriverMemory DRIVER = DriverMemory.onClassPath();

    /** Bytes in use on a device; nothing where the device does not tell, or failed. */
    public static OptionalLong used(ListedDevice listed) {
        return FailedDevices.contains(listed)
                ? OptionalLong.empty()
                : of(listed).map(memory -> OptionalLong.of(memory.used())).orElse(OptionalLong.empty());
    }

    /**
     * Bytes that can be allocated on a device.
     *
     * @return nothing where the device does not tell
     * @throws IllegalStateException when the driver fails to tell, as it does of a context that is broken
     */
    public static OptionalLong free(ListedDevice listed) {
        return of(listed).map(memory -> OptionalLong.of(memory.free())).orElse(OptionalLong.empty());
    }

    private static Optional<DeviceMemory> of(ListedDevice listed) {
        if (!TornadoDevices.sdkIsPresent()) {
            return listed.device() instanceof VirtualDevice device
                    ? Optional.of(new DeviceMemory(device.freeBytes(), device.usedBytes()))
                    : Optional.empty();
        }
        return listed.backend().equals("PTX")
                ? DRIVER.of(listed.device()).map(bytes -> new DeviceMemory(bytes.free(), bytes.total() - bytes.free()))
                : Optional.empty();
    }
}
