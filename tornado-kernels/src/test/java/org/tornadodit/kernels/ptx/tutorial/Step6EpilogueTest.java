package org.tornadodit.kernels.ptx.tutorial;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Step 6: what follows the product happens to the sums while they are in registers. */
class Step6EpilogueTest {

    /** {@code x += gate * (A B^T + bias)}, as a DiT block ends its attention and its MLP; gate and bias (N), x (M, N). */
    static void linear(
            KernelContext context,
            IntArray a,
            IntArray b,
            FloatArray bias,
            FloatArray gate,
            FloatArray x,
            int m,
            int n,
            int k) {
        int memory = SharedMemory.dynamic(Step5PipelineTest.SHARED);
        SharedMemory.block(Step5PipelineTest.THREADS, 1);
        int thread = context.localIdx;
        int row = context.groupIdx / (n / Step5PipelineTest.TILE) * Step5PipelineTest.TILE;
        int column = context.groupIdx % (n / Step5PipelineTest.TILE) * Step5PipelineTest.TILE;
        Step5PipelineTest.setUp(context, memory, thread);
        if (thread >= 128) {
            if (thread == 128) {
                Step5PipelineTest.copy(memory, a, b, row, column, m, n, k);
            }
        } else {
            float[] sums = Registers.floats(Step5PipelineTest.TILE / 2);
            Step5PipelineTest.multiply(sums, memory, thread, k);
            addGated(sums, bias, gate, x, thread, row, column, n);
        }
    }

    private static void addGated(
            float[] sums, FloatArray bias, FloatArray gate, FloatArray x, int thread, int row, int column, int n) {
        int upper = row + thread / 32 * 16 + thread % 32 / 4;
        for (int i = 0; i < Step5PipelineTest.TILE / 2; i++) {
            // Register 4 j + 2 h + c: row 8 h further down, column 8 j + c.
            int to = column + i / 4 * 8 + thread % 4 * 2 + i % 2;
            int at = (upper + i / 2 % 2 * 8) * n + to;
            x.set(at, x.get(at) + gate.get(to) * (Registers.get(sums, i) + bias.get(to)));
        }
    }

    @Test
    void agreesWithinWhatHalvesHold() throws Exception {
        Problem problem = Problem.of(128, 128, 64);
        int n = problem.n();
        SplittableRandom random = new SplittableRandom(7);
        FloatArray bias = Problem.normals(random, n);
        FloatArray gate = Problem.normals(random, n);
        FloatArray x = Problem.normals(random, problem.m() * n);
        double[] expected = problem.reference();
        for (int i = 0; i < expected.length; i++) {
            expected[i] = x.get(i) + (double) gate.get(i % n) * (expected[i] + bias.get(i % n));
        }
        IntArray a = Problem.packed(problem.a(), problem.m(), problem.k());
        IntArray b = Problem.packed(problem.b(), n, problem.k());
        TaskGraph graph = new TaskGraph("step6")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, a, b, bias, gate)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, x)
                .task(
                        "linear",
                        Step6EpilogueTest::linear,
                        new KernelContext(),
                        a,
                        b,
                        bias,
                        gate,
                        x,
                        problem.m(),
                        n,
                        problem.k())
                .transferToHost(DataTransferMode.EVERY_EXECUTION, x);
        Problem.execute(graph, new GridScheduler("step6.linear", Launch.groups(4, Step5PipelineTest.THREADS)));
        problem.check("step 6", x, expected, 4e-4);
    }
}
