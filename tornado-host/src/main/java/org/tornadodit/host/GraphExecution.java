package org.tornadodit.host;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.exceptions.TornadoMemoryException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** One graph of a plan with the device buffers it holds. */
final class GraphExecution {
    private final GraphDefinition graph;
    private final Launcher launcher;
    private final Map<TornadoNativeArray, DeviceBuffer> buffers = new IdentityHashMap<>();

    /** Buffers that gave way to taken ones: nobody uses them, they stay until the plan's memory is freed. */
    private final List<DeviceBuffer> replaced = new ArrayList<>();

    private boolean executed;

    GraphExecution(GraphDefinition graph, Launcher launcher) {
        this.graph = graph;
        this.launcher = launcher;
    }

    GraphDefinition graph() {
        return graph;
    }

    void execute(
            HostDevice device,
            @Nullable GridScheduler grids,
            @Nullable GraphExecution last,
            long memoryLimit,
            ExecutionFigures figures) {
        if (graph.tasks().isEmpty()) {
            throw new TornadoRuntimeException(
                    "graph " + graph.name() + " has no task; TornadoVM does not execute such a graph");
        }
        checkLimit(memoryLimit);
        takeFrom(last, device);
        allocate(device);
        long start = System.nanoTime();
        upload(figures);
        long uploaded = System.nanoTime();
        for (TaskDefinition task : graph.tasks()) {
            device.countLaunch(task);
            if (device.faults().isLost()) {
                graph.arrays().forEach(array -> buffer(array).pretendWritten(graph.describe(array)));
            } else {
                launcher.launch(task, deviceArguments(task), grids == null ? null : grids.get(task.name()));
                graph.arrays().forEach(array -> buffer(array).checkGuards(task.name()));
            }
        }
        markStale(device);
        executed = true;
        long ran = System.nanoTime();
        for (TornadoNativeArray array : graph.arrays()) {
            if (graph.transfersOut(array)) {
                download(array, 0, array.getNumBytesOfSegment());
                figures.bytesOut += array.getNumBytesOfSegment();
            }
        }
        figures.writeNanos += uploaded - start;
        figures.kernelNanos += ran - uploaded;
        figures.readNanos += System.nanoTime() - ran;
    }

    private void checkLimit(long memoryLimit) {
        long needed = graph.arrays().stream()
                .mapToLong(TornadoNativeArray::getNumBytesOfSegmentWithHeader)
                .sum();
        if (needed > memoryLimit) {
            throw new TornadoMemoryException("graph " + graph.name() + " needs " + needed
                    + " bytes on the device, the plan's limit is " + memoryLimit);
        }
    }

    /** Takes the consumed arrays' buffers from the graph of the plan that ran last, by TornadoVM's rules. */
    private void takeFrom(@Nullable GraphExecution last, HostDevice device) {
        for (TornadoNativeArray array : graph.arrays()) {
            Set<String> sources = graph.sources(array);
            if (sources == null) {
                continue;
            }
            String what = "graph " + graph.name() + " consumes " + graph.describe(array);
            if (last == null) {
                throw new TornadoRuntimeException(what + ", but no graph of this plan has been executed before by an"
                        + " earlier execute(); select one with withGraph and execute it first");
            }
            String name = last.graph.name();
            DeviceBuffer taken = buffers.get(array);
            if (!sources.contains(name) && graph.consumesFrom(name) && taken != null && !taken.isFreed()) {
                continue; // from an earlier execution: TornadoVM replaces what the last graph is named for
            }
            if (!sources.contains(name) && !sources.contains(graph.name())) {
                throw new TornadoRuntimeException(what + " from " + String.join(" or ", sources) + ", but graph " + name
                        + " ran last; name the graph that runs last before this one");
            }
            if (!last.graph.persists(array)) {
                throw new TornadoRuntimeException(what + ", but graph " + name
                        + ", which ran last, does not persist it on the device (persistOnDevice)");
            }
            DeviceBuffer buffer = last.buffers.get(array);
            if (buffer == null || buffer.isFreed()) {
                throw new TornadoRuntimeException(
                        what + ", but the device memory of graph " + name + " has been freed");
            }
            if (buffer.device() != device) {
                throw new TornadoRuntimeException(what + " on " + device + ", but graph " + name + " left it on "
                        + buffer.device() + "; there are no copies between devices");
            }
            if (buffer.isUndefined()) {
                throw new TornadoRuntimeException(
                        what + ", but no task of graph " + name + " wrote it in its last execution");
            }
            DeviceBuffer own = buffers.put(array, buffer);
            if (own != null && own != buffer) {
                replaced.add(own);
            }
        }
    }

