package org.tornadodit.ptx;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.lang.foreign.Arena;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import org.tornadodit.kernels.ptx.LaunchAhead;
import org.tornadodit.kernels.ptx.LaunchRecorder;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;

/**
 * CUDA graphs of what a plan puts on its stream. TornadoVM makes such graphs itself, one for each of a plan's graphs, and
 * lets no other thread of the process use the driver meanwhile; these span any number of them, and bind their thread only.
 */
public final class CudaGraphs implements LaunchRecorder {
    private static final Logger LOG = System.getLogger(CudaGraphs.class.getName());

    /** CU_STREAM_CAPTURE_MODE_THREAD_LOCAL. */
    private static final int THIS_THREAD = 1;

    @Override
    public Optional<Recording> record(
            TornadoExecutionPlan plan, TornadoDevice device, Runnable executions, Ahead ahead) {
        if (PtxInstallation.problem().isPresent() // nothing of TornadoVM is touched that is not the one that we know
                || Boolean.getBoolean("tornado.profiler") // which waits for each launch
                || !(device instanceof PTXTornadoDevice gpu)) {
            return Optional.empty();
        }
        return PtxBackend.modules(gpu.getDeviceContext())
                .flatMap(modules -> modules.stream(gpu.getDeviceContext(), plan.getId()))
                .flatMap(stream -> record(gpu, stream, executions, ahead));
    }

    private static Optional<Recording> record(
            PTXTornadoDevice gpu, LaunchStream stream, Runnable executions, Ahead ahead) {
        Functions driver;
        try {
            driver = Functions.find();
        } catch (IllegalArgumentException older) {
            LOG.log(Level.DEBUG, "launches are not recorded: {0}", older.getMessage());
            return Optional.empty();
        }
        long handle = ByteBuffer.wrap(stream.getStreamHandle())
                .order(ByteOrder.nativeOrder())
                .getLong();
        gpu.enableThreadSharing();
        stream.sync();
        stream.reset(); // it would wait for events of its own once in a while, which a recording must not
        try (Arena arena = Arena.ofConfined()) {
            int error = DriverLibrary.call(driver.begin, handle, THIS_THREAD);
            if (error != 0) {
                return notRecorded("begin", error);
            }
            MemorySegment graph = arena.allocate(ValueLayout.JAVA_LONG);
            RuntimeException failure = null;
            stream.recording(true);
            try {
                LaunchAhead.run(executions);
            } catch (RuntimeException e) {
                failure = e;
            } finally {
                stream.recording(false);
                error = DriverLibrary.call(driver.end, handle, graph);
                stream.reset(); // nothing will happen to the events that were recorded
            }
            if (failure != null || error != 0) {
                LOG.log(Level.DEBUG, "recording launches failed", failure);
                return notRecorded("end", error);
            }
            long made = graph.get(ValueLayout.JAVA_LONG, 0);
            try {
                if (ahead.depth() > 1) {
                    Optional<Recording> several = GraphsAhead.of(driver, gpu, handle, made, ahead);
                    if (several.isPresent()) {
                        return several;
                    }
                }
                MemorySegment executable = arena.allocate(ValueLayout.JAVA_LONG);
                error = DriverLibrary.call(driver.instantiate, executable, made, 0L);
                return error != 0
                        ? notRecorded("make ready", error)
                        : Optional.of(new Executable(driver, gpu, handle, executable.get(ValueLayout.JAVA_LONG, 0)));
            } finally {
                DriverLibrary.call(driver.destroyGraph, made);
            }
        }
    }

    private static Optional<Recording> notRecorded(String what, int error) {
        LOG.log(Level.DEBUG, "launches are not recorded: the driver cannot {0}, error {1}", what, error);
        return Optional.empty();
    }

    static void check(int error) {
        if (error != 0) {
            throw new IllegalStateException("the device did not do what was recorded: CUDA error " + error);
        }
    }

    /** A graph that the driver has made ready for a stream. */
    private record Executable(Functions driver, PTXTornadoDevice gpu, long stream, long graph) implements Recording {
        @Override
        public int depth() {
            return 1;
        }

        @Override
        public void launch() {
            gpu.enableThreadSharing();
            check(DriverLibrary.call(driver.launch, graph, stream));
        }

        @Override
        public void await() {
            gpu.enableThreadSharing();
            check(DriverLibrary.call(driver.synchronize, stream));
        }

        @Override
        public void close() {
            gpu.enableThreadSharing();
            DriverLibrary.call(driver.destroy, graph);
        }
    }

    /** The driver's functions, which work in the calling thread's context. */
    record Functions(
            MethodHandle begin,
            MethodHandle end,
            MethodHandle instantiate,
            MethodHandle launch,
            MethodHandle synchronize,
            MethodHandle destroyGraph,
            MethodHandle destroy) {

        /** @throws IllegalArgumentException when the driver lacks one */
        static Functions find() {
            MemoryLayout pointer = ValueLayout.ADDRESS;
            MemoryLayout handle = ValueLayout.JAVA_LONG;
            return new Functions(
                    DriverLibrary.function("cuStreamBeginCapture_v2", handle, ValueLayout.JAVA_INT),
                    DriverLibrary.function("cuStreamEndCapture", handle, pointer),
                    DriverLibrary.function("cuGraphInstantiateWithFlags", pointer, handle, ValueLayout.JAVA_LONG),
                    DriverLibrary.function("cuGraphLaunch", handle, handle),
                    DriverLibrary.function("cuStreamSynchronize", handle),
                    DriverLibrary.function("cuGraphDestroy", handle),
                    DriverLibrary.function("cuGraphExecDestroy", handle));
        }
    }
}
