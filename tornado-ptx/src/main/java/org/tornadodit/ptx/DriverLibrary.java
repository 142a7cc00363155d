package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/** The CUDA driver's library: its functions by name, all of which return an error's number. */
final class DriverLibrary {
    private DriverLibrary() {}

    /**
     * A function that {@link #call} takes.
     *
     * @throws IllegalArgumentException when there is no driver, or it has no such function
     */
    static MethodHandle function(String name, MemoryLayout... parameters) {
        return Linker.nativeLinker()
                .downcallHandle(
                        SymbolLookup.libraryLookup("libcuda.so.1", Arena.global())
                                .find(name)
                                .orElseThrow(() -> new IllegalArgumentException("the CUDA driver has no " + name)),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
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
