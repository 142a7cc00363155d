package org.tornadodit.kernels;

import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.TransformerTunables;
import org.tornadodit.kernels.check.Tunable;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;

/** Every variant that the autotuner may choose gives the default's bits, at rows that no tile divides. */
class VariantBitsTest {
    private static final int MULTIPROCESSORS = 132;

    /** 328 rows: two tiles of 256, the second of 72 of its rows; padded to 384, an odd multiple of 128. */
    private static final TransformerTunables SIZES = new TransformerTunables(41, 8, 144, 2, 160, 1, 4, 8, 2, 8, 64);

    @TestFactory
    Stream<DynamicTest> variantsHaveTheDefaultsBits() {
        return Stream.concat(SIZES.tensor(1, MULTIPROCESSORS).stream(), SIZES.tensor(2, MULTIPROCESSORS).stream())
                .filter(tunable -> tunable.variants().size() > 1)
                .map(tunable -> DynamicTest.dynamicTest(tunable.operation().toString(), () -> check(tunable)));
    }

    private static void check(Tunable tunable) throws Exception {
        Function<Variant, KernelCase> cases = tunable.cases().get();
        double[] expected = run(cases.apply(tunable.standard()));
        for (Variant variant : tunable.variants().subList(1, tunable.variants().size())) {
            Assertions.assertArrayEquals(expected, run(cases.apply(variant)), variant.toString());
        }
    }

    private static double[] run(KernelCase kernel) throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
        return IntStream.range(0, kernel.size())
                .mapToDouble(kernel.actual()::applyAsDouble)
                .toArray();
    }
}
