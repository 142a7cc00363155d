package uk.ac.manchester.tornado.api.common;

import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** A device that plans can run on. */
public interface TornadoDevice {
    String getDeviceName();

    String getDescription();

    String getPlatformName();

    /** The hardware's figures. */
    TornadoTargetDevice getPhysicalDevice();

    TornadoDeviceType getDeviceType();

    /** Bytes of the largest single buffer. */
    long getMaxAllocMemory();

    /** Bytes of memory. */
    long getMaxGlobalMemory();

    /** Bytes of local (shared) memory of a work group. */
    long getDeviceLocalMemorySize();

    /** Most work items of a group in x, y and z. */
    long[] getDeviceMaxWorkgroupDimensions();

    String getDeviceOpenCLCVersion();

    Object getDeviceInfo();

    /** Index of the backend that the device belongs to. */
    int getBackendIndex();

    default int getAvailableProcessors() {
        return Runtime.getRuntime().availableProcessors();
    }

    TornadoVMBackendType getTornadoVMBackend();

    boolean isSPIRVSupported();
}
