package org.tornadodit.host;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid1D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Who writes outside a device's array is told which array, where, and in which task. */
class GuardTest {
    private static final int N = 5;

    /** Past all checks, as code that has an address may. */
    static void writeRaw(IntArray out, int index) {
        out.set(0, 1);
        MemorySegment elements = out.getSegment();
        MemorySegment.ofAddress(elements.address() + 4L * index).reinterpret(4).set(ValueLayout.JAVA_INT, 0, 7);
    }

    static void writeChecked(KernelContext context, IntArray out, int index) {
        out.set(index + context.globalIdx, 1);
    }

    @ParameterizedTest
    @CsvSource({"-1", "-4", "-5", "-68", "5", "6", "68"})
    void aWriteBesideTheElementsIsNoticedAfterTheTask(int index) {
        IntArray out = new IntArray(N);
        TaskGraph graph = new TaskGraph("guards")
                .task("raw", GuardTest::writeRaw, out, index)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
        assertMessage(
                "task guards.raw: index " + index
                        + " is outside IntArray(5), argument 1 of guards.raw, and was written past all checks",
                graph,
                null);
    }

    @Test
    void whatIsWrittenToTheElementsIsNot() throws Exception {
        IntArray out = new IntArray(N);
        TaskGraph graph = new TaskGraph("guards")
                .task("raw", GuardTest::writeRaw, out, N - 1)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.execute();
        }
        assertEquals(7, out.get(N - 1));
    }

    @Test
    void anIndexOutsideNamesArrayAndTask() {
        IntArray out = new IntArray(N);
        TaskGraph graph = new TaskGraph("guards")
                .task("checked", GuardTest::writeChecked, new KernelContext(), out, 4)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
        WorkerGrid1D grid = new WorkerGrid1D(2);
        grid.setLocalWork(2, 1, 1);
        assertMessage(
                "task guards.checked: work item global (1, 0, 0), local (1, 0, 0), group (0, 0, 0):"
                        + " java.lang.IndexOutOfBoundsException: index 5 is outside IntArray(5), argument 2 of"
                        + " guards.checked",
                graph,
                new GridScheduler("guards.checked", grid));
    }

    private static void assertMessage(String message, TaskGraph graph, @Nullable GridScheduler grids) {
        TornadoRuntimeException thrown = assertThrows(TornadoRuntimeException.class, () -> {
            try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
                if (grids != null) {
                    plan.withGridScheduler(grids);
                }
                plan.execute();
            }
        });
        assertEquals(message, thrown.getMessage());
    }
}
