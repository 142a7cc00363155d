package org.tornadodit.kernels.check;

import java.util.Map;
import java.util.Optional;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.ptx.Halves;
import org.tornadodit.kernels.ptx.Mma;
import org.tornadodit.kernels.ptx.Registers;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** What bounds a kernel, and the kernel that measures how much of it a device has. */
public enum Ceiling {
    /** Device memory, bytes a second. */
    MEMORY("copy"),
    /** FP32 multiply-adds outside the tensor cores, operations a second. */
    FP32("fused multiply-adds"),
    /** Products on the tensor cores with FP16 operands, operations a second. */
    TENSOR_FP16("a product of halves of 8192 x 8192 x 8192"),
    /** Products of FP32's accuracy on the tensor cores, three of halves each: a third of those. */
    TENSOR_SPLIT("a third of that, three products of halves each"),
    /** Products of {@link org.tornadodit.kernels.Mixed} operands: one of halves and two of eight bits at twice the rate. */
    TENSOR_MIXED("half of the rate of halves: one product of halves, two of eight bits at twice the rate"),
    /** The same by mma.sync, operations a second. */
    MMA_FP16("mma.sync on halves that stay in registers"),
    /** Three of those for FP32's accuracy. */
    MMA_SPLIT("a third of that, three products of halves each");

    private static final int LARGE = 8192;

    private static final int CHAINS = 8;
    private static final int LANES = 32;
    private static final int ROUNDS = 2048;

    private final String measuredBy;

    Ceiling(String measuredBy) {
        this.measuredBy = measuredBy;
    }

    /** In words. */
    public String measuredBy() {
        return measuredBy;
    }

    /**
     * The kernel that reaches it as well as can be; empty where it follows from another.
     *
     * @param threads as many as fill a GPU several times over
     */
    public Optional<KernelCase> measurement(int threads) {
        return switch (this) {
            case MEMORY -> Optional.of(copy(Math.multiplyExact(threads, 16)));
            case FP32 -> Optional.of(multiplyAdds(threads, ROUNDS));
            case TENSOR_FP16 -> Optional.of(TensorCases.linear(LARGE, LARGE, LARGE, Epilogue.BIAS, LARGE, 1, 1));
            case MMA_FP16 -> Optional.of(matrices(threads, ROUNDS));
            case TENSOR_SPLIT, TENSOR_MIXED, MMA_SPLIT -> Optional.empty();
        };
    }

    /** What it is a {@link #share} of, where no kernel measures it. */
    public Optional<Ceiling> partOf() {
        return switch (this) {
            case TENSOR_SPLIT, TENSOR_MIXED -> Optional.of(TENSOR_FP16);
            case MMA_SPLIT -> Optional.of(MMA_FP16);
            case MEMORY, FP32, TENSOR_FP16, MMA_FP16 -> Optional.empty();
        };
    }

    /** Which share of {@link #partOf}. */
    public double share() {
        return this == TENSOR_MIXED ? 1 / 2.0 : 1 / 3.0;
    }

    private static KernelCase matrices(int threads, int rounds) {
        KernelContext context = new KernelContext();
        FloatArray end = ArrayPages.floats(threads);
        double[] lanes = new double[LANES];
        for (int lane = 0; lane < LANES; lane++) {
            lanes[lane] = multipliedMatrices(lane) * rounds * CHAINS;
        }
        return new KernelCase(
                "mma.sync",
                threads + "x" + rounds,
                new Object[0],
                graph -> graph.task("mma", Ceiling::multiplyMatrices, context, end, rounds),
                Map.of("mma", Launch.elementwise(threads)),
                end,
                i -> lanes[i % LANES],
                0,
                2.0 * 16 * 8 * 16 / LANES * CHAINS * rounds * threads,
                4.0 * threads);
    }

