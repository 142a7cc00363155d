package uk.ac.manchester.tornado.drivers.ptx;

/** Options of the driver's compiler. */
public enum CUjitOption {
    CU_JIT_OPTIMIZATION_LEVEL;

    public int getValue() {
        throw new UnsupportedOperationException("stub");
    }
}
