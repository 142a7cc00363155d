package org.tornadodit.ptx;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.Optional;
import org.tornadodit.kernels.ptx.PinnedPages;

/** {@code cuMemHostRegister} in the calling thread's context. */
public final class CudaPinnedPages implements PinnedPages {
    private static final Logger LOG = System.getLogger(CudaPinnedPages.class.getName());

    /** CU_MEMHOSTREGISTER_PORTABLE. */
    private static final int ALL_CONTEXTS = 1;

    private final Optional<MethodHandle> register = find();

    private static Optional<MethodHandle> find() {
        try {
            return Optional.of(DriverLibrary.function(
                    "cuMemHostRegister_v2", ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT));
        } catch (IllegalArgumentException noDriver) {
            return Optional.empty();
        }
    }

    @Override
    public void pin(MemorySegment pages) {
        if (register.isEmpty()) {
            return;
        }
        int error = DriverLibrary.call(register.get(), pages, pages.byteSize(), ALL_CONTEXTS);
        if (error != 0) {
            LOG.log(Level.DEBUG, "pinning {0} bytes: CUDA error {1}", pages.byteSize(), error);
        }
    }
}
