package org.tornadodit.ptx;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.tornadodit.kernels.ptx.LaunchRecorder.Ahead;
import org.tornadodit.kernels.ptx.LaunchRecorder.Recording;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;

/**
 * A CUDA graph several times over, for launches that are given to a stream ahead. Each copies from and to host memory of its own:
 * what a launch is to send is put there when it is given, and what it returns is taken from there once it was waited for. That
 * memory is page-locked, so that the driver does not copy it first, which it would wait for.
 */
final class GraphsAhead implements Recording {
    private static final Logger LOG = System.getLogger(GraphsAhead.class.getName());

    /** CU_EVENT_DISABLE_TIMING. */
    private static final int DISABLE_TIMING = 2;

    private final CudaGraphs.Functions graphs;
    private final Functions driver;
    private final Runnable context;
    private final long stream;
    private final List<Slot> slots;
    private int launched;
    private int awaited;

    /** What is copied: on the host where the caller knows it, and where the graph of a slot has it. */
    private record Copy(MemorySegment host, MemorySegment ofSlot) {
        void send() {
            ofSlot.copyFrom(host);
        }

        void take() {
            host.copyFrom(ofSlot);
        }
    }

    /**
     * One of the graphs.
     *
     * @param event that follows its launch
     * @param memory that its copies lie in, or nothing
     */
    private record Slot(long executable, long event, MemorySegment memory, List<Copy> sent, List<Copy> returned) {}

    private GraphsAhead(
            CudaGraphs.Functions graphs, Functions driver, Runnable context, long stream, List<Slot> slots) {
        this.graphs = graphs;
        this.driver = driver;
        this.context = context;
        this.stream = stream;
        this.slots = List.copyOf(slots);
    }

    /**
     * As many as are to be under way at once.
     *
     * @param graph that was recorded, and is of use to nobody afterwards where this returns something
     * @return empty where the driver cannot change a graph's copies, or the graph has others than to the arrays that are returned
     */
    static Optional<Recording> of(
            CudaGraphs.Functions graphs, PTXTornadoDevice gpu, long stream, long graph, Ahead ahead) {
        Functions driver;
        try {
            driver = Functions.find();
        } catch (IllegalArgumentException older) {
            return notAhead(older);
        }
        return of(graphs, driver, gpu::enableThreadSharing, stream, graph, ahead);
    }

    /**
     * As above. Where this returns nothing, the graph copies what it did before.
     *
     * @param context makes the device's context the calling thread's
     * @throws IllegalStateException when the driver has changed a copy, and does not change it back
     */
    static Optional<Recording> of(
            CudaGraphs.Functions graphs, Functions driver, Runnable context, long stream, long graph, Ahead ahead) {
        List<Slot> slots = new ArrayList<>();
        Set<CopyNode> redirected = new LinkedHashSet<>();
        try (Arena arena = Arena.ofConfined()) {
            try {
                List<CopyNode> nodes = CopyNode.all(driver, graph, arena);
                requireReturned(nodes, ahead.returned());
                for (int i = 0; i < ahead.depth(); i++) {
                    slots.add(slot(graphs, driver, graph, nodes, redirected, arena));
                }
                return Optional.of(new GraphsAhead(graphs, driver, context, stream, slots));
            } catch (IllegalStateException cannot) {
                // The caller launches the graph itself, whichever slot it was that failed.
                redirected.forEach(node -> node.redirect(driver, node.host()));
                slots.forEach(slot -> release(graphs, driver, slot));
                return notAhead(cannot);
            }
        }
    }

    private static Optional<Recording> notAhead(RuntimeException reason) {
        LOG.log(Level.DEBUG, "launches are not given ahead: {0}", reason.getMessage());
        return Optional.empty();
    }

    private static void requireReturned(List<CopyNode> nodes, List<TornadoNativeArray> returned) {
        for (CopyNode node : nodes) {
            if (node.returns()
                    && returned.stream()
                            .noneMatch(array -> array.getSegmentWithHeader().address() == node.address())) {
                throw new IllegalStateException("a copy to an array that is not among those that are returned");
            }
        }
    }

