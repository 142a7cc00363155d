package uk.ac.manchester.tornado.drivers.ptx;

/** What stands behind .target. */
public class TargetArchitecture extends CUDAComputeCapability {
    public TargetArchitecture(int major, int minor) {
        super(major, minor);
    }

    @Override
    public String toString() {
        throw new UnsupportedOperationException("stub");
    }
}
