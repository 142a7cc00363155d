package org.tornadodit.host;

import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The door to what arrays keep to themselves. The arrays' public methods are those of TornadoVM and no more, so that
 * what compiles against them compiles against TornadoVM.
 */
public final class ArrayAccess {
    private static final MethodHandle MEMORY = handle("memory", MethodType.methodType(ArrayMemory.class));
    private static final MethodHandle WITH_MEMORY =
            handle("withMemory", MethodType.methodType(TornadoNativeArray.class, ArrayMemory.class));
    private static final MethodHandle CHECK_READ = handle("checkRead", MethodType.methodType(void.class, int.class));
    private static final MethodHandle CHECK_WRITE = handle("checkWrite", MethodType.methodType(void.class, int.class));

    private ArrayAccess() {}

    private static MethodHandle handle(String name, MethodType type) {
        try {
            return MethodHandles.privateLookupIn(TornadoNativeArray.class, MethodHandles.lookup())
                    .findVirtual(TornadoNativeArray.class, name, type);
        } catch (ReflectiveOperationException e) {
            throw new LinkageError("TornadoNativeArray is not tornado-host's", e);
        }
    }

    static ArrayMemory memory(TornadoNativeArray array) {
        try {
            return (ArrayMemory) MEMORY.invokeExact(array);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    static TornadoNativeArray withMemory(TornadoNativeArray like, ArrayMemory memory) {
        try {
            return (TornadoNativeArray) WITH_MEMORY.invokeExact(like, memory);
        } catch (Throwable e) {
            throw rethrown(e);
        }
    }

    /** The elements of {@code array}, for an update in place of element {@code index}. */
    public static MemorySegment forAtomicUpdate(TornadoNativeArray array, int index) {
        try {
            CHECK_READ.invokeExact(array, index);
            CHECK_WRITE.invokeExact(array, index);
        } catch (Throwable e) {
            throw rethrown(e);
        }
        return memory(array).data();
    }

    private static RuntimeException rethrown(Throwable e) {
        if (e instanceof Error error) {
            throw error;
        }
        return e instanceof RuntimeException runtime ? runtime : new IllegalStateException(e);
    }
}
