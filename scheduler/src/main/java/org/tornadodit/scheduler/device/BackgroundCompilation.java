package org.tornadodit.scheduler.device;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;

/**
 * A graph of a plan that is compiled in a thread of its own while the plan runs others. TornadoVM itself comes to it on the
 * plan's thread, in {@link #isReady}, and finds all kernels there.
 */
final class BackgroundCompilation {
    private static final Logger LOG = System.getLogger(BackgroundCompilation.class.getName());

    private final TornadoExecutionPlan plan;
    private final int graph;
    private final String label;
    private final Thread thread;
    private volatile KernelCompiler.@Nullable Compilation compiled;
    private boolean ready;
    private boolean failed;

    /** Begins. */
    BackgroundCompilation(
            TornadoExecutionPlan plan,
            ListedDevice device,
            int graph,
            ImmutableTaskGraph content,
            GridScheduler grids) {
        this.plan = plan;
        this.graph = graph;
        this.label = device.label();
        this.thread = Thread.ofPlatform().daemon().name("compile-later").start(() -> {
            try {
                KernelCompiler.Compilation compilation = KernelCompiler.fromClassPath()
                        .begin(plan, device.device(), List.of(content), grids, (done, kernels) -> {});
                await(compilation);
                compiled = compilation;
            } catch (RuntimeException | LinkageError e) {
                warn(e);
            }
        });
    }

    private static void await(KernelCompiler.Compilation compilation) {
        try {
            compilation.await();
        } catch (RuntimeException e) {
            LOG.log(Level.DEBUG, "finishing it says the same, and gives back what was loaded", e);
        }
    }

    private void warn(Throwable e) {
        LOG.log(
                Level.WARNING,
                label + ": the kernels that suit fewer samples cannot be compiled (" + e
                        + "); those for the most go on");
    }

    /** Whether the graph can run; on the plan's thread, which does not wait. */
    boolean isReady() {
        KernelCompiler.Compilation compilation = compiled;
        if (ready || failed || compilation == null || !KernelCompiler.ONE_AT_A_TIME.tryLock()) {
            return ready;
        }
        try {
            compilation.finish();
            plan.withGraph(graph).withPreCompilation();
            ready = true;
        } catch (RuntimeException e) {
            failed = true;
            warn(e);
        } finally {
            KernelCompiler.ONE_AT_A_TIME.unlock();
        }
        return ready;
    }

    /** Waits for the thread, and leaves what it has made to the plan, which is about to be closed on this thread. */
    void end() {
        boolean interrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        KernelCompiler.Compilation compilation = compiled;
        if (!ready && !failed && compilation != null) {
            try {
                compilation.finish();
            } catch (RuntimeException e) {
                LOG.log(Level.DEBUG, "nobody wants it any more", e);
            }
        }
    }
}
