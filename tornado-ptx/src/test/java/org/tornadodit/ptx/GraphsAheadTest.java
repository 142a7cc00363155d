package org.tornadodit.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.kernels.ptx.LaunchRecorder.Ahead;
import org.tornadodit.kernels.ptx.LaunchRecorder.Recording;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Launches that are given ahead, by a driver that does nothing before it is waited for: a graph that adds what is sent to a sum on
 * the device, which it returns. All that the driver has made is to be released once.
 */
class GraphsAheadTest {
    private static final long GRAPH = 7;
    private static final long STREAM = 8;
    private static final int ELEMENTS = 100;
    private static final int TARGET_HOST = 128;
    private static final int SOURCE_HOST = 40;

    private final Arena arena = Arena.ofAuto();
    private final IntArray sent = new IntArray(ELEMENTS);
    private final IntArray returned = new IntArray(ELEMENTS);

    /** CUDA_MEMCPY3D of the graph's copies, to the device and back. */
    private final List<MemorySegment> nodes = List.of(copy(true), copy(false));

    /** What the driver has made and nobody has released: executables, events, memory. */
    private final TreeSet<Long> alive = new TreeSet<>();

    /** Of each executable, what its copies were when it was made. */
    private final Map<Long, List<Long>> executables = new HashMap<>();

    /** Launches and events of the stream that have not come to pass. */
    private final Deque<Long> underWay = new ArrayDeque<>();

    private final int[] sums = new int[ELEMENTS];
    private long handles = 1000;
    /** Calls of the functions that make something, of which the one of this number fails. */
    private int making;

    private int failing = -1;
    private long unchangeable = -1;
    private boolean hasContext;

    private MemorySegment copy(boolean sends) {
        MemorySegment array = (sends ? sent : returned).getSegmentWithHeader();
        MemorySegment parameters = arena.allocate(200, 8);
        parameters.set(ValueLayout.JAVA_INT, 32, sends ? 1 : 2);
        parameters.set(ValueLayout.JAVA_INT, 120, sends ? 2 : 1);
        parameters.set(ValueLayout.JAVA_LONG, sends ? SOURCE_HOST : TARGET_HOST, array.address());
        parameters.set(ValueLayout.JAVA_LONG, sends ? 136 : 48, 0x7000);
        parameters.set(ValueLayout.JAVA_LONG, 176, array.byteSize());
        parameters.set(ValueLayout.JAVA_LONG, 184, 1);
        parameters.set(ValueLayout.JAVA_LONG, 192, 1);
        return parameters;
    }

    private Optional<Recording> recording(int depth, IntArray of) {
        return GraphsAhead.of(
                new CudaGraphs.Functions(
                        unused(),
                        unused(),
                        handle("instantiate", MemorySegment.class, long.class, long.class),
                        handle("launch", long.class, long.class),
                        handle("synchronize", long.class),
                        unused(),
                        handle("destroy", long.class)),
                new GraphsAhead.Functions(
                        handle("list", long.class, MemorySegment.class, MemorySegment.class),
                        handle("type", long.class, MemorySegment.class),
                        handle("tell", long.class, MemorySegment.class),
                        handle("change", long.class, MemorySegment.class),
                        handle("createEvent", MemorySegment.class, int.class),
                        handle("recordEvent", long.class, long.class),
                        handle("synchronizeEvent", long.class),
                        handle("destroy", long.class),
                        handle("allocate", MemorySegment.class, long.class, int.class),
                        handle("free", MemorySegment.class)),
                () -> hasContext = true,
                STREAM,
                GRAPH,
                new Ahead(depth, List.of(of)));
    }

    /** As the plan's thread finds it: another device's context may be current. */
    private void launch(Recording recording, int value) {
        hasContext = false;
        sent.init(value);
        sent.set(ELEMENTS - 1, 2 * value);
        recording.launch();
        sent.init(-1);
    }

    private void await(Recording recording, int sum) {
        hasContext = false;
        recording.await();
        assertEquals(
                List.of(sum, sum, 2 * sum),
                List.of(returned.get(0), returned.get(ELEMENTS - 2), returned.get(ELEMENTS - 1)));
    }

    /** What is sent is the host's at the launch, and what is returned comes with the wait for it, launch after launch. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void launchesHaveMemoryOfTheirOwn(int depth) {
        Recording recording = recording(depth, returned).orElseThrow();
        assertEquals(depth, recording.depth());
        assertEquals(3 * depth, alive.size());
        int value = 1;
        int sum = 0;
        for (int round = 0; round < 3; round++) {
            for (int i = 0; i < depth; i++) {
                launch(recording, value << i);
            }
            int before = returned.get(0);
            assertThrows(IllegalStateException.class, recording::launch, "as many as may be under way");
            assertEquals(before, returned.get(0), "nobody has waited");
            for (int i = 0; i < depth; i++) {
                sum += value << i;
                await(recording, sum);
            }
            assertThrows(IllegalStateException.class, recording::await, "all are done");
            value *= 10;
        }
        hasContext = false;
        recording.close();
        assertEquals(List.of(), List.copyOf(alive));
    }

    /** The second is given before the first is waited for, and so on: graphs take turns. */
    @Test
    void oneIsAlwaysUnderWay() {
        Recording recording = recording(2, returned).orElseThrow();
        launch(recording, 1);
        int sum = 0;
        for (int i = 1; i < 6; i++) {
            launch(recording, i + 1);
            sum += i;
            await(recording, sum);
        }
        hasContext = false;
        recording.close(); // which waits for the last: it may copy still
        assertEquals(21, sums[0]);
        assertEquals(List.of(), List.copyOf(alive));
    }

