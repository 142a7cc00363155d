package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.LayerNormArguments.LayerStep;
import org.tornadodit.kernels.LayerNormArguments.Modulation;
import org.tornadodit.kernels.LayerNormArguments.PackedOut;
import uk.ac.manchester.tornado.api.GridScheduler;
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
        int hidden = 48;
        FloatArray x = new FloatArray(16 * hidden);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, i % 7 - 3);
        }
        // Three layers' chunks.
        FloatArray conditioning = new FloatArray(3 * LayerNorm.CHUNKS * hidden);
        conditioning.init(0f);
        conditioning.set(2 * LayerNorm.CHUNKS * hidden + 17, shift);
        IntArray layer = IntArray.fromElements(2);
        IntArray batch = new IntArray(Batch.length(1));
        Batch.fill(batch, new int[1], new boolean[1], 0);
        IntArray overflow = new IntArray(3 * Overflow.KINDS);
        overflow.init(0);
        IntArray out = new IntArray(Packed.size(16, hidden, planes));
        LayerNormArguments arguments = new LayerNormArguments(
                new LayerStep(layer, 0, new IntArray(1)),
                batch,
                x,
                new Modulation(conditioning, 0, 1, 3 * LayerNorm.CHUNKS),
                1,
                16,
                hidden);
        TaskGraph graph = new TaskGraph("overflow")
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, x, conditioning, layer, batch, overflow);
        arguments
                .packedTask(graph, "norm", new PackedOut(out, planes, overflow, Overflow.NORM2))
                .transferToHost(DataTransferMode.UNDER_DEMAND, overflow);
        GridScheduler scheduler = new GridScheduler("overflow.norm", arguments.packedGrid());
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(graph.snapshot())) {
            TornadoExecutionResult result = plan.withGridScheduler(scheduler).execute();
            result.transferToHost(overflow);
        }
        int[] expected = new int[3 * Overflow.KINDS];
        expected[2 * Overflow.KINDS + Overflow.NORM2] = shift <= Packed.LARGEST - 5 ? 0 : 1;
        assertArrayEquals(expected, overflow.toHeapArray());
    }
}
