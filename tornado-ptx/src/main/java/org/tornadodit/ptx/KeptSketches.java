package org.tornadodit.ptx;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import jdk.graal.compiler.debug.DebugContext;
import jdk.graal.compiler.graph.Graph;
import jdk.graal.compiler.graph.Node;
import jdk.graal.compiler.nodes.Invoke;
import jdk.graal.compiler.nodes.java.ArrayLengthNode;
import jdk.graal.compiler.nodes.java.LoadFieldNode;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.graalvm.collections.UnmodifiableEconomicMap;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.drivers.ptx.PTXBackendImpl;
import uk.ac.manchester.tornado.runtime.TornadoCoreRuntime;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;

/**
 * How kernels use their parameters. TornadoVM asks for that when a task is added to a graph, and compiles a kernel half way
 * for it, a "sketch", for each device. Where the answer is known, it gets a sketch that answers, and whose graph is only
 * made when it is compiled on.
 *
 * <p>TornadoVM must not make sketches in two threads: both leave their answer in one static field.
 */
final class KeptSketches {

    private static final String NONE = "-";
    private static final String WRITES_INDEX = "i";
    private static final String READS_SIZES = "s";

    private final Internals internals;
    private final PTXBackendImpl ptx;
    private final IntFunction<TextCompiler> compilers;
    private final int backend;
    /** By the method's signature: one digit for each parameter, whether sizes are read, whether the loop's index is written. */
    private final Map<String, String> known = new TreeMap<>();
    /** Signatures that TornadoVM knows of. */
    private final Map<String, Method> registered = new LinkedHashMap<>();

    /** @param compilers of the devices */
    KeptSketches(Internals internals, PTXBackendImpl ptx, IntFunction<TextCompiler> compilers) {
        this.internals = internals;
        this.ptx = ptx;
        this.compilers = compilers;
        this.backend = TornadoCoreRuntime.getTornadoRuntime().getBackendIndex(PTXBackendImpl.class);
    }

    /** A line for each method. */
    synchronized String text() {
        return known.entrySet().stream()
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .collect(Collectors.joining("\n"));
    }

    /**
     * Makes methods known to TornadoVM, for all devices.
     *
     * @param text from {@link #text}, of another process with the same classes
     */
    synchronized void register(String text) {
        for (String line : text.lines().toList()) {
            int end = line.lastIndexOf(' ');
            int name = line.indexOf(' ');
            String signature = line.substring(0, end);
            if (registered.containsKey(signature)) {
                continue;
            }
            Method method = method(line.substring(0, name), signature);
            if (method != null) {
                known.put(signature, line.substring(end + 1));
                register(method);
            }
        }
    }

    private static @Nullable Method method(String className, String signature) {
        try {
            Class<?> type = Class.forName(className, false, KeptSketches.class.getClassLoader());
            return Arrays.stream(type.getDeclaredMethods())
                    .filter(method -> KernelKey.signature(method).equals(signature))
                    .findFirst()
                    .orElse(null);
        } catch (ClassNotFoundException e) {
            return null;
        }
    }

    /** Takes note of a method that TornadoVM has made a sketch of; whether that was news. */
    synchronized boolean learn(Method method, Sketch sketch) {
        String signature = KernelKey.signature(method);
        if (registered.containsKey(signature)) {
            return false;
        }
        String accesses = Arrays.stream(sketch.getArgumentsAccess())
                .map(access -> String.valueOf(access.ordinal()))
                .collect(Collectors.joining());
        known.put(
                signature,
                (accesses.isEmpty() ? NONE : accesses)
                        + (readsSizes(sketch.getGraph()) ? READS_SIZES : "")
                        + (sketch.getBatchWriteThreadIndex() ? WRITES_INDEX : ""));
        register(method);
        return true;
    }

    /** Whether the sizes of arrays decide a kernel's code. */
    synchronized boolean sizesMatter(Method method, Sketch sketch) {
        String answer = known.get(KernelKey.signature(method));
        return answer == null ? readsSizes(sketch.getGraph()) : answer.contains(READS_SIZES);
    }

    /** Where a field of an array or its length is left to TornadoVM, which puts its value there. */
    private static boolean readsSizes(Graph graph) {
        for (Node node : graph.getNodes()) {
            if (node instanceof LoadFieldNode || node instanceof ArrayLengthNode || node instanceof Invoke) {
                return true;
            }
        }
        return false;
    }

    /** Gives TornadoVM an answer for the devices for which it has none. */
    private void register(Method method) {
        String signature = KernelKey.signature(method);
        registered.put(signature, method);
        String answer = known.getOrDefault(signature, NONE);
        boolean index = answer.endsWith(WRITES_INDEX);
        Access[] accesses = answer.chars()
                .filter(Character::isDigit)
                .mapToObj(digit -> Access.values()[digit - '0'])
                .toArray(Access[]::new);
        ResolvedJavaMethod resolved = TornadoCoreRuntime.getTornadoRuntime().resolveMethod(method);
        for (int device = 0; device < ptx.getNumDevices(); device++) {
            UnbuiltGraph graph = new UnbuiltGraph(compilers, resolved, backend, device);
            internals.addSketch(
                    resolved,
                    backend,
                    device,
                    CompletableFuture.completedFuture(internals.newSketch(graph, accesses.clone(), index)));
        }
    }

    /** A graph that is made when TornadoVM copies it, to compile the copy. */
    private static final class UnbuiltGraph extends Graph {

        private final IntFunction<TextCompiler> compilers;
        private final ResolvedJavaMethod method;
        private final int backend;
        private final int device;
        private @Nullable Graph built;

        UnbuiltGraph(IntFunction<TextCompiler> compilers, ResolvedJavaMethod method, int backend, int device) {
            super(TornadoCoreRuntime.getOptions(), TornadoCoreRuntime.getDebugContext());
            this.compilers = compilers;
            this.method = method;
            this.backend = backend;
            this.device = device;
        }

        @Override
        protected synchronized Graph copy(
                String newName,
                @Nullable Consumer<UnmodifiableEconomicMap<Node, Node>> duplicationMapCallback,
                DebugContext debugForCopy) {
            if (built == null) {
                built = compilers.apply(device).sketch(method, backend, device);
            }
            return built.copy(duplicationMapCallback, debugForCopy);
        }
    }
}
