package uk.ac.manchester.tornado.runtime.graal.compiler;

import jdk.graal.compiler.phases.PhaseSuite;
import uk.ac.manchester.tornado.runtime.graal.phases.TornadoSketchTierContext;

/** Phases that make a sketch. */
public abstract class TornadoSketchTier extends PhaseSuite<TornadoSketchTierContext> {
    TornadoSketchTier() {}
}
