package org.tornadodit.ptx;

import jdk.vm.ci.meta.MetaAccessProvider;
import jdk.vm.ci.meta.ResolvedJavaType;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXStamp;
import uk.ac.manchester.tornado.drivers.ptx.graal.lir.PTXKind;

/**
 * Type of a register array. TornadoVM must not take it for a Java array, which would be memory: it keeps the kinds of
 * its own tensor core fragments out of everything that is done to arrays.
 */
final class RegistersStamp extends PTXStamp {

    private final Class<?> type;

    RegistersStamp(Operand operand) {
        super(operand == Operand.FLOAT_REGISTERS ? PTXKind.MMA_FRAG_ACC_F32 : PTXKind.MMA_FRAG_A_F16);
        this.type = operand == Operand.FLOAT_REGISTERS ? float[].class : int[].class;
    }

    @Override
    public ResolvedJavaType javaType(MetaAccessProvider metaAccess) {
        return metaAccess.lookupJavaType(type);
    }
}
