package uk.ac.manchester.tornado.drivers.ptx;

import uk.ac.manchester.tornado.api.TornadoBackend;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;

/** All GPUs. */
public abstract class PTXBackendImpl implements TornadoBackend {
    PTXBackendImpl() {}

    public PTXBackend getBackend(int device) {
        throw new UnsupportedOperationException("stub");
    }
}
