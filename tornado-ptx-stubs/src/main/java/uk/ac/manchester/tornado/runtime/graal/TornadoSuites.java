package uk.ac.manchester.tornado.runtime.graal;

import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoHighTier;

/** A compiler's phases. */
public class TornadoSuites {
    TornadoSuites() {}

    public TornadoHighTier getHighTier() {
        throw new UnsupportedOperationException("stub");
    }
}
