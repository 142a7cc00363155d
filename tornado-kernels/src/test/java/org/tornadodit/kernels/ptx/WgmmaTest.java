package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class WgmmaTest {
    private static final int ROWS = 64;
    private static final int DEPTH = 32;

    /** A (64, 32) and B (columns, 32) of halves: per operand matrices of k 0..7, then 8..15 and so on. */
    private static IntArray operands(int columns, double[] expected) {
        SplittableRandom random = new SplittableRandom(20261123);
        IntArray in = new IntArray((ROWS + columns) * DEPTH / 2);
        float[][] values = new float[ROWS + columns][DEPTH];
        for (int row = 0; row < ROWS + columns; row++) {
            int rows = row < ROWS ? ROWS : columns;
            int r = row < ROWS ? row : row - ROWS;
            for (int k = 0; k < DEPTH; k += 2) {
                int pair = Halves.pack((float) random.nextGaussian(), (float) random.nextGaussian());
                values[row][k] = Halves.first(pair);
                values[row][k + 1] = Halves.second(pair);
                int start = row < ROWS ? 0 : ROWS * DEPTH / 2;
                in.set(start + k / 8 * rows * 4 + r * 4 + k % 8 / 2, pair);
            }
        }
        for (int i = 0; i < ROWS * columns; i++) {
            for (int k = 0; k < DEPTH; k++) {
                expected[i] += (double) values[i / columns][k] * values[ROWS + i % columns][k];
            }
        }
        return in;
    }

    /** What a test leaves out or does besides. */
    private enum Fault {
        NONE,
        NO_PROXY_FENCE,
        NO_FENCE,
        NO_AWAIT,
        READ_EARLY,
        OVERWRITE,
        DIVERGENT_CALL,
        DIVERGENT_ACCUMULATORS,
        DIVERGENT_COUNT,
        ABSENT
    }

    private static Blocks.Kernel product(int columns, Fault fault) {
        return (context, in, out) -> {
            int t = context.localIdx;
            int memory = SharedMemory.dynamic((ROWS + columns) * DEPTH * 2);
            for (int i = 4 * t; i < (ROWS + columns) * DEPTH / 2; i += 4 * 128) {
                SharedMemory.copyAsync(memory + 4 * i, in, i);
            }
            SharedMemory.commitCopies();
            SharedMemory.awaitCopies(0);
            if (fault != Fault.NO_PROXY_FENCE) {
                SharedMemory.fenceAsync();
            }
            context.localBarrier();
            if (fault == Fault.ABSENT && t == 77) {
                return;
            }
            multiply(memory, columns, fault, t, out);
        };
    }

    private static void multiply(int memory, int columns, Fault fault, int t, FloatArray out) {
        int a = Wgmma.descriptor(memory, ROWS * 16);
        int b = Wgmma.descriptor(memory + ROWS * DEPTH * 2, columns * 16);
        float[] sums = Registers.floats(columns / 2);
        float[] others = Registers.floats(columns / 2);
        if (fault != Fault.NO_FENCE) {
            Wgmma.fence();
        }
        Wgmma.multiply(sums, a, fault == Fault.DIVERGENT_CALL && t == 9 ? b + 1 : b, 128, 128, columns);
        Wgmma.commit();
        boolean swap = fault == Fault.DIVERGENT_ACCUMULATORS && t == 9;
        Wgmma.multiply(swap ? others : sums, a + ROWS * 2, b + columns * 2, 128, 128, columns);
        if (fault == Fault.DIVERGENT_COUNT && t == 9) {
            Wgmma.multiply(sums, a + ROWS * 2, b + columns * 2, 128, 128, columns);
        }
        Wgmma.commit();
        Wgmma.await(1);
        float early = sums[0];
        if (fault == Fault.OVERWRITE && t == 9) {
            SharedMemory.store(memory + ROWS * DEPTH * 2 - 4, 1f);
        }
        if (fault != Fault.NO_AWAIT) {
            Wgmma.await(0);
        }
        for (int i = 0; i < columns / 2; i++) {
            int row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
            out.set(row * columns + i / 4 * 8 + t % 4 * 2 + i % 2, fault == Fault.READ_EARLY ? early : sums[i]);
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {8, 72, 128, 256})
    void productsAgreeWithDoubles(int columns) {
        double[] expected = new double[ROWS * columns];
        IntArray in = operands(columns, expected);
        float[] out = Blocks.run(1, 128, product(columns, Fault.NONE), in, ROWS * columns);
        TensorAssert.assertRelativeError("wgmma", Shape.of(ROWS, columns), out, expected, 3e-7);
    }

    @Test
    void accumulatorsUnderWayAreNaN() {
        IntArray in = operands(16, new double[ROWS * 16]);
        float[] out = Blocks.run(1, 128, product(16, Fault.READ_EARLY), in, ROWS * 16);
        assertTrue(Float.isNaN(out[0]) && Float.isNaN(out[ROWS * 16 - 1]));
    }

    @Test
    void wrongKernelsFail() {
        assertFails("without fenceAsync", 128, product(16, Fault.NO_PROXY_FENCE));
        assertFails("without a fence", 128, product(16, Fault.NO_FENCE));
        assertFails("nobody waited for 1", 128, product(16, Fault.NO_AWAIT));
        assertFails("were overwritten while wgmma", 128, product(16, Fault.OVERWRITE));
        assertFails("divergent wgmma: lane", 128, product(16, Fault.DIVERGENT_CALL));
        assertFails("has other accumulators", 128, product(16, Fault.DIVERGENT_ACCUMULATORS));
        assertFails("divergent wgmma: lane 0", 128, product(16, Fault.DIVERGENT_COUNT));
        assertFails("127 wait for wgmma.wait_group (all 128 lanes", 128, product(16, Fault.ABSENT));
        assertFails("wgmma takes 128 threads", 96, (c, in, o) -> Wgmma.fence());
        assertFails("multiples of 16", 128, (c, in, o) -> wrong(8, 120, 4));
        assertFails("8, 16 ... 256 columns, not 12", 128, (c, in, o) -> wrong(12, 128, 6));
        assertFails("has 8 accumulators a thread, not 4", 128, (c, in, o) -> wrong(16, 128, 4));
        assertFails("outside the block's 4096 bytes", 128, (c, in, o) -> wrong(8, 1024, 4));
    }

    private static void wrong(int columns, int stride, int registers) {
        int descriptor = Wgmma.descriptor(SharedMemory.dynamic(4096), 128);
        Wgmma.fence();
        Wgmma.multiply(Registers.floats(registers), descriptor, descriptor, stride, stride, columns);
    }

    /** What a test with A in registers does wrong. */
    private enum RegisterFault {
        NONE,
        OVERWRITE_REGISTERS,
        OVERWRITE_MEMORY,
        OTHER_REGISTERS
    }

    /**
     * {@code C = A B}, A (64, 32) from registers, and B (columns, 32) in memory, K-major as {@link #operands} has it, or
     * N-major with matrices of 8 k and 8 columns, a row a k: those of k 0..7, then 8..15 and so on.
     */
    private static Blocks.Kernel registerProduct(int columns, int transposed, RegisterFault fault) {
        return (context, in, out) -> {
            int t = context.localIdx;
            int memory = SharedMemory.dynamic(columns * DEPTH * 2);
            for (int i = t; i < columns * DEPTH / 2; i += 128) {
                SharedMemory.store(memory + 4 * i, in.get(ROWS * DEPTH / 2 + i));
            }
            SharedMemory.fenceAsync();
            context.localBarrier();
            int[] a = Registers.ints(12);
            for (int i = 0; i < 8; i++) {
                int row = t / 32 * 16 + t % 32 / 4 + i % 2 * 8;
                Registers.set(a, 2 + i, in.get(i / 2 * ROWS * 4 + row * 4 + t % 4));
            }
            float[] sums = Registers.floats(columns / 2);
            for (int i = 0; i < columns / 2; i++) {
                Registers.set(sums, i, 1e30f);
            }
            int b = Wgmma.descriptor(memory, columns * 16);
            Wgmma.fence();
            Wgmma.multiply(sums, a, 2, b, 128, columns, transposed, 0);
            int second = fault == RegisterFault.OTHER_REGISTERS && t == 9 ? 5 : 6;
            Wgmma.multiply(sums, a, second, b + columns * 2, 128, columns, transposed, 1);
            Wgmma.commit();
            if (fault == RegisterFault.OVERWRITE_REGISTERS && t == 9) {
                Registers.set(a, 9, 1);
            }
            if (fault == RegisterFault.OVERWRITE_MEMORY && t == 9) {
                SharedMemory.store(memory, 1f);
            }
            Wgmma.await(0);
            for (int i = 0; i < columns / 2; i++) {
                int row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
                out.set(row * columns + i / 4 * 8 + t % 4 * 2 + i % 2, sums[i]);
            }
        };
    }

    @ParameterizedTest
    @CsvSource({"8, 0", "72, 0", "256, 0", "8, 1", "72, 1", "128, 1"})
    void productsWithRegistersAgreeWithDoubles(int columns, int transposed) {
        double[] expected = new double[ROWS * columns];
        IntArray in = operands(columns, expected);
        if (transposed == 1) {
            transposeMatrices(in, ROWS * DEPTH / 2);
        }
        float[] out = Blocks.run(1, 128, registerProduct(columns, transposed, RegisterFault.NONE), in, ROWS * columns);
        TensorAssert.assertRelativeError("wgmma", Shape.of(ROWS, columns), out, expected, 3e-7);
    }

    /** A (64, 32) and B (columns, 32) of eight bits, matrices of k 0..15 and then 16..31. */
    @ParameterizedTest
    @ValueSource(ints = {8, 72, 192, 256})
    void productsOfEightBitsAgreeWithDoubles(int columns) {
        SplittableRandom random = new SplittableRandom(20261128);
        IntArray in = new IntArray((ROWS + columns) * DEPTH / 4);
        double[][] values = new double[ROWS + columns][DEPTH];
        for (int row = 0; row < ROWS + columns; row++) {
            int rows = row < ROWS ? ROWS : columns;
            int r = row < ROWS ? row : row - ROWS;
            int start = row < ROWS ? 0 : ROWS * DEPTH / 4;
            for (int k = 0; k < DEPTH; k += 4) {
                int four = Float8.pack(
                        (float) random.nextGaussian(),
                        (float) random.nextGaussian(),
                        (float) random.nextGaussian(),
                        (float) random.nextGaussian());
                for (int i = 0; i < 4; i++) {
                    values[row][k + i] = Float8.value(four >>> 8 * i & 0xff);
                }
                in.set(start + k / 16 * rows * 4 + r * 4 + k % 16 / 4, four);
            }
        }
        double[] expected = new double[ROWS * columns];
        for (int i = 0; i < ROWS * columns; i++) {
            expected[i] = 1;
            for (int k = 0; k < DEPTH; k++) {
                expected[i] += values[i / columns][k] * values[ROWS + i % columns][k];
            }
        }
        float[] out = Blocks.run(1, 128, productOfEightBits(columns), in, ROWS * columns);
        TensorAssert.assertRelativeError("wgmma", Shape.of(ROWS, columns), out, expected, 3e-7);
    }

    private static Blocks.Kernel productOfEightBits(int columns) {
        return (context, in, out) -> {
            int t = context.localIdx;
            int memory = SharedMemory.dynamic((ROWS + columns) * DEPTH);
            for (int i = t; i < (ROWS + columns) * DEPTH / 4; i += 128) {
                SharedMemory.store(memory + 4 * i, in.get(i));
            }
            SharedMemory.fenceAsync();
            context.localBarrier();
            int a = Wgmma.descriptor(memory, ROWS * 16);
            int b = Wgmma.descriptor(memory + ROWS * DEPTH, columns * 16);
            float[] sums = Registers.floats(columns / 2);
            for (int i = 0; i < columns / 2; i++) {
                Registers.set(sums, i, 1f);
            }
            Wgmma.fence();
            Wgmma.multiplyBytes(sums, a, b, 128, 128, columns);
            Wgmma.commit();
            Wgmma.await(0);
            for (int i = 0; i < columns / 2; i++) {
                int row = t / 32 * 16 + t % 32 / 4 + i / 2 % 2 * 8;
                out.set(row * columns + i / 4 * 8 + t % 4 * 2 + i % 2, sums[i]);
            }
        };
    }

    /** Transposes every 8x8 matrix from {@code start} on. */
    private static void transposeMatrices(IntArray halves, int start) {
        for (int matrix = start; matrix < halves.getSize(); matrix += 32) {
            int[] old = new int[32];
            for (int i = 0; i < 32; i++) {
                old[i] = halves.get(matrix + i);
            }
            for (int i = 0; i < 32; i++) {
                int row = i / 4;
                int column = i % 4 * 2;
                int first = old[column * 4 + row / 2] >>> row % 2 * 16 & 0xffff;
                int second = old[(column + 1) * 4 + row / 2] >>> row % 2 * 16 & 0xffff;
                halves.set(matrix + i, first | second << 16);
            }
        }
    }

    @Test
    void wrongKernelsWithRegistersFail() {
        assertFails("registers were overwritten", 128, registerProduct(16, 0, RegisterFault.OVERWRITE_REGISTERS));
        assertFails("were overwritten while wgmma", 128, registerProduct(16, 1, RegisterFault.OVERWRITE_MEMORY));
        assertFails("divergent wgmma: lane 9", 128, registerProduct(16, 0, RegisterFault.OTHER_REGISTERS));
    }

    @Test
    void aReaderMayFenceInPlaceOfTheWriter() {
        float[] out = Blocks.run(
                1,
                256,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int memory = SharedMemory.dynamic(4096);
                    if (t >= 128) {
                        SharedMemory.store(memory + 16 * (t - 128), 0, 0, 0, 0);
                        SharedMemory.store(memory + 16 * t, 0, 0, 0, 0);
                    }
                    context.localBarrier();
                    if (t < 128) {
                        SharedMemory.fenceAsync();
                        float[] sums = Registers.floats(8);
                        int descriptor = Wgmma.descriptor(memory, 128);
                        Wgmma.fence();
                        Wgmma.multiply(sums, descriptor, descriptor, 256, 256, 16);
                        Wgmma.commit();
                        Wgmma.await(0);
                        o.set(t, sums[7] + 1);
                    }
                },
                new IntArray(1),
                128);
        assertTrue(out[5] == 1 && out[127] == 1);
    }
}
