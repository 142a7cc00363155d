package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;

/** A task graph under construction and the launch grids of its tasks, which TornadoVM keeps apart. */
final class TaskGraphScope implements GraphScope {
    private final String name;
    private final TaskGraph graph;
    private final GridScheduler grids;
    private final int images;
    private final List<DecoderGrid> imageGrids = new ArrayList<>();
    private final Set<Object> scratch = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<Object> placed = Collections.newSetFromMap(new IdentityHashMap<>());

    /** @param name the graph's, unique in the process */
    TaskGraphScope(String name, GridScheduler grids) {
        this(name, grids, 0);
    }

    /** @param images that the graph's arrays have room for */
    TaskGraphScope(String name, GridScheduler grids, int images) {
        this.images = images;
        this.name = name;
        this.graph = new TaskGraph(name);
        this.grids = grids;
    }

    @Override
    public void consume(String from, Object... arrays) {
        graph.consumeFromDevice(from, arrays);
        placed.addAll(List.of(arrays));
    }

    @Override
    public void sendOnce(Object... arrays) {
        graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, arrays);
        placed.addAll(List.of(arrays));
    }

    @Override
    public void sendEach(Object... arrays) {
        graph.transferToDevice(DataTransferMode.EVERY_EXECUTION, arrays);
        placed.addAll(List.of(arrays));
    }

    @Override
    public void keep(Object... arrays) {
        allocate(arrays);
        graph.persistOnDevice(arrays);
    }

    @Override
    public void receive(Object... arrays) {
        graph.transferToHost(DataTransferMode.EVERY_EXECUTION, arrays);
    }

    @Override
    public void scratch(Object... arrays) {
        for (Object array : arrays) {
            if (scratch.add(array)) {
                allocate(array);
                graph.persistOnDevice(array);
            }
        }
    }

    /**
     * Arrays that this graph is the first to write come into being empty. Otherwise TornadoVM would send what the host has
     * in their place when a kernel writes them on some path only, and an array that lives on the device has nothing there:
     * the driver refuses the copy, which TornadoVM prints.
     */
    private void allocate(Object... arrays) {
        for (Object array : arrays) {
            if (placed.add(array)) {
                graph.transferToDevice(DataTransferMode.UNDER_DEMAND, array);
            }
        }
    }

    /** A task without a grid would run in a single thread. */
    @Override
    public void task(String task, Work work, Supplier<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        emission.accept(graph);
        grids.addWorkerGrid(name + "." + task, grid.get());
    }

    @Override
    public void task(String task, Work work, IntFunction<WorkerGrid> grid, Consumer<TaskGraph> emission) {
        WorkerGrid ofAll = grid.apply(images);
        imageGrids.add(new DecoderGrid(ofAll, grid));
        task(task, work, () -> ofAll, emission);
    }

    /** Those that follow the number of images. */
    List<DecoderGrid> imageGrids() {
        return List.copyOf(imageGrids);
    }

    ImmutableTaskGraph snapshot() {
        return graph.snapshot();
    }
}
