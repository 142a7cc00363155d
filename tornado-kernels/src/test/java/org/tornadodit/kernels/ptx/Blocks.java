package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.tornadodit.host.HostRuntime;
import org.tornadodit.kernels.Launch;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoFunctions;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Runs kernels of the tests. */
final class Blocks {
    /** The tests' kernels. */
    interface Kernel extends TornadoFunctions.Task3<KernelContext, IntArray, FloatArray> {}

    private Blocks() {}

    /** Runs {@code blocks} blocks, with the threads' turns in both orders, whose results must be the same bits. */
    static float[] run(int blocks, int threads, Kernel kernel, IntArray in, int outputs) {
        float[] forward = run(HostRuntime.Order.FORWARD, blocks, threads, kernel, in, outputs);
        float[] reverse = run(HostRuntime.Order.REVERSE, blocks, threads, kernel, in, outputs);
        for (int i = 0; i < outputs; i++) {
            if (Float.floatToIntBits(forward[i]) != Float.floatToIntBits(reverse[i])) {
                throw new AssertionError(
                        "output " + i + " is " + forward[i] + " or " + reverse[i] + " in another order");
            }
        }
        return forward;
    }

    /** Runs one block of threads whose turns go in one order. */
    static float[] run(HostRuntime.Order order, int blocks, int threads, Kernel kernel, IntArray in, int outputs) {
        FloatArray out = new FloatArray(outputs);
        TaskGraph graph = new TaskGraph("g")
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, in, out)
                .task("t", kernel, new KernelContext(), in, out)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, out);
        GridScheduler grids = new GridScheduler("g.t", Launch.groups(blocks, threads));
        HostRuntime.get().setOrder(order);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.withGridScheduler(grids).execute();
        } catch (TornadoExecutionPlanException e) {
            throw new IllegalStateException(e);
        } finally {
            HostRuntime.get().setOrder(HostRuntime.Order.FORWARD);
        }
        return out.toHeapArray();
    }

    /** Asserts that a block of {@code threads} threads ends with an error that says {@code words}, in either order. */
    static void assertFails(String words, int threads, Kernel kernel) {
        IntArray in = new IntArray(4096);
        for (HostRuntime.Order order : HostRuntime.Order.values()) {
            TornadoRuntimeException thrown = assertThrows(
                    TornadoRuntimeException.class, () -> run(order, 1, threads, kernel, in, 1024), order.toString());
            assertTrue(String.valueOf(thrown.getMessage()).contains(words), order + ": " + thrown.getMessage());
        }
    }
}
