package org.tornadodit.scheduler.device;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.kernels.ptx.LaunchAhead;
import org.tornadodit.kernels.ptx.LaunchRecorder;
import org.tornadodit.scheduler.engine.Startup;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.TornadoExecutionResult;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.exceptions.TornadoExecutionPlanException;
import uk.ac.manchester.tornado.api.exceptions.TornadoInternalError;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** Graphs that hand arrays on to one another on one device, compiled, run one at a time. */
public final class DevicePlan implements AutoCloseable {
    private static final Logger LOG = System.getLogger(DevicePlan.class.getName());

    private final ListedDevice device;
    private final TornadoExecutionPlan plan;
    private final List<ImmutableTaskGraph> graphs;
    private final GridScheduler grids;
    /** Graphs that are compiled when they are asked for begin here. */
    private final int firstLater;

    private final Map<Integer, BackgroundCompilation> later = new HashMap<>();
    private final Set<Sequence> ran = new HashSet<>();
    private final Map<Sequence, Recorded> recorded = new HashMap<>();
    /** The graphs' grids, once they have run. */
    private final List<WorkerGrid> launches = new ArrayList<>();

    private final Startup.Running compiling;
    private final KernelCompiler.Compilation compilation;
    private final String label;
    private final Startup startup;
    /** What was made ready, and has not run yet. */
    private @Nullable Sequence prepared;
    /** Whether the device has recorded what it was to record. */
    private boolean recording = true;
    /** Of sequences that are recorded from now on. */
    private LaunchRecorder.Ahead ahead = LaunchRecorder.Ahead.NONE;

    /**
     * Builds graphs and compiles all their tasks, while the device loads those that are ready: {@link #finish} comes next.
     * May be called for several devices at once: what TornadoVM cannot do side by side is done in turn, see
     * {@link KernelCompiler#ONE_AT_A_TIME}.
     *
     * @param later how many of the graphs, the last ones, are not compiled before {@link #request} asks for them
     */
    public DevicePlan(
            ListedDevice device,
            Supplier<List<ImmutableTaskGraph>> building,
            int later,
            GridScheduler grids,
            Startup startup) {
        this.device = device;
        this.grids = grids;
        this.label = device.label();
        this.startup = startup;
        KernelCompiler compiler = KernelCompiler.fromClassPath();
        List<ImmutableTaskGraph> built;
        try (Startup.Running running = startup.begin(label, "graphs")) {
            KernelCompiler.ONE_AT_A_TIME.lock();
            try {
                compiler.prepare();
                built = building.get();
                plan = new TornadoExecutionPlan(built.toArray(ImmutableTaskGraph[]::new));
                plan.withDevice(device.device()).withGridScheduler(grids);
            } finally {
                KernelCompiler.ONE_AT_A_TIME.unlock();
            }
        }
        graphs = List.copyOf(built);
        firstLater = graphs.size() - later;
        compiling = startup.begin(label, "kernels");
        try {
            compilation = compiler.begin(plan, device.device(), graphs.subList(0, firstLater), grids, this::compiled);
        } catch (RuntimeException | Error e) {
            compiling.close();
            throw e;
        }
    }

    private void compiled(int done, int kernels) {
        compiling.detail(done + " of " + kernels);
        if (done == kernels) {
            compiling.close();
        }
    }

    /** As above, all compiled at once. */
    public DevicePlan(
            ListedDevice device, Supplier<List<ImmutableTaskGraph>> building, GridScheduler grids, Startup startup) {
        this(device, building, 0, grids, startup);
    }

    /** As above, finished, telling nobody. */
    public DevicePlan(ListedDevice device, Supplier<List<ImmutableTaskGraph>> building, GridScheduler grids) {
        this(device, building, grids, Startup.silent());
        finish();
    }

    /** Waits until all kernels are on the device; once, before the first execution. */
    public void finish() {
        try (Startup.Running running = startup.begin(label, "loading kernels")) {
            startup.count(label, compilation.finish());
            compiling.close();
            KernelCompiler.ONE_AT_A_TIME.lock();
            try {
                for (int graph = 0; graph < firstLater; graph++) {
                    plan.withGraph(graph).withPreCompilation();
                }
            } finally {
                KernelCompiler.ONE_AT_A_TIME.unlock();
            }
        }
    }

    /**
     * Sequences that are recorded from now on may be given to the device ahead, see {@link #launch}.
     *
     * @param launches that may be under way at once
     * @param returned all arrays that those sequences copy to the host
     */
    public void launchAhead(int launches, List<TornadoNativeArray> returned) {
        ahead = new LaunchRecorder.Ahead(launches, returned);
    }

    /** Has a graph compiled beside the others, if it is not yet, and says whether it can run; on the plan's thread. */
    public boolean request(int graph) {
        if (graph >= firstLater && !later.containsKey(graph)) {
            later.put(graph, new BackgroundCompilation(plan, device, graph, graphs.get(graph), grids));
        }
        return isReady(graph);
    }

    /** Whether a graph is compiled; on the plan's thread. */
    public boolean isReady(int graph) {
        BackgroundCompilation compiling = later.get(graph);
        return graph < firstLater || (compiling != null && compiling.isReady());
    }

    /** Runs one graph and waits for it. */
    public TornadoExecutionResult execute(int graph) {
        return plan.withGraph(graph).execute();
    }

    /**
     * Makes ready to {@link #execute} graphs: a sequence that is asked for a second time is recorded, where the device can. Devices
     * that wait for one another while they run have to be ready all before, since the driver may wait for a device to record.
     */
    public void prepare(List<Integer> order) {
        Sequence sequence = new Sequence(order, grids());
        if (ran.contains(sequence)) {
            record(sequence);
        }
        prepared = sequence;
    }

