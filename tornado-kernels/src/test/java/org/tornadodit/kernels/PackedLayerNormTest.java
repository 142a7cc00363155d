package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What the list of cases does not show of {@link PackedLayerNorm}. */
class PackedLayerNormTest {

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
        IntArray batch = new IntArray(Batch.length(1));
        Batch.fill(batch, new int[1], new boolean[1], 0);
        IntArray overflow = new IntArray(12);
        overflow.init(0);
        IntArray out = new IntArray(Packed.size(16, hidden, planes));
        TaskGraph graph = new TaskGraph("overflow")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, x, conditioning, layer, batch, overflow)
                .task(
                        "norm",
                        PackedLayerNorm::modulate,
                        context,
                        x,
                        conditioning,
                        out,
                        layer,
                        new IntArray(1),
                        batch,
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
