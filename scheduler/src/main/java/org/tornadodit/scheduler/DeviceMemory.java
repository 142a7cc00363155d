package org.tornadodit.scheduler;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import java.util.OptionalLong;
import org.tornadodit.host.HostDevice;
import org.tornadodit.scheduler.TornadoDevices.Listed;

/**
 * Memory of a device as its driver knows it, which counts other processes' too, and what TornadoVM forgot.
 *
 * @param free bytes that can be allocated
 * @param used bytes in use. On a GPU they are the whole GPU's
 */
public record DeviceMemory(long free, long used) {

    /** Bytes in use on a device; nothing where the device does not tell, or failed. */
    public static OptionalLong used(Listed listed) {
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
    static OptionalLong free(Listed listed) {
        return of(listed).map(memory -> OptionalLong.of(memory.free())).orElse(OptionalLong.empty());
    }

    private static Optional<DeviceMemory> of(Listed listed) {
        if (!TornadoDevices.sdkIsPresent()) {
            return listed.device() instanceof HostDevice host
                    ? Optional.of(new DeviceMemory(host.freeBytes(), host.usedBytes()))
                    : Optional.empty();
        }
        return listed.backend().equals("PTX") ? ofCuda(listed) : Optional.empty();
    }

    private static Optional<DeviceMemory> ofCuda(Listed listed) {
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
            if (error != 0) {
                throw new IllegalStateException("the CUDA driver does not tell its free memory: error " + error);
            }
            long bytes = free.get(ValueLayout.JAVA_LONG, 0);
            return Optional.of(new DeviceMemory(bytes, total.get(ValueLayout.JAVA_LONG, 0) - bytes));
        } catch (ReflectiveOperationException | IllegalArgumentException absent) {
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
