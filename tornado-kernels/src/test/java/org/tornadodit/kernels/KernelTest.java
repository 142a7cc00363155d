package org.tornadodit.kernels;

import java.util.List;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.SmallCases;
import org.tornadodit.model.Shape;
import org.tornadodit.model.TensorAssert;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;

/** Every kernel through a task graph, every element against its float64 reference. */
class KernelTest {
    @TestFactory
    Stream<DynamicTest> everyElementAgreesWithTheReference() {
        return cases().stream().map(supplier -> {
            KernelCase kernel = supplier.get();
            return DynamicTest.dynamicTest(kernel.name() + " " + kernel.shape(), () -> check(kernel));
        });
    }

    List<Supplier<KernelCase>> cases() {
        return SmallCases.all();
    }

    private static void check(KernelCase kernel) throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
        int size = kernel.size();
        float[] actual = new float[size];
        double[] expected = new double[size];
        for (int i = 0; i < size; i++) {
            actual[i] = (float) kernel.actual().applyAsDouble(i);
            expected[i] = kernel.reference().applyAsDouble(i);
        }
        // A copy of values is exact; the smallest bound still divides.
        double bound = Math.max(kernel.bound(), Double.MIN_NORMAL);
        TensorAssert.assertRelativeError(kernel.name() + " " + kernel.shape(), Shape.of(size), actual, expected, bound);
    }
}
