package org.tornadodit.ptx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/** What tests need whose driver is written in them. */
final class WrittenDriver {

    private WrittenDriver() {}

    /** A function of the driver: a method of that name, which returns an error or 0. */
    static MethodHandle function(MethodHandles.Lookup lookup, Object driver, String name, Class<?>... parameters) {
        try {
            return lookup.bind(driver, name, MethodType.methodType(int.class, parameters));
        } catch (ReflectiveOperationException e) {
            throw new AssertionError(e);
        }
    }

    /** As cuGraphGetNodes, of nodes that are numbered from {@code first} on. */
    static int list(int nodes, long first, MemorySegment handles, MemorySegment count) {
        count.set(ValueLayout.JAVA_LONG, 0, nodes);
        for (int i = 0; handles.address() != 0 && i < nodes; i++) {
            handles.setAtIndex(ValueLayout.JAVA_LONG, i, first + i);
        }
        return 0;
    }
}
