package org.tornadodit.kernels;

import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assertions;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.kernels.check.TunableOperations;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;

/** Every variant that the autotuner may choose gives the default's bits, at rows that no tile divides. */
class VariantBitsTest {
    private static final TensorCores CORES = new TensorCores.Warpgroups(132);

    private static final int PASSES = 41;
    private static final int TOKENS = 8;
    /** 328 rows: two tiles of 256, the second of 72 of its rows; padded to 384, an odd multiple of 128. */
    private static final int ROWS = PASSES * TOKENS;

    private static final int HIDDEN = 144;
    private static final int HEADS = 2;
    private static final int MLP = 160;

    @TestFactory
    Stream<DynamicTest> variantsHaveTheDefaultsBits() {
        Stream<Tunable> blocks = Stream.of(1, 2)
                .flatMap(planes -> Stream.of(
                        linear(MLP, HIDDEN, Epilogue.BIAS_GELU, planes),
                        linear(HIDDEN, MLP, Epilogue.GATE_RESIDUAL, planes),
                        linear(3 * HIDDEN, HIDDEN, Epilogue.BIAS_HEADS, planes),
                        TunableOperations.tensorAttention(PASSES, TOKENS, HEADS, HIDDEN / HEADS, planes, CORES),
                        linear(HIDDEN, HIDDEN, Epilogue.GATE_RESIDUAL, planes)));
        Stream<Tunable> mixed = Stream.of(
                linear(MLP, 192, Epilogue.BIAS_GELU, Packed.MIXED),
                linear(HIDDEN, 192, Epilogue.GATE_RESIDUAL, Packed.MIXED));
        Stream<Tunable> mma = Stream.of(1, 2)
                .flatMap(planes -> Stream.of(MmaForm.values())
                        .map(form -> TensorCores.Warps.of(form, 132, 8, 0))
                        .flatMap(cores -> Stream.of(
                                TunableOperations.tensorLinear(
                                        72, HIDDEN, MLP, Epilogue.GATE_RESIDUAL, TOKENS, HEADS, planes, cores),
                                TunableOperations.tensorAttention(3, 72, HEADS, 24, planes, cores))));
        Stream<Tunable> around = Stream.of(
                linear(32, HIDDEN, Epilogue.BIAS, 2),
                TunableOperations.tensorLinear(PASSES, 6 * HIDDEN, HIDDEN, Epilogue.BIAS, 1, 1, 2, CORES),
                TunableOperations.layerNorm(PASSES, TOKENS, HIDDEN),
                TunableOperations.fewRows(PASSES, 2 * HIDDEN, HIDDEN, Epilogue.BIAS),
                TunableOperations.fewRows(PASSES, HIDDEN, 64, Epilogue.BIAS_SILU),
                TunableOperations.patchify(21, 20, 4, 8, 2));
        return Stream.of(blocks, mixed, mma, around)
                .flatMap(tunables -> tunables)
                .filter(tunable -> tunable.variants().size() > 1)
                .map(tunable -> DynamicTest.dynamicTest(tunable.operation().toString(), () -> check(tunable)));
    }

    private static Tunable linear(int n, int k, int epilogue, int planes) {
        return TunableOperations.tensorLinear(ROWS, n, k, epilogue, TOKENS, HEADS, planes, CORES);
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
