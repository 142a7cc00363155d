package org.tornadodit.ptx;

import java.util.Arrays;
import org.tornadodit.kernels.ptx.LaunchAhead;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.drivers.common.utils.EventDescriptor;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;
import uk.ac.manchester.tornado.drivers.ptx.PTXStreamType;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/** A stream whose launches have dynamic shared memory where the kernel asks for it, and the block size of the grid. */
final class LaunchStream extends PTXStream {

    /** What TornadoVM resolves to an event that has happened. */
    private static final int NO_EVENT = -1;

    private final Internals internals;
    private final Modules modules;

    LaunchStream(PTXStreamType type, int index, Internals internals, Modules modules) {
        super(type, index);
        this.internals = internals;
        this.modules = modules;
    }

    /** @throws IllegalStateException when the kernel cannot have the block size that its grid says */
    @Override
    public int enqueueKernelLaunch(
            long executionPlanId,
            PTXModule module,
            TaskDataContext taskMeta,
            byte[] kernelParams,
            int[] gridDim,
            int[] blockDim) {
        checkBlock(module, taskMeta, blockDim);
        int sharedBytes = modules.sharedBytes(module);
        if (sharedBytes == 0) {
            return super.enqueueKernelLaunch(executionPlanId, module, taskMeta, kernelParams, gridDim, blockDim);
        }
        try {
            byte[][] events = (byte[][]) internals.launchKernel.invokeExact(
                    module.moduleWrapper,
                    module.kernelFunctionName,
                    gridDim[0],
                    gridDim[1],
                    gridDim[2],
                    blockDim[0],
                    blockDim[1],
                    blockDim[2],
                    (long) sharedBytes,
                    getStreamHandle(),
                    kernelParams);
            return (int)
                    internals.registerEvent.invokeExact((PTXStream) this, events, EventDescriptor.DESC_PARALLEL_KERNEL);
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /** Says that what is put on the stream is recorded, for TornadoVM not to wait for it. */
    void recording(boolean on) {
        internals.recording.set(this, on);
    }

    @Override
    public void sync() {
        if (!LaunchAhead.active()) {
            super.sync();
        }
    }

    /** TornadoVM's end of a graph, which it waits for; nothing waits for the event, so there is none. */
    @Override
    public int enqueueBarrier(long executionPlanId) {
        return LaunchAhead.active() ? NO_EVENT : super.enqueueBarrier(executionPlanId);
    }

    /** TornadoVM takes another block size, with a line on stdout, where it thinks that the kernel has too many registers. */
    private void checkBlock(PTXModule module, TaskDataContext taskMeta, int[] blockDim) {
        if (!taskMeta.isWorkerGridAvailable()) {
            return;
        }
        WorkerGrid grid = taskMeta.getWorkerGrid(taskMeta.getId());
        long[] wanted = grid.getLocalWork();
        if (wanted == null
                || Arrays.equals(wanted, Arrays.stream(blockDim).asLongStream().toArray())) {
            return;
        }
        throw new IllegalStateException("kernel " + module.kernelFunctionName + " of task " + taskMeta.getId()
                + ": TornadoVM changed its block from " + Arrays.toString(wanted) + " to " + Arrays.toString(blockDim)
                + " (the device can run blocks of " + modules.maxThreads(module)
                + "); call SharedMemory.block in the kernel, or use fewer registers or threads");
    }
}
