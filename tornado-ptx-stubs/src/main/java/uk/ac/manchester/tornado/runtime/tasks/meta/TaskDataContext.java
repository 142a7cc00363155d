package uk.ac.manchester.tornado.runtime.tasks.meta;

import uk.ac.manchester.tornado.api.WorkerGrid;

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
}
