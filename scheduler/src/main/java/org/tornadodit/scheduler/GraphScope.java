package org.tornadodit.scheduler;

import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;

/**
 * A task graph under construction and the launch grids of its tasks, which TornadoVM keeps apart.
 *
 * @param name the graph's, unique in the process
 */
record GraphScope(String name, TaskGraph graph, GridScheduler grids) {

    GraphScope(String name, GridScheduler grids) {
        this(name, new TaskGraph(name), grids);
    }

    /** Sets the launch of a task; one without a grid would run in a single thread. */
    void launch(String task, WorkerGrid grid) {
        grids.addWorkerGrid(name + "." + task, grid);
    }
}
