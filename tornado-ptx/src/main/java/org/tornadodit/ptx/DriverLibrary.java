package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The CUDA driver's library: its functions by name, all of which return an error's number. */
final class DriverLibrary {
    /** What was looked for once. */
    private static final Map<Signature, MethodHandle> FOUND = new ConcurrentHashMap<>();

    private record Signature(String name, List<MemoryLayout> parameters) {}

    private DriverLibrary() {}

    /**
     * A function that {@link #call} takes.
     *
     * @throws IllegalArgumentException when there is no driver, or it has no such function
     */
    static MethodHandle function(String name, MemoryLayout... parameters) {
        return FOUND.computeIfAbsent(new Signature(name, List.of(parameters)), DriverLibrary::linked);
    }

    private static MethodHandle linked(Signature wanted) {
        return Linker.nativeLinker()
                .downcallHandle(
                        SymbolLookup.libraryLookup("libcuda.so.1", Arena.global())
                                .find(wanted.name())
                                .orElseThrow(
                                        () -> new IllegalArgumentException("the CUDA driver has no " + wanted.name())),
                        FunctionDescriptor.of(
                                ValueLayout.JAVA_INT, wanted.parameters().toArray(MemoryLayout[]::new)));
    }

    /** Calls a function; 0 when it has done its work. */
    static int call(MethodHandle function, Object... arguments) {
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }
}
