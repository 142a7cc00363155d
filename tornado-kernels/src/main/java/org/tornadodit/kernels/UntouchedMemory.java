package org.tornadodit.kernels;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/**
 * Zeros that are made when they are first read or written: C's {@code calloc}, which asks the system for pages that are
 * zero anyway, where Java's arenas write each byte.
 */
final class UntouchedMemory {
    private static final MethodHandle CALLOC = Linker.nativeLinker()
            .downcallHandle(
                    Linker.nativeLinker().defaultLookup().find("calloc").orElseThrow(),
                    FunctionDescriptor.of(ValueLayout.ADDRESS, ValueLayout.JAVA_LONG, ValueLayout.JAVA_LONG));

    private UntouchedMemory() {}

    /**
     * Memory that is never given back.
     *
     * @param alignment a power of two
     * @throws OutOfMemoryError when the system has no room for it
     */
    static MemorySegment allocate(long bytes, long alignment) {
        MemorySegment memory;
        try {
            memory = (MemorySegment) CALLOC.invokeExact(1L, bytes + alignment);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (memory.address() == 0) {
            throw new OutOfMemoryError("no room for an array of " + bytes + " bytes outside Java's heap");
        }
        long aligned = Math.ceilDiv(memory.address(), alignment) * alignment;
        return MemorySegment.ofAddress(aligned).reinterpret(bytes);
    }
}
