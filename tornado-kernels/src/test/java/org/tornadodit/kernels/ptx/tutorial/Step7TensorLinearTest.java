package org.tornadodit.kernels.ptx.tutorial;

import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinearArguments;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Step 7: the engine's own kernel, with operands of one plane of halves and of two. */
class Step7TensorLinearTest {
    private static final int MULTIPROCESSORS = 2;

    @ParameterizedTest
    @CsvSource({"1, 4e-4", "2, 1e-6"})
    void twoPlanesAreAsAccurateAsFloats(int planes, double bound) throws Exception {
        Problem problem = Problem.of(72, 40, 96);
        int m = problem.m();
        int n = problem.n();
        int k = problem.k();
        IntArray x = new IntArray(Packed.size(m, k, planes));
        PackedWeights.pack(problem.a().getSegment(), x, 0, m, Packed.paddedRows(m), k, planes, 1f);
        FloatArray none = new FloatArray(n);
        none.init(0f);
        PackedWeights weights =
                PackedWeights.of(List.of(problem.b().getSegment()), List.of(none.getSegment()), n, k, planes);
        IntArray layer = IntArray.fromElements(0);
        IntArray batch = Batch.allRows();
        batch.set(Batch.PASSES, 1);
        FloatArray c = new FloatArray(m * n);
        IntArray packed = new IntArray(1);
        IntArray overflow = new IntArray(Overflow.KINDS);
        overflow.init(0);
        TensorLinear.Tile tile = TensorLinear.tile(planes, m, n, k, MULTIPROCESSORS);
        TensorLinearArguments arguments = new TensorLinearArguments(
                layer,
                batch,
                x,
                weights.weight(),
                weights.bias(),
                new TensorLinearArguments.Bias(c),
                overflow,
                new ProductShape(m, n, k),
                m,
                planes,
                tile,
                tile.blocks(m, n, MULTIPROCESSORS),
                new TensorLinearArguments.Spare(none, packed),
                null);
        TaskGraph graph = new TaskGraph("step7")
                .transferToDevice(
                        DataTransferMode.FIRST_EXECUTION,
                        layer,
                        batch,
                        x,
                        weights.weight(),
                        weights.bias(),
                        none,
                        overflow);
        arguments.task(graph, "linear").transferToHost(DataTransferMode.EVERY_EXECUTION, c);
        Problem.execute(graph, new GridScheduler("step7.linear", arguments.grid()));
        problem.check("step 7, planes " + planes, c, problem.reference(), bound);
    }
}
