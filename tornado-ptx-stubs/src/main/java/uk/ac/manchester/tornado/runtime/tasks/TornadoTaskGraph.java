package uk.ac.manchester.tornado.runtime.tasks;

import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.common.SchedulableTask;

/** A task graph. */
public class TornadoTaskGraph {
    TornadoTaskGraph() {}

    public void apply(Consumer<SchedulableTask> consumer) {
        throw new UnsupportedOperationException("stub");
    }
}
