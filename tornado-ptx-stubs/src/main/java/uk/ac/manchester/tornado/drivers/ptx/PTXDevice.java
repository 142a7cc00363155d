package uk.ac.manchester.tornado.drivers.ptx;

/** A GPU. */
public class PTXDevice {
    PTXDevice() {}

    public CUDAComputeCapability getComputeCapability() {
        throw new UnsupportedOperationException("stub");
    }

    public String getDeviceName() {
        throw new UnsupportedOperationException("stub");
    }

    public String getTargetPTXVersion() {
        throw new UnsupportedOperationException("stub");
    }

    public TargetArchitecture getTargetArchitecture() {
        throw new UnsupportedOperationException("stub");
    }
}
