package org.tornadodit.kernels.ptx;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/**
 * Compiles the kernels of plans ahead of TornadoVM, which would compile each task of each graph for each device: what is
 * the same code is compiled once in a process and, where a folder is given, once for all processes.
 *
 * <p>The implementation, the module tornado-ptx, needs TornadoVM's PTX backend; on other backends, and without it, all of
 * this does nothing and TornadoVM compiles as ever.
 */
public interface KernelCompiler {

    /**
     * Held while a plan's graphs are built: TornadoVM leaves what it finds out about a kernel's parameters in one static
     * field.
     */
    ReentrantLock ONE_AT_A_TIME = new ReentrantLock();

    /**
     * What a plan's kernels took.
     *
     * @param kernels different ones
     * @param kept of these, how many were compiled before, by this process or another
     * @param compileSeconds from Java to PTX
     * @param loadSeconds in which the driver loaded PTX and nothing else was done
     */
    record Work(int kernels, int kept, double compileSeconds, double loadSeconds) {
        public static final Work NONE = new Work(0, 0, 0, 0);

        public Work plus(Work other) {
            return new Work(
                    kernels + other.kernels,
                    kept + other.kept,
                    compileSeconds + other.compileSeconds,
                    loadSeconds + other.loadSeconds);
        }
    }

    /** Hears of kernels that are ready, on any thread. */
    interface Watcher {
        void compiled(int done, int kernels);
    }

    /**
     * Keeps kernels across processes from now on. Nothing fails for want of a folder that can be read or written.
     *
     * @param folder need not exist
     * @param settings of the JVM that decide what TornadoVM makes of a kernel
     * @param notice takes lines for the user: at most one on entries that are of no use, and one when nothing can be
     *     written
     */
    void keep(Path folder, String settings, Consumer<String> notice);

    /** Makes what was kept known to TornadoVM; comes before a plan's graphs are built. */
    void prepare();

    /** A plan's kernels on their way into its device. */
    interface Compilation {
        /**
         * Waits until all are compiled and loaded, and gives TornadoVM the kernels; once, on the plan's thread. Throws what a
         * kernel failed with.
         */
        Work finish();

        /** Waits until there is nothing left that {@link #finish} would wait for, or a kernel failed; on any thread. */
        default void await() {}
    }

    /**
     * Begins to compile a plan's kernels for its device, which the plan has by now, in threads of their own, while the
     * driver loads those that are ready. What TornadoVM's own compilation does after {@link Compilation#finish} is little.
     * Meanwhile graphs of other plans may be built, compiled and executed, on this device and others.
     */
    Compilation begin(
            TornadoExecutionPlan plan,
            TornadoDevice device,
            List<ImmutableTaskGraph> graphs,
            GridScheduler grids,
            Watcher watcher);

    /** Leaves all to TornadoVM. */
    KernelCompiler NONE = new KernelCompiler() {
        @Override
        public void keep(Path folder, String settings, Consumer<String> notice) {}

        @Override
        public void prepare() {}

        @Override
        public Compilation begin(
                TornadoExecutionPlan plan,
                TornadoDevice device,
                List<ImmutableTaskGraph> graphs,
                GridScheduler grids,
                Watcher watcher) {
            return () -> Work.NONE;
        }
    };

    /** What is on the class path; the same at each call. */
    static KernelCompiler fromClassPath() {
        return Found.COMPILER;
    }

    /** Looked for once. */
    final class Found {
        private static final KernelCompiler COMPILER =
                PtxService.find(KernelCompiler.class).orElse(NONE);

        private Found() {}
    }
}
