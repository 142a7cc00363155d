package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.check.AttentionCases;
import org.tornadodit.kernels.check.KernelCase;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/** Scores that jump up at some key, another one for each query: rows rise late, or stay as they are, each for itself. */
class MmaSoftmaxTest {
    private static final int TOKENS = 136;
    private static final int HEADS = 2;
    private static final int SIZE = 24;
    /** Where the scores of queries t with t % 4 = 0, 1, 2, 3 jump. */
    private static final int[] JUMPS = {20, 37, 70, 130};

    private static final AttentionShape SHAPE = new AttentionShape(1, TOKENS, HEADS, SIZE);

    /** @param rise of the scores at the jump, in natural units; halves hold all numbers but for the last bits */
    private static FloatArray qkv(double rise) {
        Random random = new Random(18);
        int hidden = HEADS * SIZE;
        FloatArray qkv = new FloatArray(TOKENS * 3 * hidden);
        for (int t = 0; t < TOKENS; t++) {
            for (int i = 0; i < 3 * hidden; i++) {
                qkv.set(t * 3 * hidden + i, (random.nextInt(33) - 16) / 16f);
            }
            for (int head = 0; head < HEADS; head++) {
                int q = t * 3 * hidden + head * SIZE;
                for (int d = 0; d < JUMPS.length; d++) {
                    qkv.set(q + d, t % 4 == d ? 8f : 0f);
                    qkv.set(q + hidden + d, t >= JUMPS[d] ? (float) (rise * Math.sqrt(SIZE) / 8) : 0f);
                }
            }
        }
        return qkv;
    }

    private static KernelCase run(FloatArray qkv, AttentionTiling tiling) throws Exception {
        Function<AttentionTiling, KernelCase> cases = AttentionCases.attentions(SHAPE, qkv, 1, 3, "");
        KernelCase kernel = cases.apply(tiling);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
        return kernel;
    }

    private static double[] numbers(KernelCase kernel) {
        return IntStream.range(0, kernel.size())
                .mapToDouble(kernel.actual())
                .toArray();
    }

    @ParameterizedTest
    @CsvSource({"0", "4", "7", "14", "60"})
    void rowsRiseEachForItself(double rise) throws Exception {
        FloatArray qkv = qkv(rise);
        KernelCase first = run(qkv, new MmaAttention.Tiling(4, 1, 32, 3, MmaForm.AMPERE));
        double error = first.error(first.size());
        assertTrue(error <= first.bound(), "rise " + rise + ": " + error);
        double[] expected = numbers(first);
        for (AttentionTiling other : new AttentionTiling[] {
            new MmaAttention.Tiling(2, 2, 32, 4, MmaForm.AMPERE),
            new MmaAttention.Tiling(4, 1, 32, 2, MmaForm.AMPERE),
            new MmaAttention.Tiling(1, 2, 64, 3, MmaForm.AMPERE)
        }) {
            assertArrayEquals(expected, numbers(run(qkv, other)), other + ", rise " + rise);
        }
        KernelCase turing = run(qkv, new MmaAttention.Tiling(4, 1, 32, 2, MmaForm.TURING));
        assertTrue(turing.error(turing.size()) <= turing.bound(), "Turing, rise " + rise);
    }
}
