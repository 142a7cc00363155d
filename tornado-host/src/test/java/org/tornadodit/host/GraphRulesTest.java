package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static uk.ac.manchester.tornado.api.enums.DataTransferMode.EVERY_EXECUTION;
import static uk.ac.manchester.tornado.api.enums.DataTransferMode.FIRST_EXECUTION;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.DataRange;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the engine builds on, on the host here and on TornadoVM's devices in {@link GraphRulesOnDeviceTest}. */
class GraphRulesTest {
    static void increment(FloatArray a) {
        for (@Parallel int i = 0; i < a.getSize(); i++) {
            a.set(i, a.get(i) + 1);
        }
    }

    static void twice(FloatArray a, FloatArray b) {
        for (@Parallel int i = 0; i < a.getSize(); i++) {
            b.set(i, a.get(i) * 2);
        }
    }

    /** Each group of 64 turns its elements round, twice round by way of local memory. */
    static void reverse(KernelContext context, FloatArray in, FloatArray out, int rounds) {
        int local = context.localIdx;
        float[] tile = context.allocateFloatLocalArray(64);
        float value = in.get(context.globalIdx);
        for (int round = 0; round < rounds; round++) {
            tile[local] = value;
            context.localBarrier();
            value = tile[63 - local];
            context.localBarrier();
        }
        out.set(context.globalIdx, value);
    }

    static void positions(KernelContext context, IntArray out) {
        int index = context.globalIdy * context.globalGroupSizeX + context.globalIdx;
        int group = context.groupIdy * 100 + context.groupIdx;
        int local = context.localIdy * context.localGroupSizeX + context.localIdx;
        out.set(index, group * 1000 + local);
    }

    static void count(KernelContext context, IntArray in, IntArray out) {
        context.atomicAdd(out, in.get(context.globalIdx), 1);
    }

    /** Names of graphs are unique in the JVM. */
    private static String unique(String name) {
        return name + System.nanoTime();
    }

    private static FloatArray ones() {
        FloatArray array = new FloatArray(256);
        array.init(1);
        return array;
    }

    private static ImmutableTaskGraph step(FloatArray x, String name, String... sources) {
        TaskGraph graph = new TaskGraph(name);
        if (sources.length == 0) {
            graph.consumeFromDevice(x);
        }
        for (String source : sources) {
            graph.consumeFromDevice(source, x);
        }
        return graph.task("t", GraphRulesTest::increment, x).persistOnDevice(x).snapshot();
    }

    private static ImmutableTaskGraph upload(FloatArray x, String name) {
        return new TaskGraph(name)
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", GraphRulesTest::increment, x)
                .persistOnDevice(x)
                .snapshot();
    }

