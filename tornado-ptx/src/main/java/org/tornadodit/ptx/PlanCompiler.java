package org.tornadodit.ptx;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import jdk.vm.ci.meta.JavaKind;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.kernels.ptx.KernelCompiler.Compilation;
import org.tornadodit.kernels.ptx.KernelCompiler.Watcher;
import org.tornadodit.kernels.ptx.KernelCompiler.Work;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.TornadoExecutionPlan;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.enums.TornadoVMBackendType;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;
import uk.ac.manchester.tornado.drivers.ptx.PTXBackendImpl;
import uk.ac.manchester.tornado.drivers.ptx.PTXDevice;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXCodeUtil;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXInstalledCode;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXProviders;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompiler;
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;
import uk.ac.manchester.tornado.runtime.TornadoCoreRuntime;
import uk.ac.manchester.tornado.runtime.profiler.EmptyProfiler;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.sketcher.TornadoSketcher;
import uk.ac.manchester.tornado.runtime.tasks.CompilableTask;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/**
 * Puts the kernels of a plan where TornadoVM looks for what it has compiled, under the names that it gives them. See
 * docs/decisions/0016-kernels-kept.md.
 */
final class PlanCompiler {

    /** Threads in which the driver compiles PTX. */
    private static final int LOADERS = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 8);

    private static final String SKETCHES = "parameters of kernels";

    private final Map<String, KernelText> texts = new ConcurrentHashMap<>();
    private final Map<PTXDeviceContext, LoadedKernels> loaded = new ConcurrentHashMap<>();

    private final @Nullable KernelFolder folder;
    private final Internals internals;
    private final PTXBackendImpl ptx;
    private final KeptSketches sketches;
    private final String origin;

    /**
     * @param folder null for none
     * @throws ReflectiveOperationException when this is not the TornadoVM that we know
     * @throws IOException when the kernels' classes cannot be read
     */
    PlanCompiler(PTXBackendImpl ptx, @Nullable KernelFolder folder, String settings)
            throws ReflectiveOperationException, IOException {
        this.ptx = ptx;
        this.folder = folder;
        internals = new Internals();
        origin = origin(settings);
        sketches = new KeptSketches(internals, ptx);
        if (folder != null) {
            folder.load(sketchesKey(origin))
                    .ifPresent(text -> sketches.register(new String(text, StandardCharsets.UTF_8)));
        }
    }

    /** @throws IllegalStateException when TornadoVM has no PTX backend */
    static PlanCompiler create(@Nullable KernelFolder folder, String settings)
            throws ReflectiveOperationException, IOException {
        PTXBackendImpl ptx = TornadoCoreRuntime.getTornadoRuntime().getBackend(PTXBackendImpl.class);
        if (ptx == null) {
            throw new IllegalStateException("TornadoVM has no PTX backend");
        }
        return new PlanCompiler(ptx, folder, settings);
    }

    private static String sketchesKey(String origin) {
        return SKETCHES + "\n" + origin;
    }

    private static String origin(String settings) throws IOException {
        return String.join(
                "\n",
                "classes " + CodeOrigin.digest(KernelCompiler.class, PlanCompiler.class),
                "compilers " + PtxInstallation.compilers(),
                "JVM " + Runtime.version(),
                "headers " + TornadoNativeArray.ARRAY_HEADER + " "
                        + TornadoCoreRuntime.getVMConfig().getArrayBaseOffset(JavaKind.Int),
                "settings " + settings);
    }

    /** As {@link KernelCompiler#begin}. */
    Compilation begin(
            TornadoExecutionPlan plan,
            TornadoDevice device,
            List<ImmutableTaskGraph> graphs,
            GridScheduler grids,
            Watcher watcher) {
        if (!(device instanceof PTXTornadoDevice gpu)) {
            return () -> Work.NONE;
        }
        Loading loading = new Loading(gpu);
        boolean whole = false;
        try {
            Compiled compiled = compile(tasks(graphs, grids), loading, watcher);
            whole = true;
            return () -> finish(compiled, plan.getId(), loading);
        } finally {
            loading.threads.shutdown(); // they end when the last kernel is loaded
            if (!whole) {
                loading.close();
            }
        }
    }

    /**
     * Texts of a plan.
     *
     * @param kept of each text, whether it was compiled before
     */
    private record Compiled(Map<CompilableTask, KernelText> ofTask, Map<String, Boolean> kept, double seconds) {}

    /** All tasks, told of their grids as TornadoVM tells them before it compiles. */
    private List<CompilableTask> tasks(List<ImmutableTaskGraph> graphs, GridScheduler grids) {
        List<CompilableTask> tasks = new ArrayList<>();
        for (ImmutableTaskGraph graph : graphs) {
            internals.tasks(graph).apply(task -> {
                if (task instanceof CompilableTask compilable) {
                    if (grids.get(task.getId()) != null) {
                        task.setUseGridScheduler(true);
                        task.setGridScheduler(grids);
                    }
                    tasks.add(compilable);
                }
            });
        }
        return tasks;
    }

    private Compiled compile(List<CompilableTask> tasks, Loading loading, Watcher watcher) {
        Map<CompilableTask, KernelText> ofTask = new LinkedHashMap<>();
        Map<String, Boolean> kept = new LinkedHashMap<>();
        KernelCompiler.ONE_AT_A_TIME.lock();
        try {
            long begun = System.nanoTime();
            boolean made = false;
            for (CompilableTask task : tasks) {
                Optional<String> key = key(task, loading.context);
                KernelText text = key.map(this::find).orElse(null);
                boolean found = text != null;
                if (text == null) {
                    text = make(task, loading.context);
                    made = true;
                    if (key.isPresent()) {
                        keep(key.get(), text);
                    }
                }
                kept.putIfAbsent(text.ptx(), found);
                ofTask.put(task, text);
                loading.begin(text, task.meta().getCompilerFlags(TornadoVMBackendType.PTX));
                watcher.compiled(ofTask.size(), tasks.size());
            }
            if (made && folder != null) {
                folder.store(sketchesKey(origin), sketches.text().getBytes(StandardCharsets.UTF_8));
                folder.prune();
            }
            return new Compiled(ofTask, kept, (System.nanoTime() - begun) / 1e9);
        } finally {
            KernelCompiler.ONE_AT_A_TIME.unlock();
        }
    }

    private Work finish(Compiled compiled, long plan, Loading loading) {
        long begun = System.nanoTime();
        try {
            loading.await();
            compiled.ofTask().forEach((task, text) -> install(task, text, plan, loading));
        } finally {
            loading.close();
        }
        return new Work(
                compiled.kept().size(),
                (int) compiled.kept().values().stream().filter(found -> found).count(),
                compiled.seconds(),
                (System.nanoTime() - begun) / 1e9);
    }

    private Optional<String> key(CompilableTask task, PTXDeviceContext context) {
        TaskDataContext meta = task.meta();
        if (task.getBatchThreads() != 0 || task.getBatchNumber() != 0) {
            return Optional.empty();
        }
        PTXDevice device = context.getDevice();
        String target = "%s, capability %d.%d, PTX %s for %s, %s"
                .formatted(
                        device.getDeviceName(),
                        device.getComputeCapability().getMajor(),
                        device.getComputeCapability().getMinor(),
                        device.getTargetPTXVersion(),
                        device.getTargetArchitecture(),
                        PtxBackend.modules(context).isPresent() ? "with instructions" : "without instructions");
        String launch = "parallel %b, grid %b, sequential %b"
                .formatted(meta.isParallel(), meta.isGridSchedulerEnabled(), meta.isGridSequential());
        return KernelKey.of(origin, target, task.getMethod(), task.getArguments(), launch);
    }

    private @Nullable KernelText find(String key) {
        KernelText text = texts.get(key);
        if (text != null || folder == null) {
            return text;
        }
        Optional<byte[]> bytes = folder.load(key);
        if (bytes.isEmpty()) {
            return null;
        }
        try {
            text = KernelText.read(bytes.get());
            texts.put(key, text);
            return text;
        } catch (IllegalArgumentException e) {
            folder.ignored(key, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private void keep(String key, KernelText text) {
        texts.put(key, text);
        if (folder != null) {
            folder.store(key, text.bytes());
        }
    }

    /** From Java to PTX, which TornadoVM does for one kernel at a time. */
    private KernelText make(CompilableTask task, PTXDeviceContext context) {
        ResolvedJavaMethod method = TornadoCoreRuntime.getTornadoRuntime().resolveMethod(task.getMethod());
        Sketch sketch = TornadoSketcher.lookup(
                method, task.meta().getBackendIndex(), task.meta().getDeviceIndex());
        var compiler = ptx.getBackend(context.getDeviceIndex());
        byte[] code = PTXCompiler.compileSketchForDevice(
                        sketch, task, (PTXProviders) compiler.getProviders(), compiler, new EmptyProfiler())
                .getTargetCode();
        sketches.learn(task.getMethod(), sketch);
        int end = code.length;
        while (end > 0 && code[end - 1] == 0) { // TornadoVM ends the text as C does
            end--;
        }
        return KernelText.of(
                new String(code, 0, end, StandardCharsets.UTF_8),
                PTXCodeUtil.buildKernelName(method.getName(), task),
                task.getMethod().getDeclaringClass().getSimpleName() + "_" + method.getName());
    }

    @SuppressWarnings("unchecked")
    private void install(CompilableTask task, KernelText text, long plan, Loading loading) {
        PTXDeviceContext context = loading.context;
        String name = PTXCodeUtil.buildKernelName(task.getMethod().getName(), task);
        var codes = (Map<String, PTXInstalledCode>) internals.cachedCode.get(context.getCodeCache(plan));
        if (codes.containsKey(name)) {
            return;
        }
        if (!loading.kernels.use(text)) {
            throw new IllegalStateException("kernel " + text.entry() + " is not loaded");
        }
        codes.put(name, new PTXInstalledCode(name, loading.kernels.get(text), context));
    }

    /** A plan's kernels on their way into a device. */
    private final class Loading {
        private final PTXTornadoDevice device;
        private final PTXDeviceContext context;
        private final LoadedKernels kernels;
        private final ExecutorService threads;
        private final Map<KernelText, Future<?>> begun = new LinkedHashMap<>();

        Loading(PTXTornadoDevice device) {
            this.device = device;
            this.context = device.getDeviceContext();
            device.enableThreadSharing();
            this.kernels = loaded.computeIfAbsent(context, any -> new LoadedKernels());
            this.threads = Executors.newFixedThreadPool(
                    LOADERS,
                    task -> Thread.ofPlatform().daemon().name("load-kernels").unstarted(task));
        }

        void begin(KernelText text, String flags) {
            begun.computeIfAbsent(
                    text,
                    any -> threads.submit(() -> {
                        if (!kernels.use(text)) {
                            device.enableThreadSharing();
                            kernels.load(text, flags, PtxBackend.modules(context));
                        }
                    }));
        }

        /** Gives back what no task uses. */
        void close() {
            begun.forEach((text, future) -> {
                if (future.state() == Future.State.SUCCESS) {
                    kernels.get(text).unload();
                }
            });
        }

        void await() {
            for (Future<?> each : begun.values()) {
                try {
                    each.get();
                } catch (ExecutionException e) {
                    if (e.getCause() instanceof RuntimeException failure) {
                        throw failure;
                    }
                    throw new IllegalStateException(e.getCause());
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    throw new CancellationException("interrupted");
                }
            }
        }
    }
}
