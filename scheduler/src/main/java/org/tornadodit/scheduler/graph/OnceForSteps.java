package org.tornadodit.scheduler.graph;

import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * A part of a graph whose tasks do in one step what several steps need, and nothing in those.
 *
 * @param share of a task's work that is a step's
 */
record OnceForSteps(GraphScope graph, double share) implements GraphScope {

    @Override
    public void consume(String from, Object... arrays) {
        graph.consume(from, arrays);
    }

    @Override
    public void sendOnce(Object... arrays) {
        graph.sendOnce(arrays);
    }

    @Override
    public void sendEach(Object... arrays) {
        graph.sendEach(arrays);
    }

    @Override
    public void keep(Object... arrays) {
        graph.keep(arrays);
    }

    @Override
    public void receive(Object... arrays) {
        graph.receive(arrays);
    }

    @Override
    public void scratch(Object... arrays) {
        graph.scratch(arrays);
    }

    @Override
    public void task(String name, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        graph.task(name, work.share(share), grid, emission);
    }

    @Override
    public void task(String name, Work work, IntFunction<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        graph.task(name, work.share(share), grid, emission);
    }
}
