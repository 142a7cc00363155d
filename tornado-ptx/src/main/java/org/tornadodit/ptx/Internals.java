package org.tornadodit.ptx;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Future;
import jdk.graal.compiler.graph.Graph;
import jdk.graal.compiler.phases.PhaseSuite;
import jdk.graal.compiler.phases.util.Providers;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.common.Access;
import uk.ac.manchester.tornado.drivers.common.utils.EventDescriptor;
import uk.ac.manchester.tornado.drivers.ptx.PTXCodeCache;
import uk.ac.manchester.tornado.drivers.ptx.PTXDevice;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXExecutionStreamSet;
import uk.ac.manchester.tornado.drivers.ptx.PTXModule;
import uk.ac.manchester.tornado.drivers.ptx.PTXStream;
import uk.ac.manchester.tornado.drivers.ptx.PTXStreamPool;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXInstalledCode;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSketchTier;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSuitesProvider;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.sketcher.TornadoSketcher;
import uk.ac.manchester.tornado.runtime.tasks.TornadoTaskGraph;

/** TornadoVM's private fields and methods that tornado-ptx reaches for: all of them are here. */
final class Internals {

    /** A private field. */
    record Member(Field field) {
        Object get(Object owner) {
            try {
                return field.get(owner);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }

        void set(Object owner, Object value) {
            try {
                field.set(owner, value);
            } catch (IllegalAccessException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    final Member version;
    final Member target;
    final Member codeCaches;
    final Member cachedCode;
    final Member installedModule;
    final Member potentialBlockSize;
    final Member streamPool;
    final Member streamSets;
    final Member roleStreams;
    final Member computeStreams;
    final Member recording;
    final Member immutableGraph;
    final Member graphImplementation;
    final MethodHandle launchKernel;
    final MethodHandle registerEvent;
    private final Map<ResolvedJavaMethod, List<Object>> sketches;
    private final Constructor<?> sketchEntry;
    private final Method sketchMatches;
    private final Constructor<Sketch> sketch;
    private final Method sketchGraph;
    private final Method buildSketch;

    /** @throws ReflectiveOperationException when this is not the TornadoVM that we know */
    @SuppressWarnings("unchecked")
    Internals() throws ReflectiveOperationException {
        version = member(PTXDevice.class, "ptxVersion");
        target = member(PTXDevice.class, "targetArchitecture");
        codeCaches = member(PTXDeviceContext.class, "codeCache");
        cachedCode = member(PTXCodeCache.class, "cache");
        installedModule = member(PTXInstalledCode.class, "module");
        potentialBlockSize = member(PTXModule.class, "maxBlockSize");
        streamPool = member(PTXDeviceContext.class, "streamPool");
        streamSets = member(PTXStreamPool.class, "streamSets");
        roleStreams = member(PTXExecutionStreamSet.class, "streams");
        computeStreams = member(PTXExecutionStreamSet.class, "computeStreams");
        recording = member(PTXStream.class, "capturing");
        immutableGraph = member(ImmutableTaskGraph.class, "taskGraph");
        graphImplementation = member(TaskGraph.class, "taskGraphImpl");
        sketches = (Map<ResolvedJavaMethod, List<Object>>)
                member(TornadoSketcher.class, "cache").field().get(null);
        Class<?> entry = Class.forName(TornadoSketcher.class.getName() + "$TornadoSketcherCacheEntry");
        sketchEntry = entry.getDeclaredConstructor(int.class, int.class, Future.class);
        sketchEntry.setAccessible(true);
        sketchMatches = entry.getMethod("matchesDriverAndDevice", int.class, int.class);
        sketchMatches.setAccessible(true);
        sketch = Sketch.class.getDeclaredConstructor(Graph.class, Access[].class, boolean.class);
        sketch.setAccessible(true);
        sketchGraph = Sketch.class.getMethod("getGraph");
        buildSketch = TornadoSketcher.class.getDeclaredMethod(
                "buildSketch",
                ResolvedJavaMethod.class,
                Providers.class,
                PhaseSuite.class,
                TornadoSketchTier.class,
                int.class,
                int.class);
        buildSketch.setAccessible(true);
        MethodHandles.Lookup stream = MethodHandles.privateLookupIn(PTXStream.class, MethodHandles.lookup());
        launchKernel = stream.findStatic(
                PTXStream.class,
                "cuLaunchKernel",
                MethodType.methodType(
                        byte[][].class,
                        byte[].class,
                        String.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        int.class,
                        long.class,
                        byte[].class,
                        byte[].class));
        registerEvent = stream.findVirtual(
                PTXStream.class,
                "registerEvent",
                MethodType.methodType(int.class, byte[][].class, EventDescriptor.class));
    }

    /** A sketch of a method that has none yet for a device. */
    void addSketch(ResolvedJavaMethod method, int backend, int device, Future<Sketch> made) {
        List<Object> entries = sketches.computeIfAbsent(method, any -> Collections.synchronizedList(new ArrayList<>()));
        synchronized (entries) {
            try {
                for (Object entry : entries) {
                    if ((boolean) sketchMatches.invoke(entry, backend, device)) {
                        return;
                    }
                }
                entries.add(sketchEntry.newInstance(backend, device, made));
            } catch (ReflectiveOperationException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    Sketch newSketch(Graph graph, Access[] accesses, boolean writesIndex) {
        try {
            return sketch.newInstance(graph, accesses, writesIndex);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Has TornadoVM make the graph of a sketch. */
    Graph buildSketch(ResolvedJavaMethod method, PTXBackend compiler, int backend, int device) {
        TornadoSuitesProvider suites = compiler.getTornadoSuites();
        try {
            Object made = buildSketch.invoke(
                    null,
                    method,
                    compiler.getProviders(),
                    suites.getGraphBuilderSuite(),
                    suites.getSketchTier(),
                    backend,
                    device);
            return (Graph) sketchGraph.invoke(made);
        } catch (InvocationTargetException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw new IllegalStateException(e.getCause());
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException(e);
        }
    }

    /** TornadoVM's own object of a graph. */
    TornadoTaskGraph tasks(ImmutableTaskGraph graph) {
        return (TornadoTaskGraph) graphImplementation.get(immutableGraph.get(graph));
    }

    private static Member member(Class<?> owner, String name) throws NoSuchFieldException {
        Field field = owner.getDeclaredField(name);
        field.setAccessible(true);
        return new Member(field);
    }
}
