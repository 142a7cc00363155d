package uk.ac.manchester.tornado.drivers.ptx.graal.backend;

import jdk.graal.compiler.phases.util.Providers;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSuitesProvider;

/** The compiler for a GPU. */
public class PTXBackend {
    PTXBackend() {}

    public Providers getProviders() {
        throw new UnsupportedOperationException("stub");
    }

    public TornadoSuitesProvider getTornadoSuites() {
        throw new UnsupportedOperationException("stub");
    }

    public PTXDeviceContext getDeviceContext() {
        throw new UnsupportedOperationException("stub");
    }
}
