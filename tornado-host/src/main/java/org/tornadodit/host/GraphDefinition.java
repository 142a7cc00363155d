package org.tornadodit.host;

import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.exceptions.TornadoTaskRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** What a task graph says: tasks, and which arrays come from where and go where. Arrays are told apart by identity. */
public final class GraphDefinition {
    private final String name;
    private final List<TaskDefinition> tasks = new ArrayList<>();
    private final List<TornadoNativeArray> arrays = new ArrayList<>();
    private final Map<TornadoNativeArray, Integer> index = new IdentityHashMap<>();
    private final Map<TornadoNativeArray, Integer> transfersIn = new IdentityHashMap<>();
    private final Set<TornadoNativeArray> allocated = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<TornadoNativeArray, Set<String>> consumed = new IdentityHashMap<>();
    private final Set<TornadoNativeArray> persisted = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Set<TornadoNativeArray> transfersOut = Collections.newSetFromMap(new IdentityHashMap<>());
    private final List<TornadoNativeArray> outputs = new ArrayList<>();

    public GraphDefinition(String name) {
        if (name == null || name.isBlank()) {
            throw new TornadoTaskRuntimeException("a task graph needs a name");
        }
        this.name = name;
    }

    /** A copy that later changes of this one do not reach. */
    public GraphDefinition copy() {
        GraphDefinition copy = new GraphDefinition(name);
        copy.tasks.addAll(tasks);
        copy.arrays.addAll(arrays);
        copy.index.putAll(index);
        copy.transfersIn.putAll(transfersIn);
        copy.allocated.addAll(allocated);
        consumed.forEach((array, sources) -> copy.consumed.put(array, new TreeSet<>(sources)));
        copy.persisted.addAll(persisted);
        copy.transfersOut.addAll(transfersOut);
        copy.outputs.addAll(outputs);
        return copy;
    }

    /** Adds a task; its name has to be new in this graph. */
    public void addTask(String id, Class<?> code, Kernel kernel, Object... arguments) {
        String full = name + "." + id;
        if (tasks.stream().anyMatch(task -> task.name().equals(full))) {
            throw new TornadoTaskRuntimeException("task " + full + " exists already; task names are unique in a graph");
        }
        for (int i = 0; i < arguments.length; i++) {
            Object argument = arguments[i];
            if (argument instanceof TornadoNativeArray array) {
                note(array);
            } else if (!(argument instanceof Number
                    || argument instanceof Boolean
                    || argument instanceof Character
                    || argument instanceof KernelContext)) {
                throw new TornadoTaskRuntimeException("argument " + (i + 1) + " of task " + full + " is "
                        + (argument == null ? "null" : argument.getClass().getName())
                        + "; tornado-host knows native arrays, numbers, booleans and a KernelContext");
            }
        }
        tasks.add(new TaskDefinition(full, code, kernel, arguments));
    }

    /** With UNDER_DEMAND arrays come into being without values, as all do here that are neither sent nor consumed. */
    public void transferToDevice(int mode, Object... objects) {
        if (mode != DataTransferMode.FIRST_EXECUTION
                && mode != DataTransferMode.EVERY_EXECUTION
                && mode != DataTransferMode.UNDER_DEMAND) {
            throw new TornadoRuntimeException("graph " + name
                    + ": transferToDevice knows FIRST_EXECUTION, EVERY_EXECUTION and UNDER_DEMAND, not mode " + mode);
        }
        for (Object object : objects) {
            if (object instanceof Number) {
                continue;
            }
            TornadoNativeArray array = array("transferToDevice", object);
            if (consumed.containsKey(array)) {
                throw new TornadoRuntimeException("graph " + name + ": " + describe(array)
                        + " is both consumed from the device and transferred to it");
            }
            if (mode == DataTransferMode.UNDER_DEMAND) {
                allocated.add(array);
                continue;
            }
            transfersIn.put(array, mode);
        }
    }

    /** Takes arrays from the graph that ran last; {@code source} null accepts any. */
    public void consumeFromDevice(@Nullable String source, Object... objects) {
        for (Object object : objects) {
            TornadoNativeArray array = array("consumeFromDevice", object);
            if (transfersIn.containsKey(array)) {
                throw new TornadoRuntimeException("graph " + name + ": " + describe(array)
                        + " is both transferred to the device and consumed from it");
            }
            consumed.computeIfAbsent(array, any -> new TreeSet<>()).add(source == null ? name : source);
        }
    }

    public void transferToHost(int mode, Object... objects) {
        if (mode != DataTransferMode.EVERY_EXECUTION && mode != DataTransferMode.UNDER_DEMAND) {
            throw new TornadoRuntimeException(
                    "graph " + name + ": transferToHost knows EVERY_EXECUTION and UNDER_DEMAND, not mode " + mode);
        }
        for (Object object : objects) {
            TornadoNativeArray array = array("transferToHost", object);
            (mode == DataTransferMode.EVERY_EXECUTION ? transfersOut : persisted).add(array);
            outputs.add(array);
        }
    }

    private TornadoNativeArray array(String method, Object object) {
        if (object instanceof TornadoNativeArray array) {
            note(array);
            return array;
        }
        throw new TornadoRuntimeException("graph " + name + ": " + method + " of "
                + (object == null ? "null" : object.getClass().getName()) + "; tornado-host knows native arrays only");
    }

    private void note(TornadoNativeArray array) {
        if (index.putIfAbsent(array, arrays.size()) == null) {
            arrays.add(array);
        }
    }

    public String name() {
        return name;
    }

    public List<TaskDefinition> tasks() {
        return tasks;
    }

    /** All arrays the graph mentions, in the order it mentions them first. */
    List<TornadoNativeArray> arrays() {
        return arrays;
    }

    /** Arrays that are persisted or transferred to the host, in the order of their declarations. */
    List<TornadoNativeArray> outputs() {
        return outputs;
    }

    boolean mentions(TornadoNativeArray array) {
        return index.containsKey(array);
    }

    /** The mode in which the array is transferred to the device, or null. */
    @Nullable
    Integer transferIn(TornadoNativeArray array) {
        return transfersIn.get(array);
    }

    /**
     * Whether nothing says how the array comes to the device: TornadoVM then sends what the host has, unless a kernel
     * writes it on every path.
     */
    boolean leavesOpen(TornadoNativeArray array) {
        return !transfersIn.containsKey(array) && !consumed.containsKey(array) && !allocated.contains(array);
    }

    /** The graphs that the array may be taken from (this graph's own name: any), or null when it is not taken. */
    @Nullable
    Set<String> sources(TornadoNativeArray array) {
        return consumed.get(array);
    }

    /** Whether any array may be taken from the graph of this name. */
    boolean consumesFrom(String graph) {
        return consumed.values().stream().anyMatch(sources -> sources.contains(graph));
    }

    boolean persists(TornadoNativeArray array) {
        return persisted.contains(array);
    }

    boolean transfersOut(TornadoNativeArray array) {
        return transfersOut.contains(array);
    }

    /** A name for messages: an array's place among the graph's arrays and in its tasks, for arrays have no names. */
    String describe(TornadoNativeArray array) {
        StringBuilder text = new StringBuilder(array.getClass().getSimpleName() + "(" + array.getSize() + ")");
        for (TaskDefinition task : tasks) {
            for (int i = 0; i < task.arguments().length; i++) {
                if (task.arguments()[i] == array) {
                    return text.append(", argument ")
                            .append(i + 1)
                            .append(" of ")
                            .append(task.name())
                            .toString();
                }
            }
        }
        return text.append(" of graph ").append(name).toString();
    }
}
