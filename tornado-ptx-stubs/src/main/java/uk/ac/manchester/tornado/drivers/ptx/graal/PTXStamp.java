package uk.ac.manchester.tornado.drivers.ptx.graal;

import jdk.graal.compiler.core.common.type.ObjectStamp;
import uk.ac.manchester.tornado.drivers.ptx.graal.lir.PTXKind;

/** Type of a value that is a PTX register. */
public abstract class PTXStamp extends ObjectStamp {
    public PTXStamp(PTXKind kind) {
        super(null, true, true, false, false);
    }
}
