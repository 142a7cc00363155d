package uk.ac.manchester.tornado.api;

import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The grids of a plan's tasks, by task name ({@code graph.task}). */
public class GridScheduler {
    private final Map<String, WorkerGrid> grids = new ConcurrentHashMap<>();

    /** No grids yet. */
    public GridScheduler() {}

    /** One grid. */
    public GridScheduler(String taskName, WorkerGrid workerGrid) {
        grids.put(taskName, workerGrid);
    }

    /** Adds or replaces the grid of task {@code graph.task}. */
    public void addWorkerGrid(String taskName, WorkerGrid workerGrid) {
        grids.put(taskName, workerGrid);
    }

    /** The grid of task {@code graph.task}, or null. */
    public WorkerGrid get(String taskName) {
        return grids.get(taskName);
    }

    /** Whether there is a grid for a task of a graph. */
    public boolean contains(String taskScheduleName, String taskName) {
        return grids.containsKey(taskScheduleName + "." + taskName);
    }

    /** The names of all tasks that have a grid. */
    public Set<String> keySet() {
        return grids.keySet();
    }

    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("GridScheduler");
        grids.forEach((task, grid) -> text.append(' ')
                .append(task)
                .append(Arrays.toString(grid.getGlobalWork()))
                .append('/')
                .append(Arrays.toString(grid.getLocalWork())));
        return text.toString();
    }
}
