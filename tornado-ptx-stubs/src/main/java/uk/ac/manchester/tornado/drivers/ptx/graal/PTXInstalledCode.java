package uk.ac.manchester.tornado.drivers.ptx.graal;

import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;

/** A kernel of a plan. */
public class PTXInstalledCode {
    public PTXInstalledCode(String name, PTXModule module, PTXDeviceContext context) {}
}
