package uk.ac.manchester.tornado.drivers.ptx.graal;

import uk.ac.manchester.tornado.runtime.graal.TornadoSuites;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSuitesProvider;

/** Gives a GPU's compiler's phases. */
public abstract class PTXSuitesProvider implements TornadoSuitesProvider {
    PTXSuitesProvider() {}

    public TornadoSuites getSuites() {
        throw new UnsupportedOperationException("stub");
    }
}
