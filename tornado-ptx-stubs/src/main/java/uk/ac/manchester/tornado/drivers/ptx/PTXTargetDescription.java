package uk.ac.manchester.tornado.drivers.ptx;

import jdk.vm.ci.code.Architecture;
import jdk.vm.ci.code.TargetDescription;

/** What a GPU is to a compiler. */
public abstract class PTXTargetDescription extends TargetDescription {
    PTXTargetDescription(Architecture architecture) {
        super(architecture, false, 8, 0, true);
    }
}
