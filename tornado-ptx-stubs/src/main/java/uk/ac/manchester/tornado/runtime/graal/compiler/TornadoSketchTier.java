package uk.ac.manchester.tornado.runtime.graal.compiler;

/** Phases that make a sketch. */
public class TornadoSketchTier {
    TornadoSketchTier() {}
}
