package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.TensorAttention.Tiling;
import org.tornadodit.kernels.bench.KernelCase;
import org.tornadodit.kernels.bench.TensorCases;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the list of cases does not show of {@link TensorAttention} and {@link PackedLayerNorm}. */
class TensorAttentionTest {

    /** Every way to cut the work gives the same attention. */
    @ParameterizedTest
    @CsvSource({
        "1, 1, 2, 16, 3, 1, 16, 0, 72",
        "1, 2, 1, 32, 2, 0, 32, 0, 24",
        "1, 2, 1, 32, 4, 0, 32, 1, 72",
        "2, 1, 2, 64, 2, 1, 32, 0, 72",
        "2, 2, 1, 32, 4, 1, 16, 0, 64",
        "2, 2, 2, 48, 3, 2, 48, 0, 40",
        "2, 2, 2, 48, 3, 2, 48, 1, 40",
        "2, 1, 3, 16, 5, 0, 16, 1, 72"
    })
    void everyTilingAgreesWithTheReference(
            int planes, int queryTiles, int warps, int keys, int stages, int held, int span, int bulk, int headSize)
            throws Exception {
        Tiling tiling = new Tiling(queryTiles, warps, keys, stages, held, span, 1, bulk);
        KernelCase kernel = TensorCases.attention(1, 88, 2, headSize, planes, tiling, " " + tiling);
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
        double error = kernel.error(kernel.size());
        assertTrue(error <= kernel.bound(), kernel.name() + ": error " + error + ", bound " + kernel.bound());
    }

    @Test
    void refusesWhatItCannotDo() {
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(36, 1, 64));
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(136, 1, 64));
        assertThrows(IllegalArgumentException.class, () -> Tiling.of(72, 3, 64));
        Tiling tiling = Tiling.of(72, 1, 64);
        assertThrows(IllegalArgumentException.class, () -> TensorAttention.grid(1, 12, 2, 72, 1, tiling));
        assertThrows(IllegalArgumentException.class, () -> TensorAttention.grid(1, 16, 1, 72, 1, tiling));
        Tiling shallow = new Tiling(2, 4, 32, 2, 1, 32, 2, 1);
        assertThrows(IllegalArgumentException.class, () -> TensorAttention.grid(1, 256, 2, 72, 2, shallow));
        Tiling large = new Tiling(2, 8, 128, 4, 0, 32, 1, 0);
        assertThrows(IllegalArgumentException.class, () -> TensorAttention.grid(1, 256, 2, 72, 2, large));
    }

    @ParameterizedTest
    @CsvSource({"1, 60000", "1, 70000", "2, 70000", "2, NaN"})
    void layerNormMarksTheLayerWhoseValuesDoNotFit(int planes, float shift) throws Exception {
        KernelContext context = new KernelContext();
        int hidden = 48;
        FloatArray x = new FloatArray(16 * hidden);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, i % 7 - 3);
        }
        // Three layers' chunks.
        int stride = 3 * LayerNorm.CHUNKS * hidden;
        FloatArray conditioning = new FloatArray(stride);
        conditioning.init(0f);
        conditioning.set(2 * LayerNorm.CHUNKS * hidden + 17, shift);
        IntArray layer = IntArray.fromElements(2);
        IntArray overflow = new IntArray(12);
        overflow.init(0);
        IntArray out = new IntArray(Packed.size(16, hidden, planes));
        TaskGraph graph = new TaskGraph("overflow")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, x, conditioning, layer, overflow)
                .task(
                        "norm",
                        PackedLayerNorm::modulate,
                        context,
                        x,
                        conditioning,
                        out,
                        layer,
                        new IntArray(1),
                        overflow,
                        16,
                        hidden,
                        16,
                        0,
                        hidden,
                        stride,
                        0,
                        planes,
                        3,
                        4,
                        PackedLayerNorm.warps(hidden))
                .transferToHost(DataTransferMode.UNDER_DEMAND, overflow);
        GridScheduler scheduler = new GridScheduler("overflow.norm", PackedLayerNorm.grid(16, hidden));
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            TornadoExecutionResult result = plan.withGridScheduler(scheduler).execute();
            result.transferToHost(overflow);
        }
        int[] expected = new int[12];
        expected[2 * 4 + 3] = shift <= Packed.LARGEST - 5 ? 0 : 1;
        assertArrayEquals(expected, overflow.toHeapArray());
    }
}
