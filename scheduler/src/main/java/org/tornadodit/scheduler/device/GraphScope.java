package org.tornadodit.scheduler.device;

import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.Set;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * A task graph under construction and the launch grids of its tasks, which TornadoVM keeps apart.
 *
 * @param name the graph's, unique in the process
 * @param scratch arrays that only this graph's tasks touch
 */
public record GraphScope(String name, TaskGraph graph, GridScheduler grids, Set<Object> scratch) {

    public GraphScope(String name, GridScheduler grids) {
        this(name, new TaskGraph(name), grids, Collections.newSetFromMap(new IdentityHashMap<>()));
    }

    /** Sets the launch of a task; one without a grid would run in a single thread. */
    public void launch(String task, WorkerGrid grid) {
        grids.addWorkerGrid(name + "." + task, grid);
    }

    /**
     * Notes arrays that live within this graph. TornadoVM releases only what a graph says it sends, returns or keeps: an
     * array that tasks use and no such list names would stay on the device until the process ends. Comes before what the
     * graph hands on, since releasing stops at an array that another graph has released.
     */
    public void scratch(Object... arrays) {
        for (Object array : arrays) {
            if (scratch.add(array)) {
                graph.persistOnDevice(array);
            }
        }
    }
}
