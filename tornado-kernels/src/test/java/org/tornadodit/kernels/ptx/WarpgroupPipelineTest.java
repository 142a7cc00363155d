package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.kernels.Packed;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** A product as the Hopper kernels make it: a warpgroup that copies, two that multiply, three products of halves. */
class WarpgroupPipelineTest {
    private static final int N = 256;
    private static final int TILE = 128;
    private static final int STAGES = 3;
    private static final int PLANES = 2;
    private static final int OPERAND = TILE * 16 * 2 * PLANES;
    private static final int FULL = STAGES * 2 * OPERAND;
    private static final int EMPTY = FULL + 8 * STAGES;

    /** What a kernel does wrong. */
    private enum Fault {
        NONE,
        COPIES_WITHOUT_WAITING,
        MULTIPLIES_WITHOUT_WAITING,
        RELEASES_EARLY,
        RELEASES_NEVER,
        EXPECTS_TOO_MUCH,
        FORGETS_THE_SECOND_COPY,
        ADDS_UNAWAITED_SUMS,
        KEEPS_REGISTERS
    }

    /** (256, 256) = A B^T, both operands packed, one after the other, in {@code in}. */
    private static void product(KernelContext context, IntArray in, FloatArray out, Fault fault) {
        int memory = SharedMemory.dynamic(EMPTY + 8 * STAGES);
        SharedMemory.block(384, 1);
        int thread = context.localIdx;
        int warpgroup = thread / 128;
        int row0 = context.groupIdx / 2 * TILE;
        int column0 = context.groupIdx % 2 * TILE;
        if (thread == 0) {
            for (int s = 0; s < STAGES; s++) {
                MemoryBarrier.initialize(memory + FULL + 8 * s, 1);
                MemoryBarrier.initialize(memory + EMPTY + 8 * s, 2);
            }
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();
        if (warpgroup == 2) {
            Wgmma.decreaseRegisters(fault == Fault.KEEPS_REGISTERS ? 48 : 40);
            if (thread == 256) {
                for (int k = 0; k < N / 16; k++) {
                    int stage = k % STAGES;
                    if (fault != Fault.COPIES_WITHOUT_WAITING) {
                        MemoryBarrier.await(memory + EMPTY + 8 * stage, 1 - k / STAGES % 2);
                    }
                    int full = memory + FULL + 8 * stage;
                    MemoryBarrier.arriveExpecting(full, (fault == Fault.EXPECTS_TOO_MUCH ? 3 : 2) * OPERAND);
                    int a = memory + stage * 2 * OPERAND;
                    MemoryBarrier.copy(a, in, Packed.index(row0, 16 * k, N, PLANES), OPERAND, full);
                    int b = Packed.size(N, N, PLANES) + Packed.index(column0, 16 * k, N, PLANES);
                    if (fault != Fault.FORGETS_THE_SECOND_COPY) {
                        MemoryBarrier.copy(a + OPERAND, in, b, OPERAND, full);
                    }
                }
            }
        } else {
            Wgmma.increaseRegisters(232);
            multiply(memory, out, thread, row0, column0, fault);
        }
    }

    private static void multiply(int memory, FloatArray out, int thread, int row0, int column0, Fault fault) {
        int warpgroup = thread / 128;
        float[] sums = Registers.floats(64);
        float[] high = Registers.floats(64);
        float[] low = Registers.floats(64);
        for (int k = 0; k < N / 16; k++) {
            int stage = k % STAGES;
            if (fault != Fault.MULTIPLIES_WITHOUT_WAITING) {
                MemoryBarrier.await(memory + FULL + 8 * stage, k / STAGES % 2);
            }
            int start = memory + stage * 2 * OPERAND;
            int a = Wgmma.descriptor(start + warpgroup * OPERAND / 2, 128);
            int b = Wgmma.descriptor(start + OPERAND, 128);
            Wgmma.fence();
            Wgmma.multiply(high, a, b, 512, 512, TILE);
            Wgmma.multiply(low, a, b + 16, 512, 512, TILE);
            Wgmma.multiply(low, a + 16, b, 512, 512, TILE);
            Wgmma.commit();
            if (fault == Fault.RELEASES_EARLY) {
                MemoryBarrier.arriveIfZero(memory + EMPTY + 8 * stage, thread % 128);
            }
            if (fault == Fault.ADDS_UNAWAITED_SUMS && k % 4 == 3) {
                Registers.addSplit(sums, high, low, 1);
            }
            Wgmma.await(0);
            if (fault != Fault.RELEASES_EARLY && fault != Fault.RELEASES_NEVER) {
                MemoryBarrier.arriveIfZero(memory + EMPTY + 8 * stage, thread % 128);
            }
            if (fault != Fault.ADDS_UNAWAITED_SUMS && k % 4 == 3) {
                Registers.addSplit(sums, high, low, 1);
                Registers.clear(high);
                Registers.clear(low);
            }
        }
        int row = row0 + warpgroup * 64 + thread % 128 / 32 * 16 + thread % 32 / 4;
        for (int j = 0; j < TILE / 8; j++) {
            for (int h = 0; h < 2; h++) {
                int index = (row + 8 * h) * N + column0 + 8 * j + thread % 4 * 2;
                GlobalMemory.store2(out, index, sums[4 * j + 2 * h], sums[4 * j + 2 * h + 1]);
            }
        }
    }

    @Test
    void threeProductsThroughAPipelineAgreeWithDoubles() {
        SplittableRandom random = new SplittableRandom(20261123);
        float[][] operands = new float[2][N * N];
        IntArray in = new IntArray(2 * Packed.size(N, N, PLANES));
        for (int o = 0; o < 2; o++) {
            for (int i = 0; i < N * N; i++) {
                operands[o][i] = (float) random.nextGaussian();
            }
            for (int i = 0; i < N * N; i += 2) {
                int high = Packed.high(operands[o][i], operands[o][i + 1]);
                int index = o * Packed.size(N, N, PLANES) + Packed.index(i / N, i % N, N, PLANES);
                in.set(index, high);
                in.set(index + Packed.PLANE, Packed.low(operands[o][i], operands[o][i + 1], high));
            }
        }
        double[] expected = new double[N * N];
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < N; j++) {
                for (int k = 0; k < N; k++) {
                    expected[i * N + j] += (double) operands[0][i * N + k] * operands[1][j * N + k];
                }
            }
        }
        long start = System.nanoTime();
        float[] actual = Blocks.run(4, 384, kernel(Fault.NONE), in, N * N);
        System.out.println("two runs took " + (System.nanoTime() - start) / 1_000_000 + " ms");
        TensorAssert.assertRelativeError("A B^T", Shape.of(N, N), actual, expected, 2e-7);
    }

    private static Blocks.Kernel kernel(Fault fault) {
        return (context, in, out) -> product(context, in, out, fault);
    }

    private static void assertFails(String words, Fault fault) {
        IntArray in = new IntArray(2 * Packed.size(N, N, PLANES));
        for (HostRuntime.Order order : HostRuntime.Order.values()) {
            TornadoRuntimeException e = assertThrows(
                    TornadoRuntimeException.class,
                    () -> Blocks.run(order, 1, 384, kernel(fault), in, N * N),
                    fault + " " + order);
            assertTrue(String.valueOf(e.getMessage()).contains(words), e.toString());
        }
    }

    @Test
    void wrongPipelinesFail() {
        assertFails("too many arrivals", Fault.COPIES_WITHOUT_WAITING);
        assertFails("too many arrivals", Fault.MULTIPLIES_WITHOUT_WAITING);
        assertFails("overwritten while wgmma", Fault.RELEASES_EARLY);
        assertFails("2 of 2 arrivals and 0 bytes are missing", Fault.RELEASES_NEVER);
        assertFails("0 of 1 arrivals and 8192 bytes are missing", Fault.EXPECTS_TOO_MUCH);
        assertFails("0 of 1 arrivals and 8192 bytes are missing", Fault.FORGETS_THE_SECOND_COPY);
        assertFails("wait for 64 more registers; 0 are left", Fault.KEEPS_REGISTERS);
    }

    @Test
    void sumsThatAreNotThereYetAreNaN() {
        IntArray in = new IntArray(2 * Packed.size(N, N, PLANES));
        float[] out = Blocks.run(1, 384, kernel(Fault.ADDS_UNAWAITED_SUMS), in, N * N);
        assertTrue(Float.isNaN(out[0]) && Float.isNaN(out[127 * N + 127]));
    }
}
