package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.WorkerGrid3D;
import uk.ac.manchester.tornado.api.common.TornadoFunctions;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class WorkGroupTest {
    /** C = A B, 16 x 16 tiles, two barriers a tile. */
    static void product(KernelContext context, FloatArray a, FloatArray b, FloatArray c, int n) {
        int row = context.localIdy;
        int column = context.localIdx;
        int i = context.globalIdy;
        int j = context.globalIdx;
        float[] tileA = context.allocateFloatLocalArray(256);
        float[] tileB = context.allocateFloatLocalArray(256);
        float sum = 0;
        for (int k = 0; k < n; k += 16) {
            tileA[row * 16 + column] = a.get(i * n + k + column);
            tileB[row * 16 + column] = b.get((k + row) * n + j);
            context.localBarrier();
            for (int t = 0; t < 16; t++) {
                sum += tileA[row * 16 + t] * tileB[t * 16 + column];
            }
            context.localBarrier();
        }
        c.set(i * n + j, sum);
    }

    /** Item 0 reads what item 63 wrote, without a barrier in between. */
    static void reversalWithoutBarrier(KernelContext context, IntArray in, IntArray out) {
        int local = context.localIdx;
        int[] tile = context.allocateIntLocalArray(64);
        tile[local] = in.get(context.globalIdx);
        out.set(context.globalIdx, tile[63 - local]);
    }

    /** Each item takes the value of the one before: wrong without a barrier, but right when items run in order. */
    static void shiftWithoutBarrier(KernelContext context, IntArray in, IntArray out) {
        int local = context.localIdx;
        int[] tile = context.allocateIntLocalArray(64);
        tile[local] = in.get(context.globalIdx);
        out.set(context.globalIdx, local == 0 ? 0 : tile[local - 1]);
    }

    static void earlyReturn(KernelContext context, IntArray in, IntArray out) {
        if (context.globalIdx >= 40) {
            return;
        }
        int[] tile = context.allocateIntLocalArray(64);
        tile[context.localIdx] = in.get(context.globalIdx);
        context.localBarrier();
        out.set(context.globalIdx, tile[context.localIdx]);
    }

    static void positions(KernelContext context, IntArray in, IntArray out) {
        int width = context.globalGroupSizeX;
        int height = context.globalGroupSizeY;
        int index = (context.globalIdz * height + context.globalIdy) * width + context.globalIdx;
        int local = (context.localIdz * context.localGroupSizeY + context.localIdy) * context.localGroupSizeX
                + context.localIdx;
        int groups = width / context.localGroupSizeX;
        int group =
                (context.groupIdz * (height / context.localGroupSizeY) + context.groupIdy) * groups + context.groupIdx;
        out.set(index, group * 1000 + local + in.get(0));
    }

    static void warpSums(KernelContext context, FloatArray in, FloatArray out) {
        float value = in.get(context.globalIdx);
        float sum = context.simdSum(value);
        float next = context.simdShuffleDown(value, 1);
        float first = context.simdBroadcastFirst(value);
        out.set(context.globalIdx, context.localIdx % 32 == 0 ? sum : next * 100 + first);
    }

    /** Reverses each warp, by a method that has no context. */
    static void reversedWarps(KernelContext context, IntArray in, IntArray out) {
        out.set(context.globalIdx, reversed(in.get(context.globalIdx)));
    }

    private static int reversed(int value) {
        return (int) WorkItem.current()
                .exchange(
                        value,
                        "reversed",
                        lanes -> Arrays.asList(lanes).reversed().toArray());
    }

    /** Lanes of one warp at different exchanges. */
    static void divergentShuffle(KernelContext context, IntArray in, IntArray out) {
        float value = in.get(context.globalIdx);
        float other = context.localIdx < 7 ? context.simdSum(value) : context.simdShuffleDown(value, 1);
        out.set(context.globalIdx, (int) other);
    }

    static void count(KernelContext context, IntArray in, IntArray out) {
        context.atomicAdd(out, in.get(context.globalIdx), 1);
    }

    private static void run(TaskGraph graph, WorkerGrid grid) {
        GridScheduler grids = new GridScheduler(graph.getTaskGraphName() + ".t", grid);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(grids).execute();
        } catch (TornadoExecutionPlanException e) {
            throw new IllegalStateException(e);
        }
    }

    private static TaskGraph graph(
            TornadoFunctions.Task3<KernelContext, IntArray, IntArray> kernel, IntArray in, IntArray out) {
        return new TaskGraph("g")
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, in, out)
                .task("t", kernel, new KernelContext(), in, out)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
    }

    private static WorkerGrid grid(int global, int local) {
        WorkerGrid grid = new WorkerGrid1D(global);
        grid.setLocalWork(local, 1, 1);
        return grid;
    }

    private static IntArray numbers(int n) {
        IntArray array = new IntArray(n);
        for (int i = 0; i < n; i++) {
            array.set(i, i + 1);
        }
        return array;
    }

    @ParameterizedTest
    @EnumSource
    void tiledProductWithBarriersInALoop(HostRuntime.Order order) {
        int n = 48;
        FloatArray a = new FloatArray(n * n);
        FloatArray b = new FloatArray(n * n);
        FloatArray c = new FloatArray(n * n);
        for (int i = 0; i < n * n; i++) {
            a.set(i, i % 7 - 3);
            b.set(i, i % 5 - 2);
        }
        WorkerGrid grid = new WorkerGrid2D(n, n);
        grid.setLocalWork(16, 16, 1);
        HostRuntime.get().setOrder(order);
        try {
            run(
                    new TaskGraph("g")
                            .transferToDevice(DataTransferMode.FIRST_EXECUTION, a, b)
                            .task("t", WorkGroupTest::product, new KernelContext(), a, b, c, n)
                            .transferToHost(DataTransferMode.EVERY_EXECUTION, c),
                    grid);
        } finally {
            HostRuntime.get().setOrder(HostRuntime.Order.FORWARD);
        }
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                float expected = 0;
                for (int k = 0; k < n; k++) {
                    expected += a.get(i * n + k) * b.get(k * n + j);
                }
                assertEquals(expected, c.get(i * n + j));
            }
        }
    }

    @Test
    void unwrittenLocalMemoryIsPoison() {
        IntArray out = new IntArray(64);
        run(graph(WorkGroupTest::reversalWithoutBarrier, numbers(64), out), grid(64, 64));
        assertEquals(0xDEADBEEF, out.get(0));
    }

    @Test
    void reverseOrderUncoversAMissingBarrier() {
        IntArray forward = new IntArray(64);
        run(graph(WorkGroupTest::shiftWithoutBarrier, numbers(64), forward), grid(64, 64));
        assertEquals(62, forward.get(62), "in order, the missing barrier does not show");
        IntArray reverse = new IntArray(64);
        HostRuntime.get().setOrder(HostRuntime.Order.REVERSE);
        try {
            run(graph(WorkGroupTest::shiftWithoutBarrier, numbers(64), reverse), grid(64, 64));
        } finally {
            HostRuntime.get().setOrder(HostRuntime.Order.FORWARD);
        }
        assertEquals(0xDEADBEEF, reverse.get(62));
    }

    @Test
    void aBarrierThatNotAllReachIsAnError() {
        TornadoRuntimeException e = assertThrows(
                TornadoRuntimeException.class,
                () -> run(graph(WorkGroupTest::earlyReturn, numbers(64), new IntArray(64)), grid(64, 64)));
        assertTrue(
                String.valueOf(e.getMessage())
                        .startsWith(
                                "task g.t: deadlock: of 64 work items 24 have ended; 40 wait for the group's barrier"),
                e.toString());
    }

    @Test
    void positionsInThreeDimensions() {
        WorkerGrid grid = new WorkerGrid3D(6, 4, 4);
        grid.setLocalWork(3, 2, 2);
        IntArray out = new IntArray(96);
        run(graph(WorkGroupTest::positions, IntArray.fromElements(0), out), grid);
        for (int z = 0; z < 4; z++) {
            for (int y = 0; y < 4; y++) {
                for (int x = 0; x < 6; x++) {
                    int group = (z / 2 * 2 + y / 2) * 2 + x / 3;
                    int local = (z % 2 * 2 + y % 2) * 3 + x % 3;
                    assertEquals(group * 1000 + local, out.get((z * 4 + y) * 6 + x));
                }
            }
        }
    }

    @Test
    void warpShuffles() {
        FloatArray in = new FloatArray(64);
        for (int i = 0; i < 64; i++) {
            in.set(i, i);
        }
        FloatArray out = new FloatArray(64);
        run(
                new TaskGraph("g")
                        .transferToDevice(DataTransferMode.EVERY_EXECUTION, in)
                        .task("t", WorkGroupTest::warpSums, new KernelContext(), in, out)
                        .transferToHost(DataTransferMode.EVERY_EXECUTION, out),
                grid(64, 64));
        assertEquals(31 * 32 / 2, out.get(0));
        assertEquals(31 * 32 / 2 + 32 * 32, out.get(32));
        assertEquals(600, out.get(5), "lane 5 takes lane 6's value, lane 0 has 0");
        assertEquals(3100, out.get(31), "the last lane keeps its own value");
        assertEquals(3432, out.get(33));
    }

    @Test
    void warpsExchangeAnything() {
        IntArray out = new IntArray(64);
        run(graph(WorkGroupTest::reversedWarps, numbers(64), out), grid(64, 64));
        assertEquals(32, out.get(0));
        assertEquals(1, out.get(31));
        assertEquals(33, out.get(63));
        assertThrows(IllegalStateException.class, WorkItem::current);
        assertThrows(
                TornadoRuntimeException.class,
                () -> run(graph(WorkGroupTest::divergentShuffle, numbers(64), new IntArray(64)), grid(64, 64)));
        assertThrows(
                TornadoRuntimeException.class,
                () -> run(graph(WorkGroupTest::reversedWarps, numbers(48), new IntArray(48)), grid(48, 48)),
                "a warp of 16 lanes");
    }

    @Test
    void atomicsOfManyGroupsLoseNothing() {
        int n = 64 * 256;
        IntArray in = new IntArray(n);
        for (int i = 0; i < n; i++) {
            in.set(i, i % 3);
        }
        IntArray out = new IntArray(3);
        run(graph(WorkGroupTest::count, in, out), grid(n, 64));
        assertArrayEquals(new int[] {(n + 2) / 3, (n + 1) / 3, n / 3}, out.toHeapArray());
    }

    @Test
    void anIndexOutsideNamesTaskAndWorkItem() {
        TornadoRuntimeException e = assertThrows(
                TornadoRuntimeException.class,
                () -> run(graph(WorkGroupTest::shiftWithoutBarrier, numbers(100), new IntArray(128)), grid(128, 64)));
        assertEquals(
                "task g.t: work item global (100, 0, 0), local (36, 0, 0), group (1, 0, 0): "
                        + "java.lang.IndexOutOfBoundsException: index 100 is outside IntArray(100), argument 2 of g.t",
                e.getMessage());
    }

    @Test
    void gridsThatNoDeviceTakesAreRefused() {
        IntArray a = numbers(64);
        for (WorkerGrid wrong : new WorkerGrid[] {grid(100, 64), grid(2048, 2048)}) {
            assertThrows(
                    TornadoRuntimeException.class,
                    () -> run(graph(WorkGroupTest::shiftWithoutBarrier, a, new IntArray(64)), wrong));
        }
    }

    @Test
    void bothKindsOfCoroutineTakeTurns() {
        assertTrue(ContinuationCoroutine.isAvailable(), "surefire exports jdk.internal.vm");
        for (int kind = 0; kind < 2; kind++) {
            StringBuilder trace = new StringBuilder();
            Coroutine[] self = new Coroutine[1];
            Runnable body = () -> {
                trace.append('a');
                self[0].suspend();
                trace.append('b');
            };
            self[0] = kind == 0 ? new ContinuationCoroutine(body) : new Coroutine.ThreadCoroutine(body);
            self[0].resume();
            trace.append('1');
            self[0].resume();
            trace.append('2');
            assertEquals("a1b2", trace.toString());
        }
    }

    @Test
    void threadsServeWhereContinuationsAreNotExported() {
        LaunchGrid grid = new LaunchGrid(new int[] {16, 1, 1}, new int[] {8, 1, 1});
        StringBuilder trace = new StringBuilder();
        List<WorkItem> seen = new ArrayList<>();
        Kernel kernel = arguments -> {
            WorkItem item = seen.getLast();
            trace.append(item.localId(0));
            item.barrier();
            trace.append(item.localId(0));
            item.barrier();
            trace.append(item.localId(0));
            if (item.groupId(0) == 1 && item.localId(0) == 3) {
                throw new IllegalStateException("third turn");
            }
        };
        WorkGroup group = new WorkGroup(
                kernel,
                new Object[] {new KernelContext()},
                item -> {
                    seen.add(item);
                    return new KernelContext();
                },
                grid,
                false,
                Coroutine.ThreadCoroutine::new,
                () -> {});
        group.run(0);
        assertEquals("012345670123456701234567", trace.toString());
        trace.setLength(0);
        assertThrows(WorkItemException.class, () -> group.run(1));
        group.close();
        assertEquals("01234567012345670123", trace.toString(), "the others end without going on");
    }

    /** A turn is handed over in the JVM only between virtual threads; the operating system took half of the time. */
    @Test
    void threadsAreCalledFromVirtualThreads() {
        Queue<Thread> threads = new ConcurrentLinkedQueue<>();
        Coroutine.Runs runs = new Coroutine.VirtualThreads();
        runs.run(3, () -> {
            if (threads.size() < 3) {
                runs.begin(() -> threads.add(Thread.currentThread()));
            }
            threads.add(Thread.currentThread());
        });
        assertTrue(threads.size() > 3, "those begun by others have ended too: " + threads);
        assertTrue(threads.stream().allMatch(Thread::isVirtual), threads.toString());
        CompletionException thrown = assertThrows(
                CompletionException.class,
                () -> new Coroutine.VirtualThreads().run(2, () -> {
                    throw new IllegalStateException("a group's end");
                }));
        assertInstanceOf(IllegalStateException.class, thrown.getCause());
    }

    @Test
    void severalPlansRunAtOnce() throws Exception {
        HostRuntime.get().setDeviceCount(4);
        FloatArray weights = new FloatArray(64);
        weights.init(3);
        FloatArray[] results = new FloatArray[4];
        try (ExecutorService threads = Executors.newFixedThreadPool(4)) {
            List<Future<?>> runs = new ArrayList<>();
            for (int d = 0; d < 4; d++) {
                int device = d;
                results[d] = new FloatArray(64);
                runs.add(threads.submit(() -> {
                    TaskGraph graph = new TaskGraph("g" + device)
                            .transferToDevice(DataTransferMode.FIRST_EXECUTION, weights)
                            .task("t", WorkGroupTest::warpSums, new KernelContext(), weights, results[device])
                            .transferToHost(DataTransferMode.EVERY_EXECUTION, results[device]);
                    TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())
                            .withDevice(TornadoExecutionPlan.getDevice(0, device))
                            .withGridScheduler(new GridScheduler("g" + device + ".t", grid(64, 32)));
                    for (int i = 0; i < 20; i++) {
                        plan.execute();
                    }
                    return plan.freeDeviceMemory();
                }));
            }
            for (Future<?> run : runs) {
                run.get();
            }
        }
        for (FloatArray result : results) {
            assertEquals(96, result.get(0));
            assertEquals(303, result.get(63));
        }
        HostRuntime.get().setDeviceCount(1);
    }
}
