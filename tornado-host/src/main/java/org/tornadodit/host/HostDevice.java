package org.tornadodit.host;

import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import org.tornadodit.virtual.VirtualDevice;
import uk.ac.manchester.tornado.api.TornadoTargetDevice;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoDeviceType;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoOutOfMemoryException;

/** A device that is made of this machine's cores and of a memory of its own, with a limit and a meter. */
public final class HostDevice implements TornadoDevice, TornadoTargetDevice, VirtualDevice {
    private volatile int computeUnits;
    private final int index;
    private final HostFaults faults = new HostFaults();
    private final AtomicLong used = new AtomicLong();
    private final AtomicLong peak = new AtomicLong();
    private final LongAdder toDevice = new LongAdder();
    private final LongAdder leftOpen = new LongAdder();
    private final Map<String, LongAdder> launches = new ConcurrentHashMap<>();
    private final Map<String, KernelName> kernels = new ConcurrentHashMap<>();
    private volatile long memoryLimit;
    private volatile long elsewhere;

    HostDevice(int index, long memoryLimit) {
        this.index = index;
        this.memoryLimit = memoryLimit;
    }

    /** Place among the host devices. */
    public int index() {
        return index;
    }

    @Override
    public long usedBytes() {
        return used.get();
    }

    @Override
    public long freeBytes() {
        return Math.max(0, memoryLimit - elsewhere - used.get());
    }

    /** Lets another program hold so many bytes of the device's memory. */
    public void occupy(long bytes) {
        elsewhere = bytes;
    }

    /** Most bytes that ever lived on the device since the last {@link #resetMeters()}. */
    public long peakBytes() {
        return peak.get();
    }

    /** Bytes copied from the host since the last {@link #resetMeters()}. */
    public long bytesToDevice() {
        return toDevice.sum();
    }

    /**
     * Bytes of arrays that stay on the device, and that came into being there since the last {@link #resetMeters()} without
     * a word of their graph whether they are sent: TornadoVM may send them.
     */
    public long bytesLeftOpen() {
        return leftOpen.sum();
    }

    /** Launches by task ({@code graph.task}) since the last {@link #resetMeters()}. */
    public Map<String, Long> launches() {
        Map<String, Long> counts = new TreeMap<>();
        launches.forEach((task, count) -> counts.put(task, count.sum()));
        return counts;
    }

    /** Methods ({@code Class.method}) by the tasks ({@code graph.task}) that ran them since the last {@link #resetMeters()}. */
    public Map<String, String> kernels() {
        Map<String, String> names = new TreeMap<>();
        kernels.forEach((task, kernel) -> names.put(task, kernel.toString()));
        return names;
    }

    /** Sets traffic and launches to zero, and the peak to what is used now. */
    public void resetMeters() {
        toDevice.reset();
        leftOpen.reset();
        launches.clear();
        kernels.clear();
        peak.set(used.get());
    }

    /** Sets the device's memory in bytes. */
    public void limitMemory(long bytes) {
        memoryLimit = bytes;
    }

    /** Failures to order. */
    public HostFaults faults() {
        return faults;
    }

    void reserve(long bytes, String name) {
        faults.onAllocation(bytes, name);
        long now = used.addAndGet(bytes);
        if (now > memoryLimit - elsewhere) {
            used.addAndGet(-bytes);
            throw new TornadoOutOfMemoryException(getDescription() + " is out of memory: " + name + " needs " + bytes
                    + " bytes, " + freeBytes() + " of " + memoryLimit
                    + " are free (tornado.device.memory sets the limit)");
        }
        peak.accumulateAndGet(now, Math::max);
    }

    void release(long bytes) {
        faults.onRelease();
        used.addAndGet(-bytes);
    }

    void countLeftOpen(long bytes) {
        leftOpen.add(bytes);
    }

    void countToDevice(long bytes) {
        toDevice.add(bytes);
    }

    void countLaunch(TaskDefinition task) {
        launches.computeIfAbsent(task.name(), any -> new LongAdder()).increment();
        kernels.computeIfAbsent(task.name(), any -> new KernelName(task));
        faults.onLaunch(task.name());
    }

    @Override
    public String getDeviceName() {
        return "host";
    }

    @Override
    public String getDescription() {
        return "host device " + index;
    }

    @Override
    public String getPlatformName() {
        return "tornado-host";
    }

    @Override
    public TornadoTargetDevice getPhysicalDevice() {
        return this;
    }

    @Override
    public TornadoDeviceType getDeviceType() {
        return TornadoDeviceType.CPU;
    }

    @Override
    public long getMaxAllocMemory() {
        return memoryLimit;
    }

    @Override
    public long getMaxGlobalMemory() {
        return memoryLimit;
    }

    @Override
    public long getDeviceLocalMemorySize() {
        return LocalMemory.LIMIT_BYTES;
    }

    @Override
    public long[] getDeviceMaxWorkgroupDimensions() {
        return new long[] {LaunchGrid.MAX_GROUP, LaunchGrid.MAX_GROUP, 64};
    }

    @Override
    public String getDeviceOpenCLCVersion() {
        return "";
    }

    @Override
    public String getDeviceInfo() {
        return getDescription();
    }

    @Override
    public int getBackendIndex() {
        return 0;
    }

    @Override
    public int getAvailableProcessors() {
        return Runtime.getRuntime().availableProcessors();
    }

    @Override
    public TornadoVMBackendType getTornadoVMBackend() {
        return TornadoVMBackendType.JAVA;
    }

    @Override
    public boolean isSPIRVSupported() {
        return false;
    }

    @Override
    public long getDeviceGlobalMemorySize() {
        return memoryLimit;
    }

    @Override
    public int getDeviceMaxComputeUnits() {
        return computeUnits > 0 ? computeUnits : getAvailableProcessors();
    }

    /** Has the device say that it has so many multiprocessors, on which tiles depend; else it has the machine's processors. */
    public void setComputeUnits(int units) {
        computeUnits = units;
    }

    @Override
    public long[] getDeviceMaxWorkItemSizes() {
        return getDeviceMaxWorkgroupDimensions();
    }

    @Override
    public long[] getDeviceMaxWorkGroupSize() {
        return new long[] {LaunchGrid.MAX_GROUP};
    }

    @Override
    public int getMaxThreadsPerBlock() {
        return LaunchGrid.MAX_GROUP;
    }

    @Override
    public int getDeviceMaxClockFrequency() {
        return 0;
    }

    @Override
    public long getDeviceMaxConstantBufferSize() {
        return 64 * 1024;
    }

    @Override
    public long getDeviceMaxAllocationSize() {
        return memoryLimit;
    }

    @Override
    public String toString() {
        return getDescription();
    }
}
