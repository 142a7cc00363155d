package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The few functions of the CUDA driver that TornadoVM does not offer. They work in the calling thread's context. */
final class Driver {

    /** CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK and CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES. */
    private static final int MAX_THREADS_PER_BLOCK = 0;

    private static final int MAX_DYNAMIC_SHARED_SIZE_BYTES = 8;

    /** CU_JIT_ERROR_LOG_BUFFER and CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES. */
    private static final int ERROR_LOG_BUFFER = 5;

    private static final int ERROR_LOG_BUFFER_SIZE_BYTES = 6;

    private static final int LOG_BYTES = 8192;

    private final MethodHandle loadModule;
    private final MethodHandle unloadModule;
    private final MethodHandle getFunction;
    private final MethodHandle getAttribute;
    private final MethodHandle setAttribute;

    /** @throws IllegalArgumentException when there is no driver, or it lacks a function */
    Driver() {
        MemoryLayout pointer = ValueLayout.ADDRESS;
        MemoryLayout handle = ValueLayout.JAVA_LONG;
        MemoryLayout integer = ValueLayout.JAVA_INT;
        loadModule = DriverLibrary.function("cuModuleLoadDataEx", pointer, pointer, integer, pointer, pointer);
        unloadModule = DriverLibrary.function("cuModuleUnload", handle);
        getFunction = DriverLibrary.function("cuModuleGetFunction", pointer, handle, pointer);
        getAttribute = DriverLibrary.function("cuFuncGetAttribute", pointer, integer, handle);
        setAttribute = DriverLibrary.function("cuFuncSetAttribute", handle, integer, integer);
    }

    /**
     * Loads PTX.
     *
     * @return the module's handle
     * @throws IllegalStateException with the driver's messages, when it does not compile
     */
    long load(String kernel, String ptx) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment log = arena.allocate(LOG_BYTES);
            MemorySegment options =
                    arena.allocateFrom(ValueLayout.JAVA_INT, ERROR_LOG_BUFFER, ERROR_LOG_BUFFER_SIZE_BYTES);
            MemorySegment values = arena.allocateFrom(ValueLayout.JAVA_LONG, log.address(), LOG_BYTES);
            MemorySegment module = arena.allocate(ValueLayout.JAVA_LONG);
            int error = DriverLibrary.call(loadModule, module, arena.allocateFrom(ptx), 2, options, values);
            if (error != 0) {
                throw failed(
                        kernel,
                        "does not compile",
                        error + ": " + log.getString(0).strip());
            }
            return module.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    void unload(String kernel, long module) {
        check(kernel, "cannot be unloaded", DriverLibrary.call(unloadModule, module));
    }

    long function(String kernel, long module) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment function = arena.allocate(ValueLayout.JAVA_LONG);
            check(
                    kernel,
                    "is not in its module",
                    DriverLibrary.call(getFunction, function, module, arena.allocateFrom(kernel)));
            return function.get(ValueLayout.JAVA_LONG, 0);
        }
    }

    /** Lets launches of a function have this much dynamic shared memory. */
    void allowSharedMemory(String kernel, long function, int bytes) {
        check(
                kernel,
                "cannot have " + bytes + " bytes of shared memory",
                DriverLibrary.call(setAttribute, function, MAX_DYNAMIC_SHARED_SIZE_BYTES, bytes));
    }

    /** The largest block that a function can be launched with, by its registers. */
    int maxThreads(String kernel, long function) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment value = arena.allocate(ValueLayout.JAVA_INT);
            check(
                    kernel,
                    "has no block size",
                    DriverLibrary.call(getAttribute, value, MAX_THREADS_PER_BLOCK, function));
            return value.get(ValueLayout.JAVA_INT, 0);
        }
    }

    private static void check(String kernel, String problem, int error) {
        if (error != 0) {
            throw failed(kernel, problem, String.valueOf(error));
        }
    }

    private static IllegalStateException failed(String kernel, String problem, String error) {
        return new IllegalStateException("kernel " + kernel + " " + problem + ": CUDA error " + error);
    }
}
