package org.tornadodit.kernels.ptx.tutorial;

import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid2D;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Step 2: work groups share tiles of the operands in local memory. */
class Step2LocalMemoryTest {
    private static final int TILE = 8;

    /** A thread an element, in groups of TILE x TILE; M, N and K are multiples of TILE. */
    static void product(KernelContext context, FloatArray a, FloatArray b, FloatArray c, int n, int k, int barriers) {
        float[] tileA = context.allocateFloatLocalArray(TILE * TILE);
        float[] tileB = context.allocateFloatLocalArray(TILE * TILE);
        int x = context.localIdx;
        int y = context.localIdy;
        int row = context.groupIdy * TILE + y;
        int column = context.groupIdx * TILE + x;
        float sum = 0f;
        for (int start = 0; start < k; start += TILE) {
            tileA[y * TILE + x] = a.get(row * k + start + x);
            tileB[y * TILE + x] = b.get((context.groupIdx * TILE + y) * k + start + x);
            if (barriers == 1) {
                context.localBarrier(); // all have written
            }
            for (int i = 0; i < TILE; i++) {
                sum += tileA[y * TILE + i] * tileB[x * TILE + i];
            }
            if (barriers == 1) {
                context.localBarrier(); // all have read
            }
        }
        c.set(row * n + column, sum);
    }

    private static FloatArray run(Problem problem, int barriers) throws Exception {
        FloatArray c = new FloatArray(problem.m() * problem.n());
        TaskGraph graph = new TaskGraph("step2")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, problem.a(), problem.b())
                .task(
                        "product",
                        Step2LocalMemoryTest::product,
                        new KernelContext(),
                        problem.a(),
                        problem.b(),
                        c,
                        problem.n(),
                        problem.k(),
                        barriers)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        WorkerGrid2D grid = new WorkerGrid2D(problem.n(), problem.m());
        grid.setLocalWork(TILE, TILE, 1);
        Problem.execute(graph, new GridScheduler("step2.product", grid));
        return c;
    }

    @Test
    void agreesWithTheReference() throws Exception {
        Problem problem = Problem.of(32, 48, 24);
        problem.check("step 2", run(problem, 1), problem.reference(), 1e-6);
    }

    /** Local memory is NaN until it is written: what a thread reads too early shows. */
    @Test
    void aMissingBarrierIsSeen() throws Exception {
        assertTrue(Float.isNaN(run(Problem.of(8, 8, 8), 0).get(0)));
    }
}
