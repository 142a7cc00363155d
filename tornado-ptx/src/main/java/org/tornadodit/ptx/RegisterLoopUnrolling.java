package org.tornadodit.ptx;

import java.util.Optional;
import java.util.stream.IntStream;
import jdk.graal.compiler.graph.Node;
import jdk.graal.compiler.loop.phases.LoopTransformations;
import jdk.graal.compiler.nodes.GraphState;
import jdk.graal.compiler.nodes.StructuredGraph;
import jdk.graal.compiler.nodes.loop.Loop;
import jdk.graal.compiler.nodes.loop.LoopsData;
import jdk.graal.compiler.phases.BasePhase;
import jdk.graal.compiler.phases.common.CanonicalizerPhase;
import jdk.graal.compiler.phases.tiers.HighTierContext;
import org.jspecify.annotations.Nullable;

/**
 * Unrolls loops of constant length, innermost first, in which the number of a register is not constant yet, whatever
 * their size: such code has no other form. Loops without register arrays are left to Graal's own rules.
 */
final class RegisterLoopUnrolling extends BasePhase<HighTierContext> {

    /** A loop that is longer cannot have been meant. */
    private static final int MOST_TURNS = 1024;

    private final CanonicalizerPhase canonicalizer = CanonicalizerPhase.create();

    @Override
    public Optional<NotApplicable> notApplicableTo(GraphState state) {
        return ALWAYS_APPLICABLE;
    }

    @Override
    protected void run(StructuredGraph graph, HighTierContext context) {
        if (graph.getNodes().filter(InstructionNode.class).isEmpty()) {
            return;
        }
        for (Loop loop = next(graph, context); loop != null; loop = next(graph, context)) {
            LoopTransformations.fullUnroll(loop, context, canonicalizer);
        }
    }

    private static @Nullable Loop next(StructuredGraph graph, HighTierContext context) {
        LoopsData loops = context.getLoopsDataProvider().getLoopsData(graph);
        loops.detectCountedLoops();
        return loops.innerFirst().stream()
                .filter(RegisterLoopUnrolling::mustGo)
                .findFirst()
                .orElse(null);
    }

    private static boolean mustGo(Loop loop) {
        if (!loop.isCounted()
                || !loop.counted().isConstantMaxTripCount()
                || !loop.counted().constantMaxTripCount().isLessThan(MOST_TURNS + 1)) {
            return false;
        }
        for (Node node : loop.inside().nodes()) {
            if (node instanceof InstructionNode call && hasOpenNumber(call)) {
                return true;
            }
        }
        return false;
    }

    private static boolean hasOpenNumber(InstructionNode call) {
        return IntStream.range(0, call.intrinsic().parameters().size())
                .anyMatch(i -> call.intrinsic().template().needsConstant(i)
                        && !call.intrinsic().parameters().get(i).isRegisters()
                        && !call.argument(i).isJavaConstant());
    }
}
