package org.tornadodit.kernels.ptx.tutorial;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.ptx.Instruction;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Step 3: a PTX instruction as a Java method. */
class Step3InstructionTest {
    private static final int THREADS = 64;

    /** {@code a * b + c}, rounded once. */
    @Instruction(value = "fma.rn.f32 $r, $0, $1, $2;", ordered = false)
    static float multiplyAdd(float a, float b, float c) {
        return Math.fma(a, b, c);
    }

    static void product(KernelContext context, FloatArray a, FloatArray b, FloatArray c, int m, int n, int k) {
        int at = context.globalIdx;
        if (at < m * n) {
            float sum = 0f;
            for (int i = 0; i < k; i++) {
                sum = multiplyAdd(a.get(at / n * k + i), b.get(at % n * k + i), sum);
            }
            c.set(at, sum);
        }
    }

    @Test
    void agreesWithTheReference() throws Exception {
        Problem problem = Problem.of(33, 47, 29);
        int size = problem.m() * problem.n();
        FloatArray c = new FloatArray(size);
        TaskGraph graph = new TaskGraph("step3")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, problem.a(), problem.b())
                .task(
                        "product",
                        Step3InstructionTest::product,
                        new KernelContext(),
                        problem.a(),
                        problem.b(),
                        c,
                        problem.m(),
                        problem.n(),
                        problem.k())
                .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        Problem.execute(graph, new GridScheduler("step3.product", Launch.groups(Math.ceilDiv(size, THREADS), THREADS)));
        problem.check("step 3", c, problem.reference(), 1e-6);
    }
}
