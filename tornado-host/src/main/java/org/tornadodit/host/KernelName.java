package org.tornadodit.host;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import uk.ac.manchester.tornado.api.TaskGraph;

/**
 * Which method a task runs. A method reference does not tell, but a call without context and arrays fails in the method, and the
 * failure tells where.
 */
final class KernelName {
    /** By the classes of method references: the JVM leaves the trace out where a compiled method fails again and again. */
    private static final Map<Class<?>, String> KNOWN = new ConcurrentHashMap<>();

    private final Class<?> code;
    private final Kernel kernel;
    /** Numbers and booleans as the task has them, null for all else: nothing that the call could change, or that this would keep alive. */
    private final Object[] numbers;

    KernelName(TaskDefinition task) {
        this.code = task.code();
        this.kernel = task.kernel();
        this.numbers = Arrays.stream(task.arguments())
                .map(argument -> argument instanceof Number || argument instanceof Boolean ? argument : null)
                .toArray();
    }

    /** {@code Class.method}; empty for a method that does not touch its first objects. */
    @Override
    public String toString() {
        String known = KNOWN.get(code);
        if (known != null) {
            return known;
        }
        String name = find();
        if (!name.isEmpty()) {
            KNOWN.put(code, name);
        }
        return name;
    }

    private String find() {
        try {
            kernel.run(numbers);
            return "";
        } catch (RuntimeException | AssertionError e) {
            StackTraceElement[] frames = e.getStackTrace();
            for (int i = frames.length - 1; i > 0; i--) {
                if (frames[i].getClassName().equals(TaskGraph.class.getName())) {
                    String name = frames[i - 1].getClassName();
                    return name.substring(name.lastIndexOf('.') + 1) + "." + frames[i - 1].getMethodName();
                }
            }
            return "";
        }
    }
}
