package uk.ac.manchester.tornado.runtime.graal.compiler;

import jdk.graal.compiler.phases.PhaseSuite;
import jdk.graal.compiler.phases.tiers.HighTierContext;

/** The first phases. */
public abstract class TornadoHighTier extends PhaseSuite<HighTierContext> {
    TornadoHighTier() {}
}
