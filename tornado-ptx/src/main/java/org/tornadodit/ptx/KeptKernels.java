package org.tornadodit.ptx;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Compiles ahead of TornadoVM where it is the one that we know; where it is not, nothing of it is touched. */
public final class KeptKernels implements KernelCompiler {

    private static final Logger LOG = System.getLogger(KeptKernels.class.getName());

    private static final long FOLDER_BYTES = 256L << 20;

    /** How long the end of a process waits for its kernels to be written. */
    private static final Duration LONGEST_STORE = Duration.ofSeconds(3);

    private volatile @Nullable KernelFolder folder;
    private String settings = "";
    private boolean prepared;
    private @Nullable PlanCompiler compiler;

    @Override
    public synchronized void keep(Path place, String jvmSettings, Consumer<String> notice) {
        KernelFolder kept = new KernelFolder(place, FOLDER_BYTES, notice);
        if (folder == null) { // what a short run has compiled is kept, too
            Runtime.getRuntime().addShutdownHook(new Thread(this::awaitStored, "kernels-are-kept"));
        }
        folder = kept;
        settings = jvmSettings;
    }

    private void awaitStored() {
        KernelFolder kept = folder;
        if (kept != null) {
            kept.awaitStored(LONGEST_STORE);
        }
    }

    @Override
    public void prepare() {
        compiler();
    }

    private synchronized @Nullable PlanCompiler compiler() {
        if (!prepared) {
            prepared = true;
            if (PtxInstallation.problem().isEmpty()) {
                try {
                    compiler = PlanCompiler.create(folder, settings);
                } catch (ReflectiveOperationException | IOException | RuntimeException | LinkageError e) {
                    LOG.log(Level.WARNING, "TornadoVM compiles each kernel by itself: " + e);
                }
            }
        }
        return compiler;
    }

    @Override
    public Compilation begin(
            TornadoExecutionPlan plan,
            TornadoDevice device,
            List<ImmutableTaskGraph> graphs,
            GridScheduler grids,
            Watcher watcher) {
        PlanCompiler made = compiler();
        return made == null ? () -> Work.NONE : made.begin(plan, device, graphs, grids, watcher);
    }
}
