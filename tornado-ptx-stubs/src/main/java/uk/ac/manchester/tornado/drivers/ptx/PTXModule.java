package uk.ac.manchester.tornado.drivers.ptx;

/** A loaded PTX text of one kernel. */
public class PTXModule {
    public final byte[] moduleWrapper;

    /** No constant, which javac would copy. */
    public final String kernelFunctionName;

    /** Loads the text into the calling thread's context. */
    public PTXModule(String javaName, byte[] source, String kernelFunctionName, int[] jitOptions, long[] jitValues) {
        this.moduleWrapper = source;
        this.kernelFunctionName = kernelFunctionName;
    }

    public byte[] getSource() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean isPTXJITSuccess() {
        throw new UnsupportedOperationException("stub");
    }

    public void unload() {
        throw new UnsupportedOperationException("stub");
    }
}
