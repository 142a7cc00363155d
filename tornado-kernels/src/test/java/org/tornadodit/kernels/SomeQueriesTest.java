package org.tornadodit.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.kernels.check.AttentionCases;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.TransformerCases;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;

/** Attention of some of a sample's tokens has the bits that these tokens have among all. */
class SomeQueriesTest {
    private static final int TOKENS = 136;

    private static final Map<String, Function<AttentionShape, KernelCase>> KERNELS = Map.of(
            "portable", TransformerCases::attention,
            "wgmma 1", shape -> AttentionCases.attention(shape, 1),
            "wgmma 2", shape -> AttentionCases.attention(shape, 2),
            "ampere", shape -> mma(shape, 2, MmaForm.AMPERE),
            "volta", shape -> mma(shape, 1, MmaForm.VOLTA));

    private static KernelCase mma(AttentionShape shape, int planes, MmaForm form) {
        AttentionTiling tiling = new MmaAttention.Tiling(2, 1, 32, 2, form);
        return AttentionCases.attentions(shape, planes, 3, "").apply(tiling);
    }

    private static KernelCase run(KernelCase kernel) throws Exception {
        try (TornadoExecutionPlan plan = new TornadoExecutionPlan(kernel.graph().snapshot())) {
            plan.withGridScheduler(kernel.scheduler()).execute().transferToHost(kernel.output());
        }
        return kernel;
    }

    @ParameterizedTest
    @CsvSource({
        "portable, 0, 68",
        "portable, 68, 68",
        "portable, 35, 1",
        "wgmma 1, 64, 72",
        "wgmma 1, 0, 8",
        "wgmma 2, 72, 64",
        "wgmma 2, 8, 128",
        "ampere, 64, 72",
        "ampere, 128, 8",
        "volta, 64, 72",
        "volta, 0, 40"
    })
    void someQueriesHaveTheBitsOfAll(String kernel, int first, int count) throws Exception {
        Function<AttentionShape, KernelCase> cases = Objects.requireNonNull(KERNELS.get(kernel));
        AttentionShape part = new AttentionShape(2, TOKENS, 2, 24, first, count);
        KernelCase all = run(cases.apply(new AttentionShape(2, TOKENS, 2, 24)));
        KernelCase some = run(cases.apply(part));
        assertEquals(2 * count * 48, some.size());
        for (int i = 0; i < some.size(); i++) {
            assertEquals(
                    (float) all.actual().applyAsDouble(part.indexAmongAll(i)),
                    (float) some.actual().applyAsDouble(i),
                    "element " + i);
        }
    }
}
