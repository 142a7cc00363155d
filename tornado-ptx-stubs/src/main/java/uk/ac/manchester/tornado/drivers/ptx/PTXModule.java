package uk.ac.manchester.tornado.drivers.ptx;

/** A loaded PTX text of one kernel. */
public class PTXModule {
    public final byte[] moduleWrapper;

    /** No constant, which javac would copy. */
    public final String kernelFunctionName;

    PTXModule(byte[] moduleWrapper, String kernelFunctionName) {
        this.moduleWrapper = moduleWrapper;
        this.kernelFunctionName = kernelFunctionName;
    }

    public byte[] getSource() {
        throw new UnsupportedOperationException("stub");
    }
}
