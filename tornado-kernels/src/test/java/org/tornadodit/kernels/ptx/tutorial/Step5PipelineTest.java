package org.tornadodit.kernels.ptx.tutorial;

import org.junit.jupiter.api.Test;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.ptx.GlobalMemory;
import org.tornadodit.kernels.ptx.MemoryBarrier;
import org.tornadodit.kernels.ptx.Registers;
import org.tornadodit.kernels.ptx.SharedMemory;
import org.tornadodit.kernels.ptx.Wgmma;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Step 5: a thread copies, a warpgroup multiplies, barriers between them; a tile of 64 x 64 a group. */
class Step5PipelineTest {
    /** A warpgroup that multiplies, and a warp of which one thread copies. */
    static final int THREADS = 160;

    static final int TILE = 64;
    private static final int STAGES = 3;
    /** 16 of k of one operand's tile. */
    private static final int PIECE = TILE * 16 * 2;
    /** Barriers lie behind the stages: those that say a stage is full, then those that say it is empty. */
    private static final int FULL = STAGES * 2 * PIECE;

    private static final int EMPTY = FULL + 8 * STAGES;

    static final int SHARED = EMPTY + 8 * STAGES;

    /** M and N multiples of 128, K of 16; operands packed with one plane. */
    static void product(KernelContext context, IntArray a, IntArray b, FloatArray c, int m, int n, int k) {
        int memory = SharedMemory.dynamic(SHARED);
        SharedMemory.block(THREADS, 1);
        int thread = context.localIdx;
        int row = context.groupIdx / (n / TILE) * TILE;
        int column = context.groupIdx % (n / TILE) * TILE;
        setUp(context, memory, thread);
        if (thread >= 128) {
            if (thread == 128) {
                copy(memory, a, b, row, column, m, n, k);
            }
        } else {
            float[] sums = Registers.floats(TILE / 2);
            multiply(sums, memory, thread, k);
            store(sums, c, thread, row, column, n);
        }
    }

    static void setUp(KernelContext context, int memory, int thread) {
        if (thread == 0) {
            for (int stage = 0; stage < STAGES; stage++) {
                MemoryBarrier.initialize(memory + FULL + 8 * stage, 1);
                MemoryBarrier.initialize(memory + EMPTY + 8 * stage, 1);
            }
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();
    }

    /** The producer: waits until a stage is empty, and fills it. */
    static void copy(int memory, IntArray a, IntArray b, int row, int column, int m, int n, int k) {
        for (int i = 0; i < k / 16; i++) {
            int stage = i % STAGES;
            int full = memory + FULL + 8 * stage;
            // The first time round all stages are empty: parity 1 returns at once.
            MemoryBarrier.await(memory + EMPTY + 8 * stage, 1 - i / STAGES % 2);
            MemoryBarrier.arriveExpecting(full, 2 * PIECE);
            int to = memory + stage * 2 * PIECE;
            MemoryBarrier.copy(to, a, Packed.index(row, 16 * i, m, 1), PIECE, full);
            MemoryBarrier.copy(to + PIECE, b, Packed.index(column, 16 * i, n, 1), PIECE, full);
        }
    }

    /** The consumer: waits until a stage is full, multiplies, and gives it back. */
    static void multiply(float[] sums, int memory, int thread, int k) {
        for (int i = 0; i < k / 16; i++) {
            int stage = i % STAGES;
            MemoryBarrier.await(memory + FULL + 8 * stage, i / STAGES % 2);
            int start = memory + stage * 2 * PIECE;
            Wgmma.fence();
            Wgmma.multiply(sums, Wgmma.descriptor(start, 128), Wgmma.descriptor(start + PIECE, 128), 256, 256, TILE);
            Wgmma.commit();
            Wgmma.await(0);
            MemoryBarrier.arriveIfZero(memory + EMPTY + 8 * stage, thread);
        }
    }

    private static void store(float[] sums, FloatArray c, int thread, int row, int column, int n) {
        int at = (row + thread / 32 * 16 + thread % 32 / 4) * n + column + thread % 4 * 2;
        for (int j = 0; j < TILE / 8; j++) {
            GlobalMemory.store2(c, at + 8 * j, Registers.get(sums, 4 * j), Registers.get(sums, 4 * j + 1));
            GlobalMemory.store2(c, at + 8 * n + 8 * j, Registers.get(sums, 4 * j + 2), Registers.get(sums, 4 * j + 3));
        }
    }

    @Test
    void agreesWithinWhatHalvesHold() throws Exception {
        Problem problem = Problem.of(128, 128, 96);
        IntArray a = Problem.packed(problem.a(), problem.m(), problem.k());
        IntArray b = Problem.packed(problem.b(), problem.n(), problem.k());
        FloatArray c = new FloatArray(problem.m() * problem.n());
        TaskGraph graph = new TaskGraph("step5")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, a, b)
                .task(
                        "product",
                        Step5PipelineTest::product,
                        new KernelContext(),
                        a,
                        b,
                        c,
                        problem.m(),
                        problem.n(),
                        problem.k())
                .transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        Problem.execute(graph, new GridScheduler("step5.product", Launch.groups(4, THREADS)));
        problem.check("step 5", c, problem.reference(), 4e-4);
    }
}
