package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;
import org.tornadodit.kernels.check.AttentionCases;
import org.tornadodit.kernels.check.KernelCase;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the list of cases does not show of {@link WarpgroupAttention}. */
class WarpgroupAttentionTest {

    private static void run(KernelCase kernel) throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
    }

    /** Every way to cut the work, with more and with fewer work groups than there are queries for, gives the same attention. */
    @ParameterizedTest
    @CsvSource({
        "2, 72, 152, 2, 64, 4, 2, 1, 3",
        "2, 72, 136, 2, 16, 3, 1, 0, 132",
        "2, 72, 128, 1, 32, 3, 0, 0, 1",
        "2, 8, 40, 1, 64, 4, 0, 0, 132",
        "2, 64, 200, 2, 48, 5, 1, 1, 2",
        "2, 128, 72, 2, 32, 3, 0, 1, 132",
        "2, 104, 72, 2, 64, 3, 1, 1, 132",
        "1, 72, 256, 2, 128, 4, 1, 0, 3",
        "1, 72, 200, 3, 64, 8, 1, 1, 132",
        "1, 64, 136, 3, 16, 3, 0, 0, 1",
        "1, 8, 72, 1, 32, 3, 1, 1, 2",
        "1, 40, 8, 2, 64, 3, 0, 1, 132"
    })
    void everyTilingAgreesWithTheReference(
            int planes,
            int headSize,
            int tokens,
            int consumers,
            int keys,
            int stages,
            int held,
            int turns,
            int multiprocessors)
            throws Exception {
        Tiling tiling = new Tiling(consumers, keys, stages, held, turns);
        KernelCase kernel = AttentionCases.attentions(1, tokens, 2, headSize, planes, multiprocessors, " " + tiling)
                .apply(tiling);
        run(kernel);
        double error = kernel.error(kernel.size());
        // Unlike a tensor core, the host rounds after each product that it adds.
        double bound = planes == 2 ? 8e-7 : kernel.bound();
        assertTrue(error <= bound, kernel.name() + ": error " + error + ", bound " + bound);
    }

    /** So the autotuner may choose. */
    @ParameterizedTest
    @CsvSource({"72, 2, 136", "64, 1, 256"})
    void everyVariantGivesTheSameBits(int headSize, int planes, int tokens) throws Exception {
        int[] first = null;
        List<Variant> variants = new ArrayList<>(TensorVariants.attention(2, headSize, planes, tokens, 1));
        variants.addAll(TensorVariants.attention(2, headSize, planes, tokens, 132));
        for (Variant variant : variants) {
            KernelCase kernel = AttentionCases.attentions(1, tokens, 2, headSize, planes, 2, "")
                    .apply(TensorVariants.attentionTiling(variant));
            run(kernel);
            int[] bits = new int[kernel.size()];
            for (int i = 0; i < bits.length; i++) {
                bits[i] = Float.floatToIntBits((float) kernel.actual().applyAsDouble(i));
            }
            first = first == null ? bits : first;
            assertArrayEquals(first, bits, variant.toString());
        }
    }

    /** 8 heads of 1024 tokens, as on each of four GPUs, are 64 pieces of 128 queries, or 128 of 64 for as many multiprocessors. */
    @Test
    void fewHeadsAreCutIntoMorePieces() {
        assertEquals(2, consumers(16, 132));
        assertEquals(1, consumers(8, 132));
        assertEquals(2, consumers(8, 127));
        assertEquals(
                2,
                TensorVariants.attention(8, 72, 1, 1024, 132).size(),
                "what takes two warpgroups may still be found to be faster");
    }

    private static int consumers(int heads, int multiprocessors) {
        Variant first =
                TensorVariants.attention(heads, 72, 1, 1024, multiprocessors).getFirst();
        return TensorVariants.attentionTiling(first).consumers();
    }

    @Test
    void marksTheLayerWhoseValuesDoNotFit() throws Exception {
        KernelCase kernel = AttentionCases.attention(1, 8, 2, 8, 1);
        IntArray heads = (IntArray) kernel.inputs()[0];
        IntArray overflow = (IntArray) kernel.inputs()[3];
        run(kernel);
        int[] expected = new int[2 * Overflow.KINDS];
        assertArrayEquals(expected, overflow.toHeapArray());
        // A value that is infinite already.
        heads.set(heads.getSize() - 1, 0x7c00);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(overflow);
        }
        expected[Overflow.KINDS + Overflow.ATTENTION] = 1;
        assertArrayEquals(expected, overflow.toHeapArray());
    }

    @Test
    void theDefaultFitsSharedMemory() {
        for (int planes = 1; planes <= 2; planes++) {
            for (int headSize = 8; headSize <= 128; headSize += 8) {
                for (int tokens : new int[] {8, 64, 136, 256, 1024}) {
                    Tiling tiling = Tiling.of(headSize, planes, tokens);
                    AttentionShape shape = new AttentionShape(3, tokens, 16, headSize);
                    int blocks = tiling.blocks(shape, 132);
                    assertTrue(tiling.stages() >= WarpgroupAttention.FEWEST_STAGES);
                    long threads = tiling.grid(shape, planes, blocks).getLocalWork()[0];
                    assertEquals(128L * (tiling.consumers() + 1), threads);
                }
            }
        }
    }

    @Test
    void refusesWhatItCannotDo() {
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(36, 1, 64));
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(136, 1, 64));
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(72, 3, 64));
        Tiling tiling = Tiling.of(72, 1, 64);
        assertThrows(IllegalArgumentException.class, () -> grid(12, 2, 1, tiling));
        assertThrows(IllegalArgumentException.class, () -> grid(16, 1, 1, tiling));
        Tiling shallow = new Tiling(2, 64, 2, 2, 0);
        assertThrows(IllegalArgumentException.class, () -> grid(256, 2, 2, shallow));
        Tiling large = new Tiling(2, 128, 4, 0, 0);
        assertThrows(IllegalArgumentException.class, () -> grid(256, 2, 2, large));
    }

    private static WorkerGrid grid(int tokens, int heads, int planes, Tiling tiling) {
        return tiling.grid(new AttentionShape(1, tokens, heads, 72), planes, 1);
    }
}