    /**
     * Records a sequence before it runs, where the device can, so that its first execution is one launch too.
     *
     * @param order graphs that have all run, with grids of any sizes
     */
    public void record(List<Integer> order) {
        record(new Sequence(order, grids()));
    }

    private void record(Sequence sequence) {
        if (recording && !recorded.containsKey(sequence)) {
            Recorded made = recordedOf(sequence.order());
            if (made != null) {
                recorded.put(sequence, made);
            }
        }
    }

    /**
     * Runs graphs one after the other, and waits for the last. A sequence that is asked for a second time is one launch from then
     * on, where the device can record it.
     *
     * @param order graphs, none of which returns anything by itself
     * @return of the last graph
     */
    public TornadoExecutionResult execute(List<Integer> order) {
        return execute(order, () -> {});
    }

    /**
     * As above.
     *
     * @param meanwhile what the host does while the device runs what was recorded; left out where nothing was
     */
    public TornadoExecutionResult execute(List<Integer> order, Runnable meanwhile) {
        Launched launched = launch(order, meanwhile);
        launched.await();
        return launched.result();
    }

    /**
     * As {@link #execute}, but does not wait, where what was recorded allows it.
     *
     * @param meanwhile as of {@link #execute}; nothing that the device must be done for
     */
    public Launched launch(List<Integer> order, Runnable meanwhile) {
        Sequence sequence = prepared;
        if (sequence == null || !sequence.order().equals(order)) {
            prepare(order);
            sequence = Objects.requireNonNull(prepared);
        }
        prepared = null;
        Recorded known = recorded.get(sequence);
        if (known == null) {
            TornadoExecutionResult result = inTurn(order);
            ran.add(sequence);
            return new Launched(() -> result, 1, () -> {});
        }
        LaunchRecorder.Recording recording = known.recording();
        recording.launch();
        try {
            meanwhile.run();
        } catch (RuntimeException | Error e) {
            recording.await();
            throw e;
        }
        plan.withGraph(order.getLast()); // from which the result copies
        return new Launched(() -> Objects.requireNonNull(known.result().get()), recording.depth(), recording::await);
    }

    /** Whether graphs that were made ready are one launch. */
    public boolean isRecorded(List<Integer> order) {
        Sequence sequence = prepared;
        return sequence != null && sequence.order().equals(order) && recorded.containsKey(sequence);
    }

    /**
     * Graphs that the device runs, or has run.
     *
     * @param last gives the result of the last one, once they have run
     * @param depth launches that may be under way at once, this one among them: 1 where it has to be waited for before the host
     *     changes what the graphs copy
     */
    public record Launched(Supplier<TornadoExecutionResult> last, int depth, Runnable waiting) {
        /** Of the last graph; it copies what the graphs leave that were launched last. With a depth of 1, to be waited for before. */
        public TornadoExecutionResult result() {
            return last.get();
        }

        /** Once, and of launches in their order: what they return is on the host from here on until the next is waited for. */
        public void await() {
            waiting.run();
        }
    }

    private TornadoExecutionResult inTurn(List<Integer> order) {
        order.subList(0, order.size() - 1).forEach(graph -> LaunchAhead.run(() -> execute(graph)));
        return execute(order.getLast());
    }

    private @Nullable Recorded recordedOf(List<Integer> order) {
        AtomicReference<TornadoExecutionResult> last = new AtomicReference<>();
        Optional<LaunchRecorder.Recording> made = LaunchRecorder.onClassPath()
                .record(plan, device.device(), () -> order.forEach(graph -> last.set(execute(graph))), ahead);
        recording = made.isPresent();
        return made.map(done -> new Recorded(last, done)).orElse(null);
    }

    /** The sizes of all launches, which may change between executions. */
    private List<Long> grids() {
        if (launches.isEmpty()) {
            grids.keySet().stream().sorted().map(grids::get).forEach(launches::add);
        }
        List<Long> sizes = new ArrayList<>(6 * launches.size());
        for (WorkerGrid launch : launches) {
            for (long size : launch.getGlobalWork()) {
                sizes.add(size);
            }
            for (long size : launch.getLocalWork()) {
                sizes.add(size);
            }
        }
        return sizes;
    }

    /** What runs the same each time. */
    private record Sequence(List<Integer> order, List<Long> grids) {
        Sequence {
            order = List.copyOf(order);
        }
    }

    /** @param result of the last graph, once it was recorded or, where a recorder has it run anew, has run */
    private record Recorded(AtomicReference<TornadoExecutionResult> result, LaunchRecorder.Recording recording) {}

    /** Bytes that the graphs hold on the device. */
    public long deviceBytes() {
        return plan.withAllGraphs().getCurrentDeviceMemoryUsage();
    }

    /** Releases all memory on the device, of arrays within a graph too: see {@link GraphScope#scratch}. */
    @Override
    public void close() {
        later.values().forEach(BackgroundCompilation::end);
        recorded.values().forEach(known -> known.recording().close());
        recorded.clear();
        // Freeing acts on the selected graph only, and fails where a buffer is shared with a graph that has freed it.
        for (int i = 0; i < graphs.size(); i++) {
            try {
                plan.withGraph(i).freeDeviceMemory();
            } catch (TornadoInternalError alreadyFreed) {
                LOG.log(Level.DEBUG, "shared buffers of graph {0} were free already", i);
            }
        }
        try {
            plan.withGraph(0).close();
        } catch (TornadoExecutionPlanException e) {
            throw new IllegalStateException("cannot release the device's memory", e);
        }
    }
}
