package uk.ac.manchester.tornado.runtime.graal.compiler;

import jdk.graal.compiler.phases.PhaseSuite;
import jdk.graal.compiler.phases.tiers.HighTierContext;

/** Gives a compiler's phases. */
public interface TornadoSuitesProvider {
    PhaseSuite<HighTierContext> getGraphBuilderSuite();

    TornadoSketchTier getSketchTier();
}
