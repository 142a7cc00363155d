package org.tornadodit.scheduler.tune;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Consumer;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Does nothing, as where TornadoVM is not, and notes what it is asked for. */
final class NotedCompilations implements KernelCompiler {
    /** Graphs that were to be compiled, with "begin" before and "finish" after them, of all threads. */
    final List<String> notes = new CopyOnWriteArrayList<>();

    @Override
    public void keep(Path folder, String settings, Consumer<String> notice) {
        NONE.keep(folder, settings, notice);
    }

    @Override
    public void prepare() {
        notes.add("prepare");
    }

    @Override
    public Compilation begin(
            TornadoExecutionPlan plan,
            TornadoDevice device,
            List<ImmutableTaskGraph> graphs,
            GridScheduler grids,
            Watcher watcher) {
        notes.add("begin " + graphs.size());
        Compilation none = NONE.begin(plan, device, graphs, grids, watcher);
        return () -> {
            notes.add("finish");
            return none.finish();
        };
    }
}
