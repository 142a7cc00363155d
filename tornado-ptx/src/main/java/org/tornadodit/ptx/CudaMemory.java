package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.DriverMemory;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** {@code cuMemGetInfo} in the context of a device. */
public final class CudaMemory implements DriverMemory {
    private volatile @Nullable MethodHandle getInfo;

    @Override
    public Optional<Bytes> of(TornadoDevice device) {
        try (Arena arena = Arena.ofConfined()) {
            // The driver tells of the calling thread's context; TornadoVM's public API has no word for that.
            device.getClass().getMethod("enableThreadSharing").invoke(device);
            MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
            MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
            int error = DriverLibrary.call(function(), free, total);
            if (error != 0) {
                throw new IllegalStateException("the CUDA driver does not tell its free memory: error " + error);
            }
            return Optional.of(new Bytes(free.get(ValueLayout.JAVA_LONG, 0), total.get(ValueLayout.JAVA_LONG, 0)));
        } catch (ReflectiveOperationException | IllegalArgumentException absent) {
            return Optional.empty();
        }
    }

    /** Looked for when a device of the backend is asked for, so that the driver is there. */
    private MethodHandle function() {
        MethodHandle found = getInfo;
        if (found == null) {
            found = DriverLibrary.function("cuMemGetInfo_v2", ValueLayout.ADDRESS, ValueLayout.ADDRESS);
            getInfo = found;
        }
        return found;
    }
}