    private void allocate(HostDevice device) {
        for (TornadoNativeArray array : graph.arrays()) {
            DeviceBuffer held = buffers.get(array);
            if (held == null || held.isFreed() || held.device() != device) {
                buffers.put(array, DeviceBuffer.allocate(device, array, graph.describe(array)));
                if (graph.leavesOpen(array) && !graph.transfersOut(array)) {
                    device.countLeftOpen(array.getNumBytesOfSegment());
                }
            }
        }
    }

    private void upload(ExecutionFigures figures) {
        for (TornadoNativeArray array : graph.arrays()) {
            DeviceBuffer buffer = buffer(array);
            String name = graph.describe(array);
            Integer mode = graph.transferIn(array);
            if (mode == null) {
                if (graph.sources(array) == null) {
                    buffer.undefine(name);
                }
            } else if (mode == DataTransferMode.EVERY_EXECUTION || buffer.isUndefined()) {
                buffer.upload(array, name);
                figures.bytesIn += array.getNumBytesOfSegment();
            } else if (buffer.hostChangedSinceUpload(array)) {
                throw new TornadoRuntimeException("graph " + graph.name() + ": " + name
                        + " has changed on the host since its only transfer (FIRST_EXECUTION); the device would go on"
                        + " with the old values");
            }
            buffer.watch(name);
        }
    }

    private Object[] deviceArguments(TaskDefinition task) {
        Object[] arguments = task.arguments().clone();
        for (int i = 0; i < arguments.length; i++) {
            if (arguments[i] instanceof TornadoNativeArray array) {
                arguments[i] = buffer(array).twin();
            }
        }
        return arguments;
    }

    private void markStale(HostDevice device) {
        for (TornadoNativeArray array : graph.arrays()) {
            if (buffer(array).wasWritten()) {
                ArrayAccess.memory(array)
                        .markStale(graph.describe(array) + " has newer values on " + device + ", written by graph "
                                + graph.name());
            }
        }
    }

    /** Whether a result may be asked for the array. */
    boolean offers(TornadoNativeArray array) {
        return graph.persists(array) || graph.transfersOut(array) || graph.transferIn(array) != null;
    }

    /** Copies bytes of the elements to the host. */
    void download(TornadoNativeArray array, long offset, long length) {
        DeviceBuffer buffer = buffers.get(array);
        String name = graph.describe(array);
        if (!executed || buffer == null) {
            throw new TornadoRuntimeException(
                    "transfer of " + name + " to the host: graph " + graph.name() + " has not been executed");
        }
        if (buffer.isFreed()) {
            throw new TornadoRuntimeException("transfer of " + name + " to the host: its device memory has been freed");
        }
        if (buffer.isUndefined()) {
            throw new TornadoRuntimeException(
                    "transfer of " + name + " to the host: no task has written it, its contents are undefined");
        }
        buffer.download(array, offset, length);
    }

    private DeviceBuffer buffer(TornadoNativeArray array) {
        DeviceBuffer buffer = buffers.get(array);
        if (buffer == null) {
            throw new IllegalStateException("no buffer for " + graph.describe(array));
        }
        return buffer;
    }

    /**
     * Frees the buffers as TornadoVM does: those of arrays transferred to the device, then those of outputs, in the order
     * of their declarations. An array that is neither stays on the device. TornadoVM does not count the holders of a
     * buffer; it is an error to free one through two graphs, and what comes after it stays.
     */
    void free() {
        for (TornadoNativeArray array : graph.arrays()) {
            if (graph.transferIn(array) != null) {
                freeOne(array);
            }
        }
        graph.outputs().forEach(this::freeOne);
        replaced.forEach(buffer -> buffer.free("a buffer of graph " + graph.name()));
        replaced.clear();
        executed = false;
    }

    private void freeOne(TornadoNativeArray array) {
        DeviceBuffer buffer = buffers.get(array);
        if (buffer == null) {
            return;
        }
        if (buffer.isFreed()) {
            throw new TornadoInternalError("graph " + graph.name() + " frees " + graph.describe(array)
                    + ", which it shares with a graph that has freed it; TornadoVM fails here. Free the graphs one by"
                    + " one (withGraph), and pass over this error");
        }
        buffer.free(graph.describe(array) + " was freed by freeDeviceMemory or close");
        buffers.remove(array);
    }

    /** Frees whatever there is: the plan moves to another device. */
    void leave() {
        held().forEach(buffer -> buffer.free("a buffer of graph " + graph.name() + " on a device that the plan left"));
        buffers.clear();
        replaced.clear();
        executed = false;
    }

    /** The distinct buffers, for a plan's sum. */
    Set<DeviceBuffer> held() {
        Set<DeviceBuffer> set = Collections.newSetFromMap(new IdentityHashMap<>());
        set.addAll(buffers.values());
        set.addAll(replaced);
        set.removeIf(DeviceBuffer::isFreed);
        return set;
    }
}
