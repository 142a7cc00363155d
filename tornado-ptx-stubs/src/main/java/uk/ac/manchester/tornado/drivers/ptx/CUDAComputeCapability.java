package uk.ac.manchester.tornado.drivers.ptx;

/** A version of two numbers. */
public class CUDAComputeCapability {
    public CUDAComputeCapability(int major, int minor) {
        throw new UnsupportedOperationException("stub");
    }

    public int getMajor() {
        throw new UnsupportedOperationException("stub");
    }

    public int getMinor() {
        throw new UnsupportedOperationException("stub");
    }
}
