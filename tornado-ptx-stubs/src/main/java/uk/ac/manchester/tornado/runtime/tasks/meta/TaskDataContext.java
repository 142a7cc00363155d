package uk.ac.manchester.tornado.runtime.tasks.meta;

import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;

/** What is known of a task. */
public class TaskDataContext {
    TaskDataContext() {}

    public String getId() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean isWorkerGridAvailable() {
        throw new UnsupportedOperationException("stub");
    }

    public WorkerGrid getWorkerGrid(String taskId) {
        throw new UnsupportedOperationException("stub");
    }

    public int getBackendIndex() {
        throw new UnsupportedOperationException("stub");
    }

    public int getDeviceIndex() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean isParallel() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean isGridSchedulerEnabled() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean isGridSequential() {
        throw new UnsupportedOperationException("stub");
    }

    public String getCompilerFlags(TornadoVMBackendType backend) {
        throw new UnsupportedOperationException("stub");
    }
}
