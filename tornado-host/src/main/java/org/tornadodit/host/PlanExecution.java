package org.tornadodit.host;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** The state behind an execution plan: its graphs' device buffers, which graphs are selected, and which ran last. */
public final class PlanExecution {
    private final List<GraphExecution> graphs = new ArrayList<>();
    private List<GraphExecution> selected;
    private HostDevice device = HostRuntime.get().device(0);
    private @Nullable GridScheduler grids;
    private @Nullable GraphExecution last;
    private long memoryLimit = Long.MAX_VALUE;
    private boolean closed;

    /** @param contexts makes the context that a work item sees */
    public PlanExecution(List<GraphDefinition> definitions, Function<WorkItem, KernelContext> contexts) {
        if (definitions.isEmpty()) {
            throw new TornadoRuntimeException("an execution plan needs a task graph");
        }
        Set<String> names = new HashSet<>();
        Launcher launcher = new Launcher(contexts);
        for (GraphDefinition definition : definitions) {
            if (!names.add(definition.name())) {
                throw new TornadoRuntimeException(
                        "two graphs of the plan have the name " + definition.name() + "; names have to be unique");
            }
            graphs.add(new GraphExecution(definition, launcher));
        }
        selected = List.copyOf(graphs);
    }

    public void select(int index) {
        if (index < 0 || index >= graphs.size()) {
            throw new TornadoRuntimeException("the plan has graphs 0 to " + (graphs.size() - 1) + ", not " + index);
        }
        selected = List.of(graphs.get(index));
    }

    public void selectAll() {
        selected = List.copyOf(graphs);
    }

    public void setDevice(TornadoDevice chosen) {
        if (!(chosen instanceof HostDevice host)) {
            throw new TornadoRuntimeException("not a device of tornado-host: " + chosen);
        }
        if (host != device) {
            graphs.forEach(GraphExecution::leave);
            last = null;
        }
        device = host;
    }

    public HostDevice device() {
        return device;
    }

    public void setGrids(@Nullable GridScheduler scheduler) {
        if (scheduler != null) {
            boolean known = graphs.stream()
                    .flatMap(graph -> graph.graph().tasks().stream())
                    .anyMatch(task -> scheduler.keySet().contains(task.name()));
            if (!known) {
                throw new TornadoRuntimeException(
                        "the GridScheduler names no task of the plan (graph.task): " + scheduler.keySet());
            }
        }
        grids = scheduler;
    }

    public void setMemoryLimit(@Nullable String limit) {
        memoryLimit = limit == null ? Long.MAX_VALUE : HostRuntime.parseSize(limit);
    }

    /** Checks all that can be known before the first execution: here, the grids of the selected graphs. */
    public void prepare() {
        for (GraphExecution graph : selected) {
            for (TaskDefinition task : graph.graph().tasks()) {
                device.faults().onCompilation(task.name());
                if (grids != null && grids.get(task.name()) != null) {
                    LaunchGrid.of(task.name(), grids.get(task.name()));
                }
            }
        }
    }

    /** Runs the selected graphs, one after the other. */
    public ExecutionFigures execute() {
        if (closed) {
            throw new TornadoRuntimeException("the execution plan has been closed");
        }
        ExecutionFigures figures = new ExecutionFigures();
        for (GraphExecution graph : selected) {
            graph.execute(device, grids, last, memoryLimit, figures);
        }
        last = selected.getLast();
        return figures;
    }

    /** Copies an array from the selected graphs that have it. */
    public void transferToHost(TornadoNativeArray array, long byteOffset, long byteLength) {
        boolean found = false;
        for (GraphExecution graph : selected) {
            if (graph.graph().mentions(array) && graph.offers(array)) {
                graph.download(array, byteOffset, byteLength);
                found = true;
            }
        }
        if (!found) {
            throw new TornadoRuntimeException("transferToHost of an array "
                    + array.getClass().getSimpleName() + "("
                    + array.getSize() + ") that the selected graphs ("
                    + String.join(
                            ", ",
                            selected.stream().map(graph -> graph.graph().name()).toList())
                    + ") neither persist nor transfer");
        }
    }

    /** Bytes that the plan's graphs hold on the device. */
    public long heldBytes() {
        Set<DeviceBuffer> buffers = Collections.newSetFromMap(new IdentityHashMap<>());
        graphs.forEach(graph -> buffers.addAll(graph.held()));
        return buffers.stream().mapToLong(DeviceBuffer::bytes).sum();
    }

    /** Frees the buffers of the selected graphs; like TornadoVM, not those of the others. */
    public void free() {
        selected.forEach(GraphExecution::free);
    }

    public void close() {
        closed = true;
        free();
    }
}
