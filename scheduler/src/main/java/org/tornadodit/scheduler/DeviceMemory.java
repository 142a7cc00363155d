package org.tornadodit.scheduler;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.OptionalLong;
import org.tornadodit.host.HostDevice;
import org.tornadodit.scheduler.TornadoDevices.Listed;

/** Memory in use on a device: the driver's word where there is one, which counts what TornadoVM forgot too. */
public final class DeviceMemory {

    private DeviceMemory() {}

    /**
     * Bytes in use on a device. On a GPU they are the whole GPU's, other processes' with them.
     *
     * @return nothing on devices that do not tell
     */
    public static OptionalLong used(Listed listed) {
        if (!TornadoDevices.sdkIsPresent()) {
            return listed.device() instanceof HostDevice host
                    ? OptionalLong.of(host.usedBytes())
                    : OptionalLong.empty();
        }
        return listed.backend().equals("PTX") ? usedOfCuda(listed) : OptionalLong.empty();
    }

    private static OptionalLong usedOfCuda(Listed listed) {
        try (Arena arena = Arena.ofConfined()) {
            // The driver tells of the calling thread's context; TornadoVM's public API has no word for that.
            listed.device().getClass().getMethod("enableThreadSharing").invoke(listed.device());
            MethodHandle getInfo = Linker.nativeLinker()
                    .downcallHandle(
                            SymbolLookup.libraryLookup("libcuda.so.1", arena)
                                    .find("cuMemGetInfo_v2")
                                    .orElseThrow(
                                            () -> new IllegalArgumentException("the CUDA driver has no cuMemGetInfo")),
                            FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.ADDRESS, ValueLayout.ADDRESS));
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            int error = (int) getInfo.invokeExact(free, total);
            return error != 0
                    ? OptionalLong.empty()
                    : OptionalLong.of(total.get(ValueLayout.JAVA_LONG, 0) - free.get(ValueLayout.JAVA_LONG, 0));
        } catch (ReflectiveOperationException | IllegalArgumentException absent) {
            return OptionalLong.empty();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