    /** @param redirected nodes that copy from or to a slot's memory */
    private static Slot slot(
            CudaGraphs.Functions graphs,
            Functions driver,
            long graph,
            List<CopyNode> nodes,
            Set<CopyNode> redirected,
            Arena arena) {
        long bytes = nodes.stream().mapToLong(CopyNode::room).sum();
        MemorySegment pointer = arena.allocate(ValueLayout.ADDRESS);
        require("allocate host memory", DriverLibrary.call(driver.allocate, pointer, Math.max(bytes, 1), 0));
        MemorySegment memory = pointer.get(ValueLayout.ADDRESS, 0).reinterpret(Math.max(bytes, 1));
        List<Copy> sent = new ArrayList<>();
        List<Copy> returned = new ArrayList<>();
        long at = 0;
        long executable = 0;
        try {
            for (CopyNode node : nodes) {
                Copy copy = new Copy(node.host(), memory.asSlice(at, node.bytes()));
                (node.returns() ? returned : sent).add(copy);
                node.redirect(driver, copy.ofSlot());
                redirected.add(node);
                at += node.room();
            }
            MemorySegment handle = arena.allocate(ValueLayout.JAVA_LONG);
            require("make ready", DriverLibrary.call(graphs.instantiate(), handle, graph, 0L));
            executable = handle.get(ValueLayout.JAVA_LONG, 0);
            require("create an event", DriverLibrary.call(driver.createEvent, handle, DISABLE_TIMING));
            return new Slot(executable, handle.get(ValueLayout.JAVA_LONG, 0), memory, sent, returned);
        } catch (RuntimeException e) {
            if (executable != 0) {
                DriverLibrary.call(graphs.destroy(), executable);
            }
            DriverLibrary.call(driver.free, memory);
            throw e;
        }
    }

    static void require(String what, int error) {
        if (error != 0) {
            throw new IllegalStateException("the driver cannot " + what + ": CUDA error " + error);
        }
    }

    @Override
    public int depth() {
        return slots.size();
    }

    @Override
    public void launch() {
        if (launched - awaited == slots.size()) {
            throw new IllegalStateException(slots.size() + " launches that nobody has waited for");
        }
        Slot slot = slots.get(launched % slots.size());
        slot.sent().forEach(Copy::send);
        context.run();
        CudaGraphs.check(DriverLibrary.call(graphs.launch(), slot.executable(), stream));
        launched++;
        CudaGraphs.check(DriverLibrary.call(driver.recordEvent, slot.event(), stream));
    }

    @Override
    public void await() {
        if (launched == awaited) {
            throw new IllegalStateException("no launch to wait for");
        }
        Slot slot = slots.get(awaited++ % slots.size());
        context.run();
        CudaGraphs.check(DriverLibrary.call(driver.synchronizeEvent, slot.event()));
        slot.returned().forEach(Copy::take);
    }

    @Override
    public void close() {
        context.run();
        if (launched > awaited) {
            DriverLibrary.call(graphs.synchronize(), stream); // it may copy still
        }
        slots.forEach(slot -> release(graphs, driver, slot));
    }

    private static void release(CudaGraphs.Functions graphs, Functions driver, Slot slot) {
        DriverLibrary.call(graphs.destroy(), slot.executable());
        DriverLibrary.call(driver.destroyEvent, slot.event());
        DriverLibrary.call(driver.free, slot.memory());
    }

    /** The driver's further functions, which work in the calling thread's context. */
    record Functions(
            MethodHandle nodes,
            MethodHandle nodeType,
            MethodHandle copyParameters,
            MethodHandle setCopyParameters,
            MethodHandle createEvent,
            MethodHandle recordEvent,
            MethodHandle synchronizeEvent,
            MethodHandle destroyEvent,
            MethodHandle allocate,
            MethodHandle free) {

        /** @throws IllegalArgumentException when the driver lacks one */
        static Functions find() {
            MemoryLayout pointer = ValueLayout.ADDRESS;
            MemoryLayout handle = ValueLayout.JAVA_LONG;
            return new Functions(
                    DriverLibrary.function("cuGraphGetNodes", handle, pointer, pointer),
                    DriverLibrary.function("cuGraphNodeGetType", handle, pointer),
                    DriverLibrary.function("cuGraphMemcpyNodeGetParams", handle, pointer),
                    DriverLibrary.function("cuGraphMemcpyNodeSetParams", handle, pointer),
                    DriverLibrary.function("cuEventCreate", pointer, ValueLayout.JAVA_INT),
                    DriverLibrary.function("cuEventRecord", handle, handle),
                    DriverLibrary.function("cuEventSynchronize", handle),
                    DriverLibrary.function("cuEventDestroy_v2", handle),
                    DriverLibrary.function("cuMemHostAlloc", pointer, ValueLayout.JAVA_LONG, ValueLayout.JAVA_INT),
                    DriverLibrary.function("cuMemFreeHost", pointer));
        }
    }
}
