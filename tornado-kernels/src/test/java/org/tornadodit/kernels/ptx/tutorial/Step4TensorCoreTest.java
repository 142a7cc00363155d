package org.tornadodit.kernels.ptx.tutorial;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Step 4: one warp, one tile of 16 x 8 x 16 on the tensor core. */
class Step4TensorCoreTest {
    private static final int M = 16;
    private static final int N = 8;
    private static final int K = 16;
    private static final int ROW_BYTES = 2 * K;

    /** One group of 32 threads. */
    static void product(KernelContext context, FloatArray a, FloatArray b, FloatArray c) {
        int lane = context.localIdx;
        int tileA = SharedMemory.fixed((M + N) * ROW_BYTES);
        int tileB = tileA + M * ROW_BYTES;
        for (int i = lane; i < M * K / 2; i += 32) {
            SharedMemory.store(tileA + 4 * i, Halves.pack(a.get(2 * i), a.get(2 * i + 1)));
        }
        for (int i = lane; i < N * K / 2; i += 32) {
            SharedMemory.store(tileB + 4 * i, Halves.pack(b.get(2 * i), b.get(2 * i + 1)));
        }
        context.localBarrier();

        // Each lane says where a row of an 8x8 matrix begins, and gets two halves of each matrix.
        int[] fragmentA = Registers.ints(4);
        int[] fragmentB = Registers.ints(2);
        Mma.loadMatrices4(fragmentA, 0, tileA + lane % 16 * ROW_BYTES + lane / 16 * 16);
        Mma.loadMatrices2(fragmentB, 0, tileB + lane % 8 * ROW_BYTES + lane / 8 % 2 * 16);
        float[] sums = Registers.floats(4);
        Mma.m16n8k16(sums, 0, fragmentA, 0, fragmentB, 0);

        int at = lane / 4 * N + lane % 4 * 2;
        c.set(at, Registers.get(sums, 0));
        c.set(at + 1, Registers.get(sums, 1));
        c.set(at + 8 * N, Registers.get(sums, 2));
        c.set(at + 8 * N + 1, Registers.get(sums, 3));
    }

    @Test
    void agreesWithinWhatHalvesHold() throws Exception {
        Problem problem = Problem.of(M, N, K);
        FloatArray c = new FloatArray(M * N);
        TaskGraph graph = new TaskGraph("step4")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, problem.a(), problem.b())
                .task("product", Step4TensorCoreTest::product, new KernelContext(), problem.a(), problem.b(), c)
                .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        Problem.execute(graph, new GridScheduler("step4.product", Launch.groups(1, 32)));
        problem.check("step 4", c, problem.reference(), 4e-4);
    }
}