    /** Memory, a graph or an event that there is not: what there is, is given back, and the graph is as it was. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3, 4, 5})
    void whatTheDriverRefusesLeavesNothing(int call) {
        failing = call;
        hasContext = true;
        assertEquals(Optional.empty(), recording(2, returned));
        assertEquals(call + 1, making);
        assertNothingIsLeft();
    }

    private void assertNothingIsLeft() {
        assertEquals(List.of(), List.copyOf(alive));
        assertEquals(
                List.of(
                        sent.getSegmentWithHeader().address(),
                        returned.getSegmentWithHeader().address()),
                copies(),
                "the graph copies as before");
    }

    /** Where the graph copies from, and to. */
    private List<Long> copies() {
        return List.of(
                nodes.get(0).get(ValueLayout.JAVA_LONG, SOURCE_HOST),
                nodes.get(1).get(ValueLayout.JAVA_LONG, TARGET_HOST));
    }

    /** Drivers that change no copies: the first, or the second. */
    @ParameterizedTest
    @ValueSource(longs = {0, 1})
    void copiesThatTheDriverDoesNotChangeStay(long node) {
        unchangeable = node;
        hasContext = true;
        assertEquals(Optional.empty(), recording(2, returned));
        assertNothingIsLeft();
    }

    @Test
    void copiesToOtherArraysAreRefused() {
        hasContext = true;
        assertEquals(Optional.empty(), recording(2, new IntArray(ELEMENTS)));
        assertEquals(0, making);
    }

    private static MethodHandle unused() {
        return MethodHandles.constant(int.class, 1);
    }

    private MethodHandle handle(String name, Class<?>... parameters) {
        return WrittenDriver.function(MethodHandles.lookup(), this, name, parameters);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int list(long graph, MemorySegment all, MemorySegment count) {
        assertEquals(GRAPH, graph);
        return WrittenDriver.list(nodes.size(), 0, all, count);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int type(long node, MemorySegment type) {
        assertTrue(node < nodes.size());
        type.set(ValueLayout.JAVA_INT, 0, 1);
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int tell(long node, MemorySegment parameters) {
        parameters.copyFrom(nodes.get((int) node));
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int change(long node, MemorySegment parameters) {
        if (node == unchangeable) {
            return 1;
        }
        nodes.get((int) node).copyFrom(parameters);
        return 0;
    }

    private int made(MemorySegment handle, long made) {
        if (making++ == failing) {
            return 2;
        }
        alive.add(made);
        handle.set(ValueLayout.JAVA_LONG, 0, made);
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int instantiate(MemorySegment handle, long graph, long flags) {
        assertEquals(GRAPH, graph);
        assertEquals(0, flags);
        long made = handles++;
        executables.put(made, copies());
        assertTrue(
                Math.abs(copies().getFirst() - copies().getLast())
                        >= sent.getSegmentWithHeader().byteSize(),
                "copies have room of their own");
        return made(handle, made);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int createEvent(MemorySegment handle, int flags) {
        assertEquals(2, flags, "an event without a time, which would cost some");
        return made(handle, handles++);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int allocate(MemorySegment pointer, long bytes, int flags) {
        assertEquals(0, flags);
        return made(pointer, arena.allocate(bytes, 256).address());
    }

    private int release(long handle) {
        assertTrue(hasContext);
        assertEquals(List.of(), List.copyOf(underWay), "nothing is released that the device may use");
        assertTrue(alive.remove(handle), "it is there");
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int destroy(long handle) {
        return release(handle);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int free(MemorySegment memory) {
        return release(memory.address());
    }

    private int enqueue(long handle, long stream) {
        assertEquals(STREAM, stream);
        assertTrue(hasContext);
        assertTrue(alive.contains(handle));
        underWay.add(handle);
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int launch(long executable, long stream) {
        return enqueue(executable, stream);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int recordEvent(long event, long stream) {
        return enqueue(event, stream);
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int synchronizeEvent(long event) {
        assertTrue(hasContext);
        assertTrue(underWay.contains(event), "it was recorded behind the launch");
        for (long done = -1; done != event; ) {
            done = underWay.remove();
            run(done);
        }
        return 0;
    }

    @SuppressWarnings("UnusedMethod") // called by its name
    private int synchronize(long stream) {
        assertEquals(STREAM, stream);
        assertTrue(hasContext);
        while (!underWay.isEmpty()) {
            run(underWay.remove());
        }
        return 0;
    }

    private void run(long handle) {
        List<Long> copies = executables.get(handle);
        if (copies == null) {
            return; // an event
        }
        long bytes = sent.getSegmentWithHeader().byteSize();
        long header = bytes - (long) ELEMENTS * Integer.BYTES;
        MemorySegment from = MemorySegment.ofAddress(copies.get(0)).reinterpret(bytes);
        MemorySegment to = MemorySegment.ofAddress(copies.get(1)).reinterpret(bytes);
        to.asSlice(0, header).copyFrom(from.asSlice(0, header));
        for (int i = 0; i < ELEMENTS; i++) {
            sums[i] += from.get(ValueLayout.JAVA_INT_UNALIGNED, header + (long) i * Integer.BYTES);
            to.set(ValueLayout.JAVA_INT_UNALIGNED, header + (long) i * Integer.BYTES, sums[i]);
        }
    }
}
