package org.tornadodit.host;

/** What one execution took: nanoseconds and bytes. */
public final class ExecutionFigures {
    long writeNanos;
    long kernelNanos;
    long readNanos;
    long bytesIn;
    long bytesOut;

    /** Nanoseconds of transfers to devices. */
    public long writeNanos() {
        return writeNanos;
    }

    /** Nanoseconds inside tasks. */
    public long kernelNanos() {
        return kernelNanos;
    }

    /** Nanoseconds of transfers to the host. */
    public long readNanos() {
        return readNanos;
    }

    /** Bytes transferred to devices. */
    public long bytesIn() {
        return bytesIn;
    }

    /** Bytes transferred to the host. */
    public long bytesOut() {
        return bytesOut;
    }
}
