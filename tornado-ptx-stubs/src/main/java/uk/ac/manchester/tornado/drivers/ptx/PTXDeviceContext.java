package uk.ac.manchester.tornado.drivers.ptx;

import uk.ac.manchester.tornado.api.TornadoDeviceContext;

/** What belongs to a GPU. */
public class PTXDeviceContext implements TornadoDeviceContext {
    PTXDeviceContext() {}

    public PTXDevice getDevice() {
        throw new UnsupportedOperationException("stub");
    }

    public int getDeviceIndex() {
        throw new UnsupportedOperationException("stub");
    }

    public PTXCodeCache getCodeCache(long executionPlanId) {
        throw new UnsupportedOperationException("stub");
    }
}
