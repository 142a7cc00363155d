package org.tornadodit.ptx;

import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import jdk.vm.ci.meta.JavaKind;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import org.tornadodit.kernels.ptx.KernelCompiler.Compilation;
import org.tornadodit.kernels.ptx.KernelCompiler.Watcher;
import org.tornadodit.kernels.ptx.KernelCompiler.Work;
import org.tornadodit.ptx.KernelWait.KernelsLateException;
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
import uk.ac.manchester.tornado.drivers.ptx.runtime.PTXTornadoDevice;
import uk.ac.manchester.tornado.runtime.TornadoCoreRuntime;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.sketcher.TornadoSketcher;
import uk.ac.manchester.tornado.runtime.tasks.CompilableTask;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/**
 * Puts the kernels of a plan where TornadoVM looks for what it has compiled, under the names that it gives them. See
 * docs/decisions/0016-kernels-kept.md.
 */
final class PlanCompiler {
    private static final Logger LOG = System.getLogger(PlanCompiler.class.getName());

    /** Threads in which the driver compiles PTX, for each plan; and threads that make PTX, for all. */
    private static final int THREADS = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 8);

    private static final String COMPILE_THREADS = "compile-kernels";
    private static final String LOAD_THREADS = "load-kernels";

    private static final KernelWait WAIT =
            new KernelWait(Duration.ofSeconds(30), Duration.ofMinutes(10), line -> LOG.log(Level.WARNING, line));

    private static final ThreadPoolExecutor COMPILERS = new ThreadPoolExecutor(
            THREADS,
            THREADS,
            5, // seconds that an idle thread stays
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> Thread.ofPlatform().daemon().name(COMPILE_THREADS).unstarted(task));

    static {
        COMPILERS.allowCoreThreadTimeOut(true);
    }

    private static final String SKETCHES = "parameters of kernels";

    private final Map<String, CompletableFuture<KernelText>> texts = new ConcurrentHashMap<>();
    private final Map<Integer, TextCompiler> compilers = new ConcurrentHashMap<>();
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
        sketches = new KeptSketches(internals, ptx, this::compiler);
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
        long begun = System.nanoTime();
        Loading loading = new Loading(gpu);
        List<CompilableTask> tasks = tasks(graphs, grids);
        List<Compiling> compiling = new ArrayList<>();
        List<CompletableFuture<Void>> steps = new ArrayList<>();
        AtomicInteger done = new AtomicInteger();
        for (CompilableTask task : tasks) {
            Compiling each = compile(task, loading.context);
            compiling.add(each);
            String flags = task.meta().getCompilerFlags(TornadoVMBackendType.PTX);
            steps.add(each.text().thenAccept(text -> {
                loading.begin(text, flags);
                watcher.compiled(done.incrementAndGet(), tasks.size());
            }));
        }
        AtomicLong ended = new AtomicLong(begun);
        CompletableFuture<Void> all = CompletableFuture.allOf(steps.toArray(CompletableFuture[]::new))
                .whenComplete((ignored, failure) -> {
                    ended.set(System.nanoTime());
                    loading.threads.shutdown(); // they end when the last kernel is loaded
                });
        return new Compilation() {
            @Override
            public void await() {
                Map<String, Future<?>> open = new LinkedHashMap<>();
                compiling.forEach(each -> open.put(name(each), each.text()));
                WAIT.await(open, "compiled", COMPILE_THREADS);
                WAIT.await(Map.of("the last", all), "handed on", COMPILE_THREADS);
                loading.await();
            }

            @Override
            public Work finish() {
                long waited = System.nanoTime();
                try {
                    await();
                    compiling.forEach(each -> install(each.task(), each.text().join(), plan.getId(), loading));
                } catch (KernelsLateException late) {
                    loading.abandon();
                    throw late;
                } finally {
                    loading.close();
                }
                keepSketches(compiling);
                Map<String, Boolean> kept = new HashMap<>();
                compiling.forEach(
                        each -> kept.merge(each.text().join().ptx(), each.kept().get(), (x, y) -> x && y));
                return new Work(
                        kept.size(),
                        (int) kept.values().stream().filter(found -> found).count(),
                        (ended.get() - begun) / 1e9,
                        (System.nanoTime() - Math.max(waited, ended.get())) / 1e9);
            }
        };
    }

    /**
     * A task's text, which may be on its way.
     *
     * @param kept whether it was compiled before, once it is there
     */
    private record Compiling(CompilableTask task, CompletableFuture<KernelText> text, AtomicBoolean kept) {}

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

    /** The text of a task's kernel, which is looked for and compiled by one thread of the process. */
    private Compiling compile(CompilableTask task, PTXDeviceContext context) {
        Optional<String> key = key(task, context);
        AtomicBoolean kept = new AtomicBoolean(true);
        CompletableFuture<KernelText> made = new CompletableFuture<>();
        if (key.isPresent()) {
            CompletableFuture<KernelText> other = texts.putIfAbsent(key.get(), made);
            if (other != null) {
                return new Compiling(task, other, kept);
            }
        }
        COMPILERS.execute(() -> {
            try {
                KernelText found = key.map(this::find).orElse(null);
                kept.set(found != null);
                KernelText text = found == null ? make(task, context) : found;
                made.complete(text);
                if (found == null && key.isPresent() && folder != null) {
                    folder.storeLater(key.get(), text::bytes);
                }
            } catch (RuntimeException | Error e) {
                key.ifPresent(failed -> texts.remove(failed, made)); // the next plan may have more luck
                made.completeExceptionally(e);
            }
        });
        return new Compiling(task, made, kept);
    }

    private void keepSketches(List<Compiling> compiled) {
        if (folder != null && compiled.stream().anyMatch(each -> !each.kept().get())) {
            String text = sketches.text();
            folder.storeLater(sketchesKey(origin), () -> text.getBytes(StandardCharsets.UTF_8));
            folder.pruneLater();
        }
    }

    /** A kernel's name and, where several have one, its task's, for messages. */
    private static String name(Compiling compiling) {
        CompilableTask task = compiling.task();
        return task.getMethod().getDeclaringClass().getSimpleName() + "."
                + task.getMethod().getName() + " of " + task.getId();
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
        boolean sizes = sketches.sizesMatter(task.getMethod(), sketch(task));
        return KernelKey.of(origin, target, task.getMethod(), task.getArguments(), sizes, launch);
    }

    private @Nullable KernelText find(String key) {
        if (folder == null) {
            return null;
        }
        Optional<byte[]> bytes = folder.load(key);
        if (bytes.isEmpty()) {
            return null;
        }
        try {
            return KernelText.read(bytes.get());
        } catch (IllegalArgumentException e) {
            folder.ignored(key, String.valueOf(e.getMessage()));
            return null;
        }
    }

    private static Sketch sketch(CompilableTask task) {
        return TornadoSketcher.lookup(
                TornadoCoreRuntime.getTornadoRuntime().resolveMethod(task.getMethod()),
                task.meta().getBackendIndex(),
                task.meta().getDeviceIndex());
    }

    /** From Java to PTX. */
    private KernelText make(CompilableTask task, PTXDeviceContext context) {
        ResolvedJavaMethod method = TornadoCoreRuntime.getTornadoRuntime().resolveMethod(task.getMethod());
        Sketch sketch = sketch(task);
        String name = PTXCodeUtil.buildKernelName(method.getName(), task);
        byte[] code = compiler(context.getDeviceIndex()).compile(sketch, task, name);
        sketches.learn(task.getMethod(), sketch);
        int end = code.length;
        while (end > 0 && code[end - 1] == 0) { // TornadoVM ends the text as C does
            end--;
        }
        return KernelText.of(
                new String(code, 0, end, StandardCharsets.UTF_8),
                name,
                task.getMethod().getDeclaringClass().getSimpleName() + "_" + method.getName());
    }

    private TextCompiler compiler(int device) {
        return compilers.computeIfAbsent(device, any -> new TextCompiler(ptx.getBackend(device), internals));
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
        private final Map<KernelText, Future<?>> begun = new ConcurrentHashMap<>();
        private boolean abandoned;

        Loading(PTXTornadoDevice device) {
            this.device = device;
            this.context = device.getDeviceContext();
            device.enableThreadSharing();
            this.kernels = loaded.computeIfAbsent(context, any -> new LoadedKernels());
            this.threads = Executors.newFixedThreadPool(
                    THREADS,
                    task -> Thread.ofPlatform().daemon().name(LOAD_THREADS).unstarted(task));
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
            if (!abandoned) {
                threads.close();
            }
            begun.forEach((text, future) -> {
                if (future.state() == Future.State.SUCCESS) {
                    kernels.get(text).unload();
                }
            });
        }

        void await() {
            Map<String, Future<?>> open = new LinkedHashMap<>();
            begun.forEach((text, future) -> open.put(text.entry() + " " + open.size(), future));
            WAIT.await(open, "loaded by the driver", LOAD_THREADS);
        }

        /** Has {@link #close} wait for nothing. */
        void abandon() {
            abandoned = true;
            threads.shutdownNow();
        }
    }
}
