package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static uk.ac.manchester.tornado.api.enums.DataTransferMode.EVERY_EXECUTION;
import static uk.ac.manchester.tornado.api.enums.DataTransferMode.FIRST_EXECUTION;
import static uk.ac.manchester.tornado.api.enums.DataTransferMode.UNDER_DEMAND;

import java.lang.foreign.ValueLayout;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

class TaskGraphTest {
    private static final int N = 8;
    private static final long BYTES = TornadoNativeArray.ARRAY_HEADER + 4 * N;

    private final HostRuntime runtime = HostRuntime.get();
    private final FloatArray x = FloatArray.fromElements(1, 2, 3, 4, 5, 6, 7, 8);
    private final FloatArray y = new FloatArray(N);
    private final FloatArray z = new FloatArray(N);
    private long before;

    @BeforeEach
    void readMeter() {
        runtime.setDeviceCount(1);
        runtime.device(0).resetMeters();
        before = runtime.device(0).usedBytes();
    }

    @AfterEach
    void takeBackFaults() {
        runtime.device(0).faults().clear();
        runtime.device(0).limitMemory(4L << 30);
    }

    static void twice(FloatArray in, FloatArray out) {
        for (@Parallel int i = 0; i < in.getSize(); i++) {
            out.set(i, 2 * in.get(i));
        }
    }

    static void nothing(FloatArray a) {}

    static void readFirst(FloatArray a) {
        float unused = a.get(0);
        assertTrue(unused > 0);
    }

    static void increment(FloatArray a) {
        for (@Parallel int i = 0; i < a.getSize(); i++) {
            a.set(i, a.get(i) + 1);
        }
    }

    static void addScalars(KernelContext context, FloatArray a, FloatArray out, float f, int i, boolean b) {
        int index = context.globalIdx;
        out.set(index, a.get(index) + f + i + (b ? 1000 : 0));
    }

    private static void assertRefused(String message, Executable code) {
        RuntimeException e = assertThrows(RuntimeException.class, code);
        assertTrue(String.valueOf(e.getMessage()).contains(message), e.toString());
    }