    @Test
    void graphsChainThroughTheDevice() throws Exception {
        FloatArray x = ones();
        String u = unique("u");
        String a = unique("a");
        String b = unique("b");
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(upload(x, u), step(x, a, u, b), step(x, b, a))) {
            plan.withGraph(0).execute();
            for (int i = 0; i < 5; i++) {
                plan.withGraph(1).execute();
                plan.withGraph(2).execute();
            }
            plan.withGraph(1).execute().transferToHost(x);
            assertEquals(13, x.get(255));
        }
    }

    @Test
    void consumptionWithoutANameTakesFromAnyGraph() throws Exception {
        FloatArray x = ones();
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(upload(x, unique("u")), step(x, unique("a")))) {
            plan.withGraph(0).execute();
            plan.withGraph(1).execute();
            plan.withGraph(1).execute().transferToHost(x);
            assertEquals(4, x.get(0));
        }
    }

    @Test
    void chainsAreTakenDownGraphByGraph() throws Exception {
        FloatArray x = ones();
        FloatArray weights = ones();
        String u = unique("u");
        TornadoExecutionPlan plan = new TornadoExecutionPlan(
                upload(x, u),
                new TaskGraph(unique("a"))
                        .transferToDevice(FIRST_EXECUTION, weights)
                        .consumeFromDevice(u, x)
                        .task("t", GraphRulesTest::twice, weights, x)
                        .persistOnDevice(x)
                        .snapshot());
        plan.withGraph(0).execute();
        plan.withGraph(1).execute().transferToHost(x);
        assertEquals(2, x.get(0));
        plan.withGraph(0).freeDeviceMemory();
        plan.withGraph(1);
        assertThrows(TornadoInternalError.class, plan::freeDeviceMemory);
        plan.withGraph(0).close();
    }

    @Test
    void transfersHappenWhenTheyAreDeclaredTo() throws Exception {
        FloatArray x = ones();
        FloatArray y = ones();
        FloatArray z = ones();
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(unique("g"))
                .transferToDevice(EVERY_EXECUTION, x)
                .task("t", GraphRulesTest::twice, x, y)
                .task("u", GraphRulesTest::twice, y, z)
                .transferToHost(EVERY_EXECUTION, z)
                .snapshot())) {
            plan.execute();
            assertEquals(4, z.get(7));
            x.init(6);
            plan.execute();
            assertEquals(24, z.get(7));
            plan.freeDeviceMemory();
            plan.execute();
            assertEquals(24, z.get(7), "freed memory is allocated and transferred again");
        }
    }

    @Test
    void whatIsTransferredFirstKeepsTheDevicesChanges() throws Exception {
        FloatArray x = ones();
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(unique("g"))
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", GraphRulesTest::increment, x)
                .transferToHost(EVERY_EXECUTION, x)
                .snapshot())) {
            plan.execute();
            plan.execute();
            assertEquals(3, x.get(3));
        }
    }

    @Test
    void aPartOfAnArray() throws Exception {
        FloatArray x = ones();
        FloatArray y = new FloatArray(256);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(unique("g"))
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", GraphRulesTest::twice, x, y)
                .persistOnDevice(y)
                .snapshot())) {
            plan.execute().transferToHost(new DataRange(y).withOffset(6).withSize(2));
            assertArrayEquals(new float[] {0, 2, 2, 0}, new float[] {y.get(5), y.get(6), y.get(7), y.get(8)});
        }
    }

    @Test
    void barriersAndLocalMemory() throws Exception {
        FloatArray x = new FloatArray(256);
        FloatArray y = new FloatArray(256);
        for (int i = 0; i < 256; i++) {
            x.set(i, i);
        }
        WorkerGrid grid = new WorkerGrid1D(256);
        grid.setLocalWork(64, 1, 1);
        String name = unique("g");
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(name)
                .transferToDevice(FIRST_EXECUTION, x)
                .task("t", GraphRulesTest::reverse, new KernelContext(), x, y, 3)
                .transferToHost(EVERY_EXECUTION, y)
                .snapshot())) {
            plan.withGridScheduler(new GridScheduler(name + ".t", grid)).execute();
            for (int i = 0; i < 256; i++) {
                assertEquals(i / 64 * 64 + 63 - i % 64, y.get(i));
            }
        }
    }

    @Test
    void positionsInTheGrid() throws Exception {
        IntArray out = new IntArray(24 * 8);
        WorkerGrid grid = new WorkerGrid2D(24, 8);
        grid.setLocalWork(8, 4, 1);
        String name = unique("g");
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(name)
                .task("t", GraphRulesTest::positions, new KernelContext(), out)
                .transferToHost(EVERY_EXECUTION, out)
                .snapshot())) {
            plan.withGridScheduler(new GridScheduler(name + ".t", grid)).execute();
            for (int y = 0; y < 8; y++) {
                for (int x = 0; x < 24; x++) {
                    assertEquals((y / 4 * 100 + x / 8) * 1000 + y % 4 * 8 + x % 8, out.get(y * 24 + x));
                }
            }
        }
    }

    @Test
    void atomicsLoseNothing() throws Exception {
        IntArray in = new IntArray(1024);
        for (int i = 0; i < 1024; i++) {
            in.set(i, i % 3);
        }
        IntArray out = new IntArray(3);
        WorkerGrid grid = new WorkerGrid1D(1024);
        grid.setLocalWork(64, 1, 1);
        String name = unique("g");
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(new TaskGraph(name)
                .transferToDevice(EVERY_EXECUTION, in, out)
                .task("t", GraphRulesTest::count, new KernelContext(), in, out)
                .transferToHost(EVERY_EXECUTION, out)
                .snapshot())) {
            plan.withGridScheduler(new GridScheduler(name + ".t", grid)).execute();
            assertArrayEquals(new int[] {342, 341, 341}, out.toHeapArray());
        }
    }
}