    /** Eight sums of a warp, to each of which the same product of small whole numbers is added again and again. */
    public static void multiplyMatrices(KernelContext context, FloatArray end, int rounds) {
        int lane = context.globalIdx % LANES;
        float[] sums = Registers.floats(4 * CHAINS);
        int[] a = Registers.ints(4);
        int[] b = Registers.ints(2);
        for (int i = 0; i < 4; i++) {
            Registers.set(a, i, Halves.pack(left(lane, i, 0), left(lane, i, 1)));
        }
        for (int i = 0; i < 2; i++) {
            Registers.set(b, i, Halves.pack(right(lane, i, 0), right(lane, i, 1)));
        }
        int turns = Registers.opaque(rounds / 4);
        for (int turn = 0; turn < turns; turn++) {
            for (int i = 0; i < 4 * CHAINS; i++) {
                Mma.m16n8k16(sums, i % CHAINS * 4, a, 0, b, 0);
            }
        }
        float sum = 0f;
        for (int i = 0; i < 4 * CHAINS; i++) {
            sum += Registers.get(sums, i);
        }
        end.set(context.globalIdx, sum);
    }

    private static float left(int lane, int register, int second) {
        return (lane + 2 * register + second) % 3 - 1;
    }

    private static float right(int lane, int register, int second) {
        return (lane + 3 * register + 2 * second) % 5 - 2;
    }

    /** What a lane has of one product, summed. */
    private static double multipliedMatrices(int lane) {
        double sum = 0;
        for (int i = 0; i < 4; i++) {
            int row = lane / 4 + i / 2 * 8;
            int column = lane % 4 * 2 + i % 2;
            for (int k = 0; k < 16; k++) {
                int pair = k % 8 / 2;
                sum += left(row % 8 * 4 + pair, row / 8 + k / 8 * 2, k % 2) * right(column * 4 + pair, k / 8, k % 2);
            }
        }
        return sum;
    }

    private static KernelCase copy(int elements) {
        KernelContext context = new KernelContext();
        FloatArray from = Data.random(1, elements, 1);
        FloatArray to = ArrayPages.floats(elements);
        return new KernelCase(
                "copy",
                String.valueOf(elements),
                new Object[] {from},
                graph -> graph.task("copy", Embedding::copy, context, from, to, elements),
                Map.of("copy", Launch.elementwise(elements)),
                to,
                from::get,
                0,
                0,
                8.0 * elements);
    }

    private static KernelCase multiplyAdds(int threads, int rounds) {
        KernelContext context = new KernelContext();
        FloatArray start = Data.random(1, threads, 1);
        FloatArray end = ArrayPages.floats(threads);
        return new KernelCase(
                "multiplyAdds",
                threads + "x" + rounds,
                new Object[] {start},
                graph -> graph.task("fma", Ceiling::multiplyAdd, context, start, end, threads, rounds),
                Map.of("fma", Launch.elementwise(threads)),
                end,
                i -> multiplied(start.get(i), rounds),
                1e-5,
                2.0 * CHAINS * threads * rounds,
                8.0 * threads);
    }

    /** Eight chains of {@code x = 0.5 x + 1}, enough to hide an instruction's latency, and their sum. */
    public static void multiplyAdd(KernelContext context, FloatArray start, FloatArray end, int threads, int rounds) {
        int index = context.globalIdx;
        if (index < threads) {
            float x = start.get(index);
            float c0 = x;
            float c1 = x + 1f;
            float c2 = x + 2f;
            float c3 = x + 3f;
            float c4 = x + 4f;
            float c5 = x + 5f;
            float c6 = x + 6f;
            float c7 = x + 7f;
            for (int i = 0; i < rounds; i += 4) {
                for (int j = 0; j < 4; j++) {
                    c0 = c0 * 0.5f + 1f;
                    c1 = c1 * 0.5f + 1f;
                    c2 = c2 * 0.5f + 1f;
                    c3 = c3 * 0.5f + 1f;
                    c4 = c4 * 0.5f + 1f;
                    c5 = c5 * 0.5f + 1f;
                    c6 = c6 * 0.5f + 1f;
                    c7 = c7 * 0.5f + 1f;
                }
            }
            end.set(index, c0 + c1 + c2 + c3 + c4 + c5 + c6 + c7);
        }
    }

    private static double multiplied(double x, int rounds) {
        double sum = 0;
        for (int chain = 0; chain < CHAINS; chain++) {
            double value = x + chain;
            for (int i = 0; i < rounds; i++) {
                value = value * 0.5 + 1;
            }
            sum += value;
        }
        return sum;
    }
}
