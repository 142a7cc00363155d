package uk.ac.manchester.tornado.drivers.ptx;

import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/** A CUDA stream. */
public class PTXStream {
    public PTXStream(PTXStreamType type, int index) {
        throw new UnsupportedOperationException("stub");
    }

    public int enqueueKernelLaunch(
            long executionPlanId,
            PTXModule module,
            TaskDataContext taskMeta,
            byte[] kernelParams,
            int[] gridDim,
            int[] blockDim) {
        throw new UnsupportedOperationException("stub");
    }

    public int enqueueBarrier(long executionPlanId) {
        throw new UnsupportedOperationException("stub");
    }

    public void sync() {
        throw new UnsupportedOperationException("stub");
    }

    /** Forgets all events. */
    public void reset() {
        throw new UnsupportedOperationException("stub");
    }

    public void cuDestroyStream() {
        throw new UnsupportedOperationException("stub");
    }

    public byte[] getStreamHandle() {
        throw new UnsupportedOperationException("stub");
    }
}
