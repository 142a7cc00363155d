package org.tornadodit.scheduler.graph;

import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * What the forward pass is written into, a graph at a time: {@link TaskGraphScope} makes task graphs of it, {@link Count}
 * counts it. What needs an array's size or values is in what is handed over, which only the first runs.
 */
interface GraphScope {

    /** Arrays that another graph has on the device, if it ran before. */
    void consume(String graph, Object... arrays);

    /** Arrays that the host sends before the first execution. */
    void sendOnce(Object... arrays);

    /** Arrays that the host sends before every execution. */
    void sendEach(Object... arrays);

    /** Arrays that other graphs may take over. */
    void keep(Object... arrays);

    /** Arrays that the host gets after every execution. */
    void receive(Object... arrays);

    /**
     * Notes arrays that live within this graph. TornadoVM releases only what a graph says it sends, returns or keeps: an
     * array that tasks use and no such list names would stay on the device until the process ends. Comes before what the
     * graph hands on, since releasing stops at an array that another graph has released.
     */
    void scratch(Object... arrays);

    /**
     * A launch of a kernel.
     *
     * @param name of the task: PyTorch's module path with {@code _}
     * @param work that it does
     * @param grid of its threads
     * @param emission adds the task of that name to the graph
     */
    void task(String name, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission);

    /**
     * A launch of a kernel that has fewer threads where a pass has fewer images than there is room for.
     *
     * @param grid of its threads for a number of images
     */
    void task(String name, Work work, IntFunction<WorkerGrid> grid, Consumer<TaskGraph> emission);
}
