package uk.ac.manchester.tornado.drivers.ptx.graal.lir;

import jdk.vm.ci.meta.PlatformKind;

/** Kind of a PTX register. */
public enum PTXKind implements PlatformKind {
    F32,
    S32,
    MMA_FRAG_A_F16,
    MMA_FRAG_ACC_F32;

    @Override
    public Key getKey() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public int getSizeInBytes() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public int getVectorLength() {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public char getTypeChar() {
        throw new UnsupportedOperationException("stub");
    }
}
