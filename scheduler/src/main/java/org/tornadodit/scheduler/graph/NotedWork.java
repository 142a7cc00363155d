package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;

/** What the tasks of a graph do, and nothing else of it. */
final class NotedWork implements GraphScope {
    private final List<Work> tasks = new ArrayList<>();

    List<Work> tasks() {
        return List.copyOf(tasks);
    }

    @Override
    public void consume(String graph, Object... arrays) {}

    @Override
    public void sendOnce(Object... arrays) {}

    @Override
    public void sendEach(Object... arrays) {}

    @Override
    public void keep(Object... arrays) {}

    @Override
    public void receive(Object... arrays) {}

    @Override
    public void scratch(Object... arrays) {}

    @Override
    public void task(String name, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        tasks.add(work);
    }

    @Override
    public void task(String name, Work work, IntFunction<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        tasks.add(work);
    }
}
