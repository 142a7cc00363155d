package uk.ac.manchester.tornado.api;

import org.tornadodit.host.ExecutionFigures;

/** Figures of one execution: times in nanoseconds, sizes in bytes. */
public class TornadoProfilerResult {
    private final ExecutionFigures figures;
    private final long totalNanos;
    private final long deviceBytes;

    TornadoProfilerResult(ExecutionFigures figures, long totalNanos, long deviceBytes) {
        this.figures = figures;
        this.totalNanos = totalNanos;
        this.deviceBytes = deviceBytes;
    }

    public long getTotalTime() {
        return totalNanos;
    }

    /** Zero: javac has done it. */
    public long getCompileTime() {
        return 0;
    }

    public long getDataTransfersTime() {
        return getDeviceWriteTime() + getDeviceReadTime();
    }

    /** Transfers to the device. */
    public long getDeviceWriteTime() {
        return figures.writeNanos();
    }

    /** Transfers to the host. */
    public long getDeviceReadTime() {
        return figures.readNanos();
    }

    public long getDeviceKernelTime() {
        return figures.kernelNanos();
    }

    public long getTotalBytesCopyIn() {
        return figures.bytesIn();
    }

    public long getTotalBytesCopyOut() {
        return figures.bytesOut();
    }

    public long getTotalBytesTransferred() {
        return getTotalBytesCopyIn() + getTotalBytesCopyOut();
    }

    /** Bytes that the plan's graphs held on the device after the execution. */
    public long getTotalDeviceMemoryUsage() {
        return deviceBytes;
    }

    public String getProfileLog() {
        return "total " + getTotalTime() + " ns, kernels " + getDeviceKernelTime() + " ns, to device "
                + getTotalBytesCopyIn() + " bytes, to host " + getTotalBytesCopyOut() + " bytes";
    }
}
