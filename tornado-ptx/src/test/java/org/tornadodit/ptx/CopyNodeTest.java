package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Copies of a graph, as a driver that is written here tells them. */
class CopyNodeTest {
    private static final long FIRST = 100;
    private static final int KERNEL = 0;
    private static final int MEMCPY = 1;
    private static final int HOST = 1;
    private static final int DEVICE = 2;

    /** A node: null is a kernel, else CUDA_MEMCPY3D. */
    private final List<byte[]> nodes = new ArrayList<>();

    private final Arena arena = Arena.ofAuto();

    private static byte[] copy(int from, long source, int to, long target, long bytes, long rows) {
        MemorySegment parameters = MemorySegment.ofArray(new byte[200]);
        parameters.set(ValueLayout.JAVA_INT_UNALIGNED, 32, from);
        parameters.set(ValueLayout.JAVA_LONG_UNALIGNED, from == HOST ? 40 : 48, source);
        parameters.set(ValueLayout.JAVA_INT_UNALIGNED, 120, to);
        parameters.set(ValueLayout.JAVA_LONG_UNALIGNED, to == HOST ? 128 : 136, target);
        parameters.set(ValueLayout.JAVA_LONG_UNALIGNED, 176, bytes);
        parameters.set(ValueLayout.JAVA_LONG_UNALIGNED, 184, rows);
        parameters.set(ValueLayout.JAVA_LONG_UNALIGNED, 192, 1);
        return parameters.toArray(ValueLayout.JAVA_BYTE);
    }

    @Test
    void copiesAreFoundAndRedirected() {
        MemorySegment host = arena.allocate(300);
        nodes.add(copy(HOST, host.address(), DEVICE, 0x7000, 300, 1));
        nodes.add(null);
        nodes.add(copy(DEVICE, 0x8000, HOST, host.address() + 16, 4, 1));
        GraphsAhead.Functions driver = driver();
        List<CopyNode> copies = CopyNode.all(driver, 1, arena);
        assertEquals(2, copies.size());
        CopyNode sent = copies.getFirst();
        assertFalse(sent.returns());
        assertEquals(List.of(host.address(), 300L, 512L), List.of(sent.address(), sent.bytes(), sent.room()));
        CopyNode returned = copies.getLast();
        assertTrue(returned.returns());
        assertEquals(host.address() + 16, returned.address());
        MemorySegment other = arena.allocate(300);
        sent.redirect(driver, other);
        returned.redirect(driver, other);
        byte[] first = nodes.getFirst();
        assertEquals(other.address(), MemorySegment.ofArray(first).get(ValueLayout.JAVA_LONG_UNALIGNED, 40));
        assertEquals(0x7000, MemorySegment.ofArray(first).get(ValueLayout.JAVA_LONG_UNALIGNED, 136));
        assertEquals(other.address(), MemorySegment.ofArray(nodes.getLast()).get(ValueLayout.JAVA_LONG_UNALIGNED, 128));
    }

    @Test
    void otherCopiesAreRefused() {
        for (byte[] other : List.of(
                copy(DEVICE, 0x7000, DEVICE, 0x8000, 16, 1),
                copy(HOST, 0x1000, HOST, 0x2000, 16, 1),
                copy(HOST, 0x1000, DEVICE, 0x7000, 16, 2))) {
            nodes.clear();
            nodes.add(other);
            assertThrows(IllegalStateException.class, () -> CopyNode.all(driver(), 1, arena));
        }
    }

    private GraphsAhead.Functions driver() {
        MethodHandle none = MethodHandles.constant(int.class, 0);
        return new GraphsAhead.Functions(
                handle("list", long.class, MemorySegment.class, MemorySegment.class),
                handle("type", long.class, MemorySegment.class),
                handle("tell", long.class, MemorySegment.class),
                handle("change", long.class, MemorySegment.class),
                none,
                none,
                none,
                none,
                none,
                none);
    }

    private MethodHandle handle(String name, Class<?>... parameters) {
        return WrittenDriver.function(MethodHandles.lookup(), this, name, parameters);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int list(long graph, MemorySegment handles, MemorySegment count) {
        assertEquals(1, graph);
        return WrittenDriver.list(nodes.size(), FIRST, handles, count);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int type(long node, MemorySegment type) {
        type.set(ValueLayout.JAVA_INT, 0, nodes.get((int) (node - FIRST)) == null ? KERNEL : MEMCPY);
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int tell(long node, MemorySegment parameters) {
        parameters.copyFrom(MemorySegment.ofArray(nodes.get((int) (node - FIRST))));
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int change(long node, MemorySegment parameters) {
        nodes.set((int) (node - FIRST), parameters.toArray(ValueLayout.JAVA_BYTE));
        return 0;
    }
}
