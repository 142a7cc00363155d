package uk.ac.manchester.tornado.api;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.tornadodit.host.ExecutionFigures;
import org.tornadodit.host.PlanExecution;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.ProfilerMode;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.runtime.TornadoRuntimeProvider;

/**
 * Task graphs with a device and what they keep on it. One thread at a time may use a plan.
 *
 * <p>The {@code with} methods change this plan and return it.
 */
public final class TornadoExecutionPlan implements AutoCloseable {
    private static final AtomicLong PLANS = new AtomicLong();

    private final long id = PLANS.incrementAndGet();
    private final PlanExecution execution;
    private final List<TornadoExecutionResult> results = new ArrayList<>();
    private ProfilerMode profiler;

    /** A plan of graphs with different names, all selected. */
    public TornadoExecutionPlan(ImmutableTaskGraph... immutableTaskGraphs) {
        execution = new PlanExecution(
                Arrays.stream(immutableTaskGraphs)
                        .map(ImmutableTaskGraph::definition)
                        .toList(),
                KernelContext::new);
    }

    public static TornadoDevice getDevice(int driverIndex, int deviceIndex) {
        return TornadoRuntimeProvider.getTornadoRuntime()
                .getBackend(driverIndex)
                .getDevice(deviceIndex);
    }

    /** Number of plans made in this JVM. */
    public static int getTotalPlans() {
        return PLANS.intValue();
    }

    public static TornadoDeviceMap getTornadoDeviceMap() {
        return new TornadoDeviceMap();
    }

    /** Runs the selected graphs, one after the other, and waits for them. */
    public TornadoExecutionResult execute() {
        long start = System.nanoTime();
        ExecutionFigures figures = execution.execute();
        TornadoProfilerResult profile =
                new TornadoProfilerResult(figures, System.nanoTime() - start, execution.heldBytes());
        if (profiler == ProfilerMode.CONSOLE) {
            System.out.println(profile.getProfileLog());
        }
        TornadoExecutionResult result = new TornadoExecutionResult(execution, profile);
        results.add(result);
        return result;
    }

    /** Selects one graph, from here on. */
    public TornadoExecutionPlan withGraph(int graphIndex) {
        execution.select(graphIndex);
        return this;
    }

    /** Selects all graphs, from here on. */
    public TornadoExecutionPlan withAllGraphs() {
        execution.selectAll();
        return this;
    }

    /** Checks what can be checked before the first execution. */
    public TornadoExecutionPlan withPreCompilation() {
        execution.prepare();
        return this;
    }

    /** Moves the plan to a device; what it had on another is freed. */
    public TornadoExecutionPlan withDevice(TornadoDevice device) {
        execution.setDevice(device);
        return this;
    }

    /** The device of the plan's graphs. */
    public TornadoDevice getDevice(int immutableTaskGraphIndex) {
        return execution.device();
    }

    /** Frees the device buffers of the selected graphs. */
    public TornadoExecutionPlan freeDeviceMemory() {
        execution.free();
        return this;
    }

    /** Sets the grids of the plan's tasks, by {@code graph.task}. */
    public TornadoExecutionPlan withGridScheduler(GridScheduler gridScheduler) {
        execution.setGrids(gridScheduler);
        return this;
    }

    /** Forgets the grids. */
    public TornadoExecutionPlan withDefaultScheduler() {
        execution.setGrids(null);
        return this;
    }

    /** Prints figures after every execution, or only keeps them. */
    public TornadoExecutionPlan withProfiler(ProfilerMode profilerMode) {
        profiler = profilerMode;
        return this;
    }

    public TornadoExecutionPlan withoutProfiler() {
        profiler = null;
        return this;
    }

    /** Limits the device memory of each graph, as in "512MB". */
    public TornadoExecutionPlan withMemoryLimit(String memoryLimit) {
        execution.setMemoryLimit(memoryLimit);
        return this;
    }

    public TornadoExecutionPlan withoutMemoryLimit() {
        execution.setMemoryLimit(null);
        return this;
    }

    /** Forgets compiled code; there is none here. */
    public TornadoExecutionPlan resetDevice() {
        return this;
    }

    public long getId() {
        return id;
    }

    public long getGlobalExecutionPlansCounter() {
        return PLANS.get();
    }

    public TornadoExecutionPlan clearProfiles() {
        return this;
    }

    /** Launch geometry is not printed here. */
    public TornadoExecutionPlan withThreadInfo() {
        return this;
    }

    public TornadoExecutionPlan withoutThreadInfo() {
        return this;
    }

    /** There is no generated code to print here. */
    public TornadoExecutionPlan withPrintKernel() {
        return this;
    }

    public TornadoExecutionPlan withoutPrintKernel() {
        return this;
    }

    /** Flags for a backend's compiler; there is none here. */
    public TornadoExecutionPlan withCompilerFlags(TornadoVMBackendType backend, String compilerFlags) {
        return this;
    }

    /** Frees the device buffers of the selected graphs and ends the plan. */
    @Override
    public void close() throws TornadoExecutionPlanException {
        execution.close();
    }

    /** Bytes that the plan's graphs hold on the device. */
    public long getCurrentDeviceMemoryUsage() {
        return execution.heldBytes();
    }

    public TornadoExecutionResult getPlanResult(int index) {
        if (index < 0 || index >= results.size()) {
            throw new TornadoRuntimeException("there is no execution " + index + ", there were " + results.size());
        }
        return results.get(index);
    }

    /** Runs the selected graphs that many times. */
    public TornadoExecutionPlan withWarmUpIterations(int iterations) {
        if (iterations < 0) {
            throw new TornadoRuntimeException("cannot run " + iterations + " times");
        }
        for (int i = 0; i < iterations; i++) {
            execution.execute();
        }
        return this;
    }

    /** One launch for all tasks of a graph; makes no difference here. */
    public TornadoExecutionPlan withCUDAGraph() {
        return this;
    }

    /** Overlap of independent tasks; makes no difference here. */
    public TornadoExecutionPlan withIntraPlanConcurrency() {
        return this;
    }

    public TornadoExecutionPlan withoutIntraPlanConcurrency() {
        return this;
    }

    /** Uploads through pinned memory; makes no difference here. */
    public TornadoExecutionPlan withStagedTransfers() {
        return this;
    }

    public TornadoExecutionPlan withoutStagedTransfers() {
        return this;
    }
}
