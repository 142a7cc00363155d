package org.tornadodit.host;

import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** A device's copy of an array. */
final class DeviceBuffer {
    private final HostDevice device;
    private final ArrayMemory memory;
    private final TornadoNativeArray twin;
    private final long bytes;
    private boolean freed;

    /** Whether kernels have written the copy since it last was the host's. */
    private boolean newerThanHost;

    private int uploadedVersion = -1;

    private DeviceBuffer(HostDevice device, TornadoNativeArray array) {
        this.device = device;
        this.bytes = array.getNumBytesOfSegmentWithHeader();
        this.memory = ArrayMemory.allocateOnDevice(array.getSize(), array.getElementSize());
        this.twin = ArrayAccess.withMemory(array, memory);
    }

    static DeviceBuffer allocate(HostDevice device, TornadoNativeArray array, String name) {
        device.reserve(array.getNumBytesOfSegmentWithHeader(), name);
        DeviceBuffer buffer = new DeviceBuffer(device, array);
        buffer.memory.markUndefined(name);
        return buffer;
    }

    /** The array that kernels see. */
    TornadoNativeArray twin() {
        return twin;
    }

    HostDevice device() {
        return device;
    }

    long bytes() {
        return bytes;
    }

    boolean isFreed() {
        return freed;
    }

    boolean isUndefined() {
        return memory.isUndefined();
    }

    void upload(TornadoNativeArray host, String name) {
        ArrayMemory source = ArrayAccess.memory(host);
        source.beforeRead();
        MemorySegment.copy(source.data(), 0, memory.data(), 0, memory.data().byteSize());
        uploadedVersion = source.noteUpload();
        memory.markSynchronized(name);
        newerThanHost = false;
        device.countToDevice(memory.data().byteSize());
    }

    boolean hostChangedSinceUpload(TornadoNativeArray host) {
        return uploadedVersion != ArrayAccess.memory(host).version();
    }

    /** Copies bytes {@code offset} to {@code offset + length} of the elements to the host. */
    void download(TornadoNativeArray host, long offset, long length) {
        ArrayMemory target = ArrayAccess.memory(host);
        if (!device.faults().isLost()) {
            MemorySegment.copy(memory.data(), offset, target.data(), offset, length);
        }
        target.markCurrent();
        newerThanHost = false;
    }

    /** Contents are undefined from here on. */
    void undefine(String name) {
        memory.markUndefined(name);
        newerThanHost = false;
    }

    /** Of a lost device, whose launches do nothing: nobody is told that the contents are undefined. */
    void pretendWritten(String name) {
        if (memory.isUndefined()) {
            memory.markSynchronized(name);
        }
    }

    /** Before tasks run: from here on, a write is noticed. */
    void watch(String name) {
        if (!memory.isUndefined()) {
            memory.markSynchronized(name);
        }
    }

    /** After a task has run: throws when something was written beside the elements. */
    void checkGuards(String task) {
        memory.checkGuards(task, twin.getElementSize());
    }

    /** After tasks have run: true when one of them wrote. */
    boolean wasWritten() {
        boolean written = memory.isNewerThanHost();
        newerThanHost |= written;
        return written;
    }

    boolean isNewerThanHost() {
        return newerThanHost;
    }

    void free(String why) {
        if (!freed) {
            freed = true;
            memory.markFreed(why);
            device.release(bytes);
        }
    }
}
