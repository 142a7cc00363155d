package uk.ac.manchester.tornado.runtime.tasks;

import java.lang.reflect.Method;
import uk.ac.manchester.tornado.api.common.SchedulableTask;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/** A task whose Java method is compiled. */
public abstract class CompilableTask implements SchedulableTask {
    CompilableTask() {}

    public Method getMethod() {
        throw new UnsupportedOperationException("stub");
    }

    public TaskDataContext meta() {
        throw new UnsupportedOperationException("stub");
    }
}
