package org.tornadodit.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;

/**
 * A node of a CUDA graph that copies between the host and the device.
 *
 * @param node the driver's handle
 * @param parameters {@code CUDA_MEMCPY3D}, as recorded
 * @param returns whether it copies to the host
 * @param address on the host
 */
record CopyNode(long node, MemorySegment parameters, boolean returns, long address, long bytes) {

    /** CU_GRAPH_NODE_TYPE_MEMCPY. */
    private static final int MEMCPY = 1;

    /** CU_MEMORYTYPE_HOST. */
    private static final int HOST = 1;

    // CUDA_MEMCPY3D, in bytes.
    private static final int SIZE = 200;
    private static final int SOURCE_TYPE = 32;
    private static final int SOURCE_HOST = 40;
    private static final int TARGET_TYPE = 120;
    private static final int TARGET_HOST = 128;
    private static final int WIDTH = 176;
    private static final int HEIGHT = 184;
    private static final int DEPTH = 192;
    /** Offsets and levels of source and target, of which there are none where memory is copied as it lies. */
    private static final int[] OFFSETS = {0, 8, 16, 24, 88, 96, 104, 112};

    /** Copies begin at multiples of so many bytes. */
    private static final long ALIGNMENT = 256;

    /**
     * All of a graph.
     *
     * @throws IllegalStateException when one is not as the driver records copies of arrays
     */
    static List<CopyNode> all(GraphsAhead.Functions driver, long graph, Arena arena) {
        MemorySegment count = arena.allocate(ValueLayout.JAVA_LONG);
        GraphsAhead.require("count nodes", DriverLibrary.call(driver.nodes(), graph, MemorySegment.NULL, count));
        long nodes = count.get(ValueLayout.JAVA_LONG, 0);
        MemorySegment handles = arena.allocate(ValueLayout.JAVA_LONG, Math.max(nodes, 1));
        GraphsAhead.require("list nodes", DriverLibrary.call(driver.nodes(), graph, handles, count));
        MemorySegment type = arena.allocate(ValueLayout.JAVA_INT);
        List<CopyNode> copies = new ArrayList<>();
        for (long i = 0; i < nodes; i++) {
            long node = handles.getAtIndex(ValueLayout.JAVA_LONG, i);
            GraphsAhead.require("tell a node's type", DriverLibrary.call(driver.nodeType(), node, type));
            if (type.get(ValueLayout.JAVA_INT, 0) == MEMCPY) {
                MemorySegment parameters = arena.allocate(SIZE, Long.BYTES);
                GraphsAhead.require("tell a copy", DriverLibrary.call(driver.copyParameters(), node, parameters));
                copies.add(of(node, parameters));
            }
        }
        return copies;
    }

    private static CopyNode of(long node, MemorySegment parameters) {
        boolean sends = parameters.get(ValueLayout.JAVA_INT, SOURCE_TYPE) == HOST;
        boolean returns = parameters.get(ValueLayout.JAVA_INT, TARGET_TYPE) == HOST;
        boolean flat =
                parameters.get(ValueLayout.JAVA_LONG, HEIGHT) <= 1 && parameters.get(ValueLayout.JAVA_LONG, DEPTH) <= 1;
        for (int offset : OFFSETS) {
            flat &= parameters.get(ValueLayout.JAVA_LONG, offset) == 0;
        }
        if (sends == returns || !flat) {
            throw new IllegalStateException("a copy that is not between an array and the device's memory");
        }
        long address = parameters.get(ValueLayout.JAVA_LONG, returns ? TARGET_HOST : SOURCE_HOST);
        return new CopyNode(node, parameters, returns, address, parameters.get(ValueLayout.JAVA_LONG, WIDTH));
    }

    /** What it copies, on the host. */
    MemorySegment host() {
        return MemorySegment.ofAddress(address).reinterpret(bytes);
    }

    /** Bytes that it takes among others. */
    long room() {
        return Math.ceilDiv(bytes, ALIGNMENT) * ALIGNMENT;
    }

    /** Has it copy from or to other memory of the host. */
    void redirect(GraphsAhead.Functions driver, MemorySegment host) {
        parameters.set(ValueLayout.JAVA_LONG, returns ? TARGET_HOST : SOURCE_HOST, host.address());
        GraphsAhead.require("change a copy", DriverLibrary.call(driver.setCopyParameters(), node, parameters));
    }
}