    private TaskGraph upload() {
        return new TaskGraph("upload")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::readFirst, x)
                .persistOnDevice(x);
    }

    private TaskGraph step(String name, String... sources) {
        TaskGraph graph = new TaskGraph(name);
        for (String source : sources) {
            graph.consumeFromDevice(source, x);
        }
        return graph.task("t", TaskGraphTest::increment, x).persistOnDevice(x);
    }

    @Test
    void kernelsWorkOnTheDevicesCopies() throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(EVERY_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .transferToHost(UNDER_DEMAND, y)
                .snapshot())) {
            TornadoExecutionResult result = plan.execute();
            assertRefused("stale read on the host: FloatArray(8), argument 2 of g.t", () -> y.get(0));
            result.transferToHost(y);
            assertArrayEquals(new float[] {2, 4, 6, 8, 10, 12, 14, 16}, y.toHeapArray());
            x.set(0, 50);
            plan.execute().transferToHost(y);
            assertEquals(100, y.get(0));
            assertEquals(2 * 4 * N, runtime.device(0).bytesToDevice());
            assertEquals(2L, runtime.device(0).launches().get("g.t"));
            assertEquals(2 * BYTES, plan.getCurrentDeviceMemoryUsage());
        }
        assertEquals(before, runtime.device(0).usedBytes());
        assertEquals(before + 2 * BYTES, runtime.device(0).peakBytes());
    }

    @Test
    void anArrayUnderDemandIsNotSent() throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .transferToDevice(UNDER_DEMAND, y)
                .task("t", TaskGraphTest::twice, x, y)
                .persistOnDevice(x, y)
                .snapshot())) {
            plan.execute().transferToHost(y);
            assertEquals(16, y.get(7));
            assertEquals(4 * N, runtime.device(0).bytesToDevice());
            assertEquals(0, runtime.device(0).bytesLeftOpen());
        }
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("h")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .persistOnDevice(x, y)
                .snapshot())) {
            plan.execute();
            assertEquals(4 * N, runtime.device(0).bytesLeftOpen());
        }
    }

    @Test
    void aStaleSegmentHoldsNoPlausibleValues() throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .persistOnDevice(y)
                .snapshot())) {
            plan.execute();
            assertTrue(Float.isNaN(y.getSegment().get(ValueLayout.JAVA_FLOAT, 0)));
        }
    }

    @Test
    void undefinedDeviceMemoryIsNotRead() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .task("t", TaskGraphTest::twice, z, y)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot());
        assertRefused("task g.t: read of undefined device memory: FloatArray(8), argument 1 of g.t", plan::execute);
        TornadoExecutionPlan copy = new TornadoExecutionPlan(new TaskGraph("g")
                .task("t", TaskGraphTest::nothing, y)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot());
        assertRefused("no task has written it", copy::execute);
    }

    @Test
    void outputsAreUndefinedAgainAtEveryExecution() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("before", TaskGraphTest::twice, x, z)
                .task("t", TaskGraphTest::increment, z)
                .persistOnDevice(z)
                .snapshot());
        plan.execute();
        assertEquals(3, after(plan, z));
        plan.execute();
        assertEquals(3, after(plan, z));
    }

    private static float after(TornadoExecutionPlan plan, FloatArray array) {
        plan.execute().transferToHost(array);
        return array.get(0);
    }

    @Test
    void graphsChainThroughTheDevice() throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(
                upload().snapshot(),
                step("a", "upload", "b").snapshot(),
                step("b", "a").snapshot())) {
            plan.withGraph(0).execute();
            assertEquals(before + BYTES, runtime.device(0).usedBytes(), "one buffer serves all graphs");
            plan.withGraph(1).execute();
            plan.withGraph(2).execute();
            plan.withGraph(1).execute().transferToHost(x);
            assertArrayEquals(new float[] {4, 5, 6, 7, 8, 9, 10, 11}, x.toHeapArray());
            assertEquals(before + BYTES, runtime.device(0).usedBytes());
            plan.withGraph(2).execute();
            assertRefused("from a, but graph b ran last", plan::execute);
        }
        assertEquals(before, runtime.device(0).usedBytes());
    }

    @Test
    void sharedBuffersAreFreedOnce() throws Exception {
        TaskGraph weighted = new TaskGraph("a")
                .transferToDevice(FIRST_EXECUTION, y)
                .consumeFromDevice("upload", x)
                .task("t", TaskGraphTest::increment, x)
                .persistOnDevice(x);
        TornadoExecutionPlan plan = new TornadoExecutionPlan(upload().snapshot(), weighted.snapshot());
        plan.withGraph(0).execute();
        plan.withGraph(1).execute();
        assertEquals(before + 2 * BYTES, runtime.device(0).usedBytes());
        plan.withGraph(0).freeDeviceMemory();
        assertEquals(before + BYTES, runtime.device(0).usedBytes());
        plan.withGraph(1);
        assertThrows(TornadoInternalError.class, plan::freeDeviceMemory);
        assertEquals(before, runtime.device(0).usedBytes(), "what is transferred to the device is freed first");
        plan.withGraph(0).close();
    }

    /** As TornadoVM leaves it: only a list of the graph names what is freed. */
    @Test
    void anArrayThatNoListNamesStaysOnTheDevice() throws Exception {
        TaskGraph forgetful =
                new TaskGraph("a").transferToDevice(FIRST_EXECUTION, x).task("t", TaskGraphTest::twice, x, y);
        TaskGraph named = new TaskGraph("b")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .persistOnDevice(y);
        for (TaskGraph graph : new TaskGraph[] {named, forgetful}) {
            try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
                plan.execute();
                assertEquals(before + 2 * BYTES, runtime.device(0).usedBytes());
            }
            assertEquals(
                    graph.equals(named) ? before : before + BYTES,
                    runtime.device(0).usedBytes());
        }
    }

    @Test
    void aStaleArrayIsNotTransferredToTheDevice() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(
                upload().snapshot(), step("a", "upload").snapshot());
        plan.withGraph(0).execute();
        plan.withGraph(1).execute();
        TornadoExecutionPlan other = new TornadoExecutionPlan(upload().snapshot());
        assertRefused("stale read on the host", other::execute);
        x.init(3);
        other.execute();
    }

    /** Weights that one graph brings stay with their reader, which takes other arrays from whichever graph runs before it. */
    @Test
    void whatTheLastGraphIsNotNamedForStaysAsItWasTaken() throws Exception {
        TaskGraph both = new TaskGraph("both")
                .transferToDevice(FIRST_EXECUTION, x, y)
                .task("t", TaskGraphTest::increment, x)
                .task("u", TaskGraphTest::increment, y)
                .persistOnDevice(x, y);
        TaskGraph reader = new TaskGraph("reader")
                .consumeFromDevice("both", x, y)
                .consumeFromDevice("reader", x)
                .task("t", TaskGraphTest::increment, x)
                .task("u", TaskGraphTest::increment, y)
                .persistOnDevice(x);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(both.snapshot(), reader.snapshot())) {
            plan.withGraph(0).execute();
            plan.withGraph(1).execute();
            plan.withGraph(1).execute().transferToHost(x);
            assertEquals(4, x.get(0));
        }
    }

    @Test
    void consumptionFollowsTheGraphThatRanLast() {
        TornadoExecutionPlan early = new TornadoExecutionPlan(
                upload().snapshot(), step("a", "upload").snapshot());
        assertRefused(
                "no graph of this plan has been executed",
                () -> early.withGraph(1).execute());
        TornadoExecutionPlan together = new TornadoExecutionPlan(
                upload().snapshot(), step("a", "upload").snapshot());
        assertRefused("earlier execute()", together::execute);

        TornadoExecutionPlan other = new TornadoExecutionPlan(
                upload().snapshot(),
                new TaskGraph("other").task("t", TaskGraphTest::nothing, y).snapshot(),
                step("a", "upload").snapshot());
        other.withGraph(0).execute();
        other.withGraph(1).execute();
        assertRefused(
                "from upload, but graph other ran last",
                () -> other.withGraph(2).execute());

        TaskGraph forgetful =
                new TaskGraph("upload").transferToDevice(FIRST_EXECUTION, x).task("t", TaskGraphTest::nothing, x);
        TornadoExecutionPlan lost = new TornadoExecutionPlan(
                forgetful.snapshot(), step("a", "upload").snapshot());
        lost.withGraph(0).execute();
        assertRefused("does not persist it", () -> lost.withGraph(1).execute());

        TornadoExecutionPlan freed = new TornadoExecutionPlan(
                upload().snapshot(), step("a", "upload").snapshot());
        freed.withGraph(0).execute();
        freed.freeDeviceMemory();
        assertRefused("has been freed", () -> freed.withGraph(1).execute());
    }

    @Test
    void consumptionWithoutANameTakesFromAnyGraph() {
        TaskGraph any = new TaskGraph("any")
                .consumeFromDevice(x)
                .task("t", TaskGraphTest::increment, x)
                .persistOnDevice(x);
        TornadoExecutionPlan plan = new TornadoExecutionPlan(upload().snapshot(), any.snapshot());
        plan.withGraph(0).execute();
        plan.withGraph(1).execute();
        plan.withGraph(1).execute().transferToHost(x);
        assertEquals(3, x.get(0));
    }

    @Test
    void aChangeAfterTheOnlyTransferIsAnError() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot());
        plan.execute();
        plan.execute();
        x.set(3, 7);
        assertRefused("has changed on the host since its only transfer", plan::execute);
        plan.freeDeviceMemory();
        plan.execute();
        assertEquals(14, y.get(3), "freed memory is transferred anew");
    }

    @Test
    void memoryIsLimitedAndMeasured() {
        TaskGraph graph =
                new TaskGraph("g").transferToDevice(FIRST_EXECUTION, x, y).task("t", TaskGraphTest::nothing, x);
        TornadoExecutionPlan limited = new TornadoExecutionPlan(graph.snapshot()).withMemoryLimit("64B");
        assertRefused("graph g needs 96 bytes on the device, the plan's limit is 64", limited::execute);
        runtime.device(0).limitMemory(before + BYTES);
        TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot());
        assertRefused("needs 48 bytes, 0 of " + (before + BYTES) + " are free", plan::execute);
        plan.freeDeviceMemory();
        assertEquals(before, runtime.device(0).usedBytes());
    }

    @Test
    void orderedFailuresHappenOnceAndWhereOrdered() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(EVERY_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot());
        runtime.device(0).faults().failLaunch("g.t", 2);
        plan.execute();
        assertRefused("injected failure: launch of g.t", plan::execute);
        plan.execute();
        plan.freeDeviceMemory();
        runtime.device(0).faults().failAllocation(1);
        assertRefused("injected failure: allocation of 48 bytes", plan::execute);
        plan.execute();
        assertEquals(2, y.get(0));
    }

    @Test
    void aDeviceThatIsHeldDoesNothing() throws Exception {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(EVERY_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot());
        FutureTask<Object> execution = new FutureTask<>(plan::execute);
        Thread thread = Thread.ofPlatform().daemon().unstarted(execution);
        try (HostFaults.Hold _ = runtime.device(0).faults().hold()) {
            thread.start();
            long end = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
            while (thread.getState() != Thread.State.WAITING) {
                assertTrue(System.nanoTime() < end && thread.isAlive(), "it does not wait");
                Thread.onSpinWait();
            }
            assertFalse(execution.isDone());
        }
        execution.get();
        assertEquals(2, y.get(0));
        plan.execute();
        plan.freeDeviceMemory();
    }

    @Test
    void devicesHaveTheirOwnMemory() throws Exception {
        runtime.setDeviceCount(3);
        assertEquals(
                3,
                TornadoExecutionPlan.getTornadoDeviceMap()
                        .getAllBackends()
                        .get(0)
                        .getNumDevices());
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(
                upload().snapshot(), step("a", "upload").snapshot())) {
            plan.withDevice(TornadoExecutionPlan.getDevice(0, 2));
            assertSame(runtime.device(2), plan.getDevice(0));
            plan.withGraph(0).execute();
            assertEquals(BYTES, runtime.device(2).usedBytes());
            assertEquals(before, runtime.device(0).usedBytes());
            plan.withDevice(TornadoExecutionPlan.getDevice(0, 1));
            assertEquals(0, runtime.device(2).usedBytes());
            assertRefused(
                    "no graph of this plan has been executed",
                    () -> plan.withGraph(1).execute());
        }
        runtime.setDeviceCount(1);
        assertRefused("there is no host device 1, there are 1", () -> TornadoExecutionPlan.getDevice(0, 1));
        assertRefused("there is no backend 1", () -> TornadoExecutionPlan.getDevice(1, 0));
    }

    @Test
    void scalarsAndTheDefaultGroup() throws Exception {
        WorkerGrid1D grid = new WorkerGrid1D(N);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::addScalars, new KernelContext(), x, y, 0.5f, 20, true)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot())) {
            assertRefused("has no WorkerGrid: add one to the GridScheduler under the name g.t", plan::execute);
            assertRefused("names no task of the plan", () -> plan.withGridScheduler(new GridScheduler("g.u", grid)));
            plan.withGridScheduler(new GridScheduler("g.t", grid))
                    .withPreCompilation()
                    .execute();
            assertEquals(1021.5f, y.get(0));
            assertEquals(1028.5f, y.get(7));
        }
    }

    @Test
    void aDeviceTellsWhichMethodsItRan() throws Exception {
        TaskGraph graph = new TaskGraph("named")
                .transferToDevice(EVERY_EXECUTION, x)
                .task("first", TaskGraphTest::twice, x, y)
                .task("second", TaskGraphTest::addScalars, new KernelContext(), x, z, 0.5f, 2, true)
                .task("third", TaskGraphTest::nothing, x)
                .transferToHost(EVERY_EXECUTION, y, z);
        GridScheduler grids = new GridScheduler("named.second", new WorkerGrid1D(N));
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(grids);
            plan.execute();
            float[] before = z.toHeapArray();
            assertEquals(
                    Map.of(
                            "named.first",
                            "TaskGraphTest.twice",
                            "named.second",
                            "TaskGraphTest.addScalars",
                            "named.third",
                            ""),
                    runtime.device(0).kernels());
            assertArrayEquals(before, z.toHeapArray());
            runtime.device(0).resetMeters();
            assertEquals(Map.of(), runtime.device(0).kernels());
        }
    }

    @Test
    void aPartOfAnArray() {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph("g")
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .persistOnDevice(y)
                .snapshot());
        plan.execute().transferToHost(new DataRange(y).withOffset(6).withSize(2));
        assertEquals(0, y.get(5));
        assertEquals(14, y.get(6));
        assertRefused(
                "are outside",
                () -> plan.execute()
                        .transferToHost(new DataRange(y).withOffset(7).withSize(2)));
    }

    @Test
    void snapshotsDoNotChange() {
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(EVERY_EXECUTION, x)
                .task("t", TaskGraphTest::twice, x, y)
                .transferToHost(EVERY_EXECUTION, y);
        TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot());
        graph.task("u", TaskGraphTest::increment, y);
        plan.execute();
        assertEquals(2, y.get(0));
    }

    @Test
    void mistakesInGraphsAreRefused() {
        TaskGraph graph = new TaskGraph("g").task("t", TaskGraphTest::increment, x);
        assertRefused("task g.t exists already", () -> graph.task("t", TaskGraphTest::increment, y));
        assertRefused(
                "both consumed",
                () -> new TaskGraph("g").consumeFromDevice("a", x).transferToDevice(0, x));
        assertRefused("not mode 3", () -> new TaskGraph("g").transferToDevice(3, x));
        assertRefused("native arrays only", () -> new TaskGraph("g").transferToDevice(EVERY_EXECUTION, new float[3]));
        assertRefused(
                "graph e has no task",
                () -> new TornadoExecutionPlan(new TaskGraph("e")
                                .transferToDevice(EVERY_EXECUTION, x)
                                .snapshot())
                        .execute());
        assertRefused(
                "two graphs of the plan have the name g",
                () -> new TornadoExecutionPlan(graph.snapshot(), graph.snapshot()));
        assertRefused("the plan has graphs 0 to 0", () -> new TornadoExecutionPlan(graph.snapshot()).withGraph(1));
        assertRefused(
                "neither persist nor transfer",
                () -> new TornadoExecutionPlan(new TaskGraph("h")
                                .task("t", TaskGraphTest::nothing, x)
                                .snapshot())
                        .execute()
                        .transferToHost(y));
    }

    @Test
    void aClosedPlanIsOver() throws Exception {
        TornadoExecutionPlan plan = new TornadoExecutionPlan(upload().snapshot());
        TornadoExecutionResult result = plan.execute();
        plan.close();
        assertRefused("has been closed", plan::execute);
        assertRefused("has not been executed", () -> result.transferToHost(x));
    }
}
