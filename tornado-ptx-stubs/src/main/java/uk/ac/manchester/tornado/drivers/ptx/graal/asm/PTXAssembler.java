package uk.ac.manchester.tornado.drivers.ptx.graal.asm;

import jdk.vm.ci.code.TargetDescription;
import jdk.vm.ci.meta.Value;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXLIRGenerationResult;

/** Writes PTX text. */
public class PTXAssembler {
    public PTXAssembler(TargetDescription target, PTXLIRGenerationResult instructions) {
        throw new UnsupportedOperationException("stub");
    }

    public static String toString(Value value) {
        throw new UnsupportedOperationException("stub");
    }

    public void emitSymbol(String text) {
        throw new UnsupportedOperationException("stub");
    }
}
