package org.tornadodit.kernels.ptx.tutorial;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.annotations.Parallel;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Step 1: a loop nest whose iterations become threads. */
class Step1ParallelTest {
    static void product(FloatArray a, FloatArray b, FloatArray c, int m, int n, int k) {
        for (@Parallel int row = 0; row < m; row++) {
            for (@Parallel int column = 0; column < n; column++) {
                float sum = 0f;
                for (int i = 0; i < k; i++) {
                    sum += a.get(row * k + i) * b.get(column * k + i);
                }
                c.set(row * n + column, sum);
            }
        }
    }

    @Test
    void agreesWithTheReference() throws Exception {
        Problem problem = Problem.of(33, 47, 29);
        FloatArray c = new FloatArray(problem.m() * problem.n());
        TaskGraph graph = new TaskGraph("step1")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, problem.a(), problem.b())
                .task(
                        "product",
                        Step1ParallelTest::product,
                        problem.a(),
                        problem.b(),
                        c,
                        problem.m(),
                        problem.n(),
                        problem.k())
                .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            plan.execute();
        }
        problem.check("step 1", c, problem.reference(), 1e-6);
    }
}
