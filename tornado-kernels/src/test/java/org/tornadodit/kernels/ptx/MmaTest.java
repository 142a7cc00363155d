package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class MmaTest {
    private static final long SEED = 20261123;

    /** A (16, 16) and B (8, 16) of halves, row by row. */
    private static IntArray operands() {
        SplittableRandom random = new SplittableRandom(SEED);
        IntArray in = new IntArray(24 * 8);
        for (int i = 0; i < in.getSize(); i++) {
            in.set(i, Halves.pack((float) random.nextGaussian(), (float) random.nextGaussian()));
        }
        return in;
    }

    private static float half(IntArray in, int row, int column) {
        int pair = in.get(row * 8 + column / 2);
        return column % 2 == 0 ? Halves.first(pair) : Halves.second(pair);
    }

    /** {@code i + A B^T} with the depth. */
    private static double[] product(IntArray in, int depth) {
        double[] c = new double[16 * 8];
        for (int i = 0; i < c.length; i++) {
            c[i] = i;
            for (int k = 0; k < depth; k++) {
                c[i] += (double) half(in, i / 8, k) * half(in, 16 + i % 8, k);
            }
        }
        return c;
    }

    private static int copied(KernelContext context, IntArray in) {
        int memory = SharedMemory.fixed(24 * 32);
        for (int i = context.localIdx; i < in.getSize(); i += 32) {
            SharedMemory.store(memory + 4 * i, in.get(i));
        }
        context.localBarrier();
        return memory;
    }

    private static float[] sums(int lane) {
        float[] sums = Registers.floats(6);
        for (int r = 0; r < 4; r++) {
            Registers.set(sums, 1 + r, place(lane, r));
        }
        return sums;
    }

    private static int place(int lane, int r) {
        return (lane / 4 + r / 2 * 8) * 8 + lane % 4 * 2 + r % 2;
    }

    @Test
    void productOfFragmentsFromLdmatrix() {
        IntArray operands = operands();
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int l = context.localIdx;
                    int memory = copied(context, in);
                    int[] a = Registers.ints(6);
                    int[] b = Registers.ints(2);
                    Mma.loadMatrices4(a, 2, memory + l % 16 * 32 + l / 16 * 16);
                    Mma.loadMatrices2(b, 0, memory + 512 + l % 8 * 32 + l / 8 % 2 * 16);
                    float[] sums = sums(l);
                    Mma.m16n8k16(sums, 1, a, 2, b, 0);
                    float[] shallow = sums(l);
                    Mma.m16n8k8(shallow, 1, a, 2, b, 0);
                    for (int r = 0; r < 4; r++) {
                        o.set(place(l, r), sums[1 + r]);
                        o.set(128 + place(l, r), shallow[1 + r]);
                    }
                },
                operands,
                256);
        float[] deep = Arrays.copyOf(out, 128);
        TensorAssert.assertRelativeError("m16n8k16", Shape.of(16, 8), deep, product(operands, 16), 1e-7);
        float[] shallow = Arrays.copyOfRange(out, 128, 256);
        TensorAssert.assertRelativeError("m16n8k8", Shape.of(16, 8), shallow, product(operands, 8), 1e-7);
    }

    /** Fragments as PTX ISA has them, "Matrix Fragments for mma.m8n8k4 with .f16 floating point type". */
    @Test
    void productsOfTheQuartersOfAWarp() {
        SplittableRandom random = new SplittableRandom(SEED);
        int quarters = 4;
        float[][][] left = new float[quarters][8][4];
        float[][][] right = new float[quarters][4][8];
        for (int quarter = 0; quarter < quarters; quarter++) {
            for (int i = 0; i < 32; i++) {
                left[quarter][i / 4][i % 4] = random.nextInt(-9, 10);
                right[quarter][i / 8][i % 8] = random.nextInt(-9, 10);
            }
        }
        int size = quarters * 64;
        Blocks.Kernel kernel = (context, in, out) -> {
            int lane = context.localIdx;
            int quarter = lane % 16 / 4;
            int row = lane % 4 + (lane < 16 ? 0 : 4);
            int[] a = Registers.ints(2);
            int[] b = Registers.ints(2);
            int[] c = Registers.ints(2);
            int from = lane < 16 ? 0 : 4;
            for (int i = 0; i < 2; i++) {
                float[][] r = right[quarter];
                Registers.set(a, i, Halves.pack(left[quarter][row][2 * i], left[quarter][row][2 * i + 1]));
                Registers.set(b, i, Halves.pack(r[2 * i][row], r[2 * i + 1][row]));
                Registers.set(c, i, Halves.pack(r[lane % 4][from + 2 * i], r[lane % 4][from + 2 * i + 1]));
            }
            float[] sums = Registers.floats(8);
            float[] others = Registers.floats(8);
            Mma.m8n8k4(sums, 0, a, 0, b, 0);
            Mma.m8n8k4Rows(others, 0, a, 0, c, 0);
            for (int i = 0; i < 8; i++) {
                int r = (lane & 1) + (i & 2) + (lane < 16 ? 0 : 4);
                int at = quarter * 64 + r * 8 + (i & 4) + (lane & 2) + (i & 1);
                out.set(at, Registers.get(sums, i));
                out.set(size + at, Registers.get(others, i));
            }
        };
        float[] actual = Blocks.run(1, 32, kernel, new IntArray(1), 2 * size);
        float[] expected = new float[2 * size];
        for (int i = 0; i < expected.length; i++) {
            int quarter = i % size / 64;
            for (int k = 0; k < 4; k++) {
                expected[i] += left[quarter][i / 8 % 8][k] * right[quarter][k][i % 8];
            }
        }
        assertArrayEquals(expected, actual);
    }

    @Test
    void transposedMatricesSwapRowAndColumn() {
        IntArray operands = operands();
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int l = context.localIdx;
                    int memory = copied(context, in);
                    int[] four = Registers.ints(4);
                    int[] two = Registers.ints(2);
                    Mma.loadMatrices4Transposed(four, 0, memory + l % 16 * 32 + l / 16 * 16);
                    Mma.loadMatrices2Transposed(two, 0, memory + l % 16 * 32);
                    for (int m = 0; m < 4; m++) {
                        o.set(64 * m + 2 * l, Halves.first(four[m]));
                        o.set(64 * m + 2 * l + 1, Halves.second(four[m]));
                    }
                    o.set(256 + 2 * l, two[0] - four[0]);
                    o.set(256 + 2 * l + 1, two[1] - four[1]);
                },
                operands,
                320);
        for (int m = 0; m < 4; m++) {
            for (int l = 0; l < 32; l++) {
                for (int i = 0; i < 2; i++) {
                    int row = m % 2 * 8 + l % 4 * 2 + i;
                    assertEquals(half(operands, row, m / 2 * 8 + l / 4), out[64 * m + 2 * l + i]);
                }
            }
        }
        for (int i = 256; i < 320; i++) {
            assertEquals(0, out[i]);
        }
    }

    @Test
    void wrongCallsAreErrors() {
        assertFails("misaligned", 32, (c, in, o) -> Mma.loadMatrices4(new int[4], 0, SharedMemory.fixed(512) + 8));
        assertFails(
                "outside the block's",
                32,
                (c, in, o) -> Mma.loadMatrices4(new int[4], 0, SharedMemory.fixed(512) + 32 * c.localIdx));
        assertFails("1 wait", 32, (c, in, o) -> {
            int[] fragment = new int[4];
            SharedMemory.fixed(16);
            if (c.localIdx == 7) {
                Mma.m16n8k8(new float[4], 0, fragment, 0, fragment, 0);
            }
        });
    }
}
