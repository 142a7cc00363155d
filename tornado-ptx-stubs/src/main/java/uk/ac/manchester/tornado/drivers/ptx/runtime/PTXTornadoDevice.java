package uk.ac.manchester.tornado.drivers.ptx.runtime;

import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;

/** A GPU as plans know it. */
public abstract class PTXTornadoDevice implements TornadoDevice {
    PTXTornadoDevice() {}

    public PTXDeviceContext getDeviceContext() {
        throw new UnsupportedOperationException("stub");
    }

    /** Makes the GPU's context that of the calling thread. */
    public void enableThreadSharing() {
        throw new UnsupportedOperationException("stub");
    }
}
