package uk.ac.manchester.tornado.runtime.graal.phases;

import jdk.graal.compiler.phases.OptimisticOptimizations;
import jdk.graal.compiler.phases.PhaseSuite;
import jdk.graal.compiler.phases.tiers.HighTierContext;
import jdk.graal.compiler.phases.util.Providers;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import uk.ac.manchester.tornado.api.common.Access;

/** What the phases that make a sketch know, and what they find out. */
public class TornadoSketchTierContext extends HighTierContext {
    public TornadoSketchTierContext(
            Providers providers,
            PhaseSuite<HighTierContext> graphBuilderSuite,
            OptimisticOptimizations optimizations,
            ResolvedJavaMethod method,
            int backendIndex,
            int deviceIndex) {
        super(providers, graphBuilderSuite, optimizations);
        throw new UnsupportedOperationException("stub");
    }

    public Access[] getAccesses() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean getBatchWriteThreadIndex() {
        throw new UnsupportedOperationException("stub");
    }
}
