package uk.ac.manchester.tornado.runtime;

import uk.ac.manchester.tornado.api.TornadoBackend;

/** TornadoVM itself. */
public final class TornadoCoreRuntime {
    private TornadoCoreRuntime() {}

    public static TornadoCoreRuntime getTornadoRuntime() {
        throw new UnsupportedOperationException("stub");
    }

    public static TornadoVMConfigAccess getVMConfig() {
        throw new UnsupportedOperationException("stub");
    }

    public <D extends TornadoBackend> D getBackend(Class<D> type) {
        throw new UnsupportedOperationException("stub");
    }
}
