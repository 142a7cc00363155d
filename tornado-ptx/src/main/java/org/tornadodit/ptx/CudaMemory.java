package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.tornadodit.kernels.ptx.DriverMemory;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** {@code cuMemGetInfo} in the context of a device. */
public final class CudaMemory implements DriverMemory {

    @Override
    public Optional<Bytes> of(TornadoDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            // The driver tells of the calling thread's context; TornadoVM's public API has no word for that.
            device.getClass().getMethod("enableThreadSharing").invoke(device);
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
            return Optional.of(new Bytes(free.get(ValueLayout.JAVA_LONG, 0), total.get(ValueLayout.JAVA_LONG, 0)));
        } catch (ReflectiveOperationException | IllegalArgumentException absent) {
            return Optional.empty();
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
