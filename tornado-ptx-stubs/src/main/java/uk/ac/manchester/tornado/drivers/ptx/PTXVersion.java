package uk.ac.manchester.tornado.drivers.ptx;

/** What stands behind .version. */
public class PTXVersion {
    public PTXVersion(CUDAComputeCapability version) {
        throw new UnsupportedOperationException("stub");
    }

    @Override
    public String toString() {
        throw new UnsupportedOperationException("stub");
    }
}
