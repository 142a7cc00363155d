package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/**
 * The assembler in CUDA 12's libnvJitLink, the last that knows sm_70. It compiles for linking: registers and loops are a kernel's, code
 * is not bit for bit what ptxas or a driver makes.
 */
final class JitLinker implements Assembler {
    /** nvJitLinkInputType of PTX. */
    private static final int PTX = 2;

    private static final MemoryLayout POINTER = ValueLayout.ADDRESS;
    private static final MemoryLayout INT = ValueLayout.JAVA_INT;
    private static final MemoryLayout SIZE = ValueLayout.JAVA_LONG;

    private final SymbolLookup library;

    JitLinker(Path library) {
        this.library = SymbolLookup.libraryLookup(library, Arena.global());
    }

    @Override
    public String name() {
        return "nvJitLink of CUDA 12";
    }

    @Override
    public Assembly assemble(String ptx, String target) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment options = arena.allocate(POINTER, 2);
            options.setAtIndex(ValueLayout.ADDRESS, 0, arena.allocateFrom("-arch=" + target));
            options.setAtIndex(ValueLayout.ADDRESS, 1, arena.allocateFrom("-Xptxas=-v"));
            MemorySegment handle = arena.allocate(POINTER);
            check(call("Create", new MemoryLayout[] {POINTER, INT, POINTER}, handle, 2, options), "create");
            MemorySegment linker = handle.get(ValueLayout.ADDRESS, 0);
            try {
                MemorySegment text = arena.allocateFrom(ptx);
                MemoryLayout[] data = {POINTER, INT, POINTER, SIZE, POINTER};
                int status = call("AddData", data, linker, PTX, text, text.byteSize(), arena.allocateFrom("kernel"));
                if (status == 0) {
                    status = call("Complete", new MemoryLayout[] {POINTER}, linker);
                }
                check(status, new String(bytes("ErrorLog", linker, arena), StandardCharsets.UTF_8).strip());
                String words = new String(bytes("InfoLog", linker, arena), StandardCharsets.UTF_8);
                return Assembly.of(words, bytes("LinkedCubin", linker, arena));
            } finally {
                check(call("Destroy", new MemoryLayout[] {POINTER}, handle), "destroy");
            }
        }
    }

    private static void check(int status, String words) {
        if (status != 0) {
            throw new AssemblerException("nvJitLink status " + status + ": " + words);
        }
    }

    private byte[] bytes(String what, MemorySegment linker, Arena arena) {
        MemoryLayout[] layouts = {POINTER, POINTER};
        MemorySegment size = arena.allocate(SIZE);
        check(call("Get" + what + "Size", layouts, linker, size), what);
        MemorySegment content = arena.allocate(Math.max(1, size.get(ValueLayout.JAVA_LONG, 0)));
        check(call("Get" + what, layouts, linker, content), what);
        return content.asSlice(0, size.get(ValueLayout.JAVA_LONG, 0)).toArray(ValueLayout.JAVA_BYTE);
    }

    /** By the name that all of CUDA 12's have, since the header's macros add a version. */
    private int call(String name, MemoryLayout[] parameters, Object... arguments) {
        String symbol = "__nvJitLink" + name + "_12_0";
        MethodHandle function = Linker.nativeLinker()
                .downcallHandle(
                        library.find(symbol)
                                .orElseThrow(() -> new IllegalStateException("no " + symbol + ": it takes CUDA 12's")),
                        FunctionDescriptor.of(ValueLayout.JAVA_INT, parameters));
        try {
            return (int) function.invokeWithArguments(arguments);
        } catch (Throwable e) {
            throw new IllegalStateException(symbol + " cannot be called", e);
        }
    }
}
