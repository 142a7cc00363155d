package org.tornadodit.scheduler.tune;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.KernelCase;
import org.tornadodit.kernels.check.Nonsense;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;

/** Runs kernels on a device of TornadoVM; times are the device's own. */
public final class DeviceRunner implements KernelRunner {
    private final TornadoDevice device;
    private final KernelCompiler compiler;
    private int prepared;

    /** Kernels are compiled, and kept, where those of engines are. */
    public DeviceRunner(TornadoDevice device) {
        this(device, KernelCompiler.fromClassPath());
    }

    DeviceRunner(TornadoDevice device, KernelCompiler compiler) {
        this.device = device;
        this.compiler = compiler;
    }

    @Override
    public Prepared prepare(KernelCase kernel, Variant variant) {
        return new OnDevice(kernel, "tune" + prepared++);
    }

    /** Whether the kernel reads what it writes, so that a second run makes something else. */
    static boolean worksInPlace(KernelCase kernel) {
        return Arrays.asList(kernel.inputs()).contains(kernel.output());
    }

    /** Two graphs that share the output: one writes nonsense to it, the other is the kernel. */
    private final class OnDevice implements Prepared {
        private static final int NONSENSE = 0;

        private final KernelCase kernel;
        private final TornadoExecutionPlan plan;
        private final int graphs;

        OnDevice(KernelCase kernel, String name) {
            this.kernel = kernel;
            GridScheduler grids = new GridScheduler();
            kernel.grids().forEach((task, grid) -> grids.addWorkerGrid(name + "." + task, grid));
            compiler.prepare();
            List<ImmutableTaskGraph> built = new ArrayList<>();
            TaskGraph graph = new TaskGraph(name);
            if (worksInPlace(kernel)) {
                built.add(withTasks(graph).snapshot());
            } else {
                String before = name + "_before";
                graph.consumeFromDevice(before, kernel.output()).consumeFromDevice(name, kernel.output());
                built.add(Nonsense.graph(before, kernel.output(), grids).snapshot());
                built.add(withTasks(graph).snapshot());
            }
            plan = new TornadoExecutionPlan(built.toArray(ImmutableTaskGraph[]::new));
            graphs = built.size();
            try {
                plan.withDevice(device).withGridScheduler(grids).withProfiler(ProfilerMode.SILENT);
                compiler.begin(plan, device, built, grids, (done, kernels) -> {})
                        .finish();
                plan.withPreCompilation();
            } catch (RuntimeException e) {
                close();
                throw e;
            }
        }

        private TaskGraph withTasks(TaskGraph graph) {
            graph.transferToDevice(DataTransferMode.FIRST_EXECUTION, kernel.inputs());
            return kernel.tasks().apply(graph).transferToHost(DataTransferMode.UNDER_DEMAND, kernel.output());
        }

        @Override
        public void runForCheck() {
            if (graphs > 1) {
                plan.withGraph(NONSENSE).execute();
            }
            plan.withGraph(graphs - 1).execute().transferToHost(kernel.output());
        }

        @Override
        public double time() {
            long start = System.nanoTime();
            TornadoExecutionResult result = plan.withGraph(graphs - 1).execute();
            long wall = System.nanoTime() - start;
            long onDevice = result.getProfilerResult().getDeviceKernelTime();
            return (onDevice > 0 ? onDevice : wall) * 1e-9;
        }

        @Override
        public void close() {
            // The kernel's graph holds all arrays; what the other has is the output, which is shared and so freed with
            // it.
            try {
                plan.withGraph(graphs - 1).close();
            } catch (TornadoExecutionPlanException e) {
                throw new IllegalStateException("cannot release the device's memory", e);
            }
        }
    }
}
