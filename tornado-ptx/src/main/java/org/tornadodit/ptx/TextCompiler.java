package org.tornadodit.ptx;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.UnaryOperator;
import jdk.graal.compiler.graph.Graph;
import jdk.graal.compiler.lir.LIR;
import jdk.graal.compiler.lir.asm.CompilationResultBuilder;
import jdk.graal.compiler.lir.asm.CompilationResultBuilderFactory;
import jdk.graal.compiler.lir.framemap.FrameMap;
import jdk.graal.compiler.lir.gen.LIRGenerationResult;
import jdk.graal.compiler.nodes.StructuredGraph;
import jdk.graal.compiler.nodes.StructuredGraph.AllowAssumptions;
import jdk.graal.compiler.phases.OptimisticOptimizations;
import jdk.graal.compiler.phases.common.DeadCodeEliminationPhase;
import jdk.graal.compiler.phases.common.DeadCodeEliminationPhase.Optionality;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.KernelCompiler;
import uk.ac.manchester.tornado.api.profiler.TornadoProfiler;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXTargetDescription;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXCodeProvider;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXProviders;
import uk.ac.manchester.tornado.drivers.ptx.graal.asm.PTXAssembler;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompilationResult;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompilationResultBuilder;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompiler;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompiler.PTXCompilationRequest.PTXCompilationRequestBuilder;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompilerConfiguration;
import uk.ac.manchester.tornado.drivers.ptx.graal.lir.PTXAddressLowering;
import uk.ac.manchester.tornado.runtime.TornadoCoreRuntime;
import uk.ac.manchester.tornado.runtime.common.BatchCompilationConfig;
import uk.ac.manchester.tornado.runtime.graal.TornadoSuites;
import uk.ac.manchester.tornado.runtime.graal.phases.TornadoSketchTierContext;
import uk.ac.manchester.tornado.runtime.profiler.EmptyProfiler;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.sketcher.TornadoSketcher;
import uk.ac.manchester.tornado.runtime.tasks.CompilableTask;

/**
 * From sketches to PTX, for one GPU, in several threads at once. TornadoVM's {@link PTXCompiler#compileSketchForDevice} does
 * the same for one kernel of the process at a time: its phases hold what belongs to the kernel at hand, so here each
 * thread has phases of its own; and its assembler keeps the names of registers in static fields, so here what writes the
 * text takes turns, under that method's own lock. Writing is a tenth of the work.
 */
final class TextCompiler {

    private final Internals internals;
    private final TurnTaking backend;
    private final ConcurrentLinkedQueue<TornadoSuites> idle = new ConcurrentLinkedQueue<>();

    TextCompiler(PTXBackend backend, Internals internals) {
        this.internals = internals;
        this.backend = new TurnTaking(backend);
        TornadoCoreRuntime.getDebugContext(); // made by the first who asks
    }

    /**
     * The text of a kernel, as TornadoVM writes it.
     *
     * @param name what it is called in the text
     */
    byte[] compile(Sketch sketch, CompilableTask task, String name) {
        var result = new PTXCompilationResult(name, task.meta());
        StructuredGraph graph = copy(sketch);
        @Nullable Object[] arguments = LaunchArguments.compiledIn(task.getMethod(), task.getArguments(), graph);
        execute(
                graph,
                result,
                request -> request.withArgs(arguments)
                        .withMetaData(task.meta())
                        .isKernel(true)
                        .buildGraph(true));
        Set<ResolvedJavaMethod> called = new HashSet<>();
        Deque<ResolvedJavaMethod> open = new ArrayDeque<>(result.getNonInlinedMethods());
        while (!open.isEmpty()) {
            ResolvedJavaMethod method = open.pop();
            if (called.add(method)) {
                var part = new PTXCompilationResult(method.getName(), task.meta());
                execute(
                        copy(TornadoSketcher.lookup(
                                method,
                                task.meta().getBackendIndex(),
                                task.meta().getDeviceIndex())),
                        part,
                        request -> request.isKernel(false).buildGraph(false));
                open.addAll(part.getNonInlinedMethods());
                result.addCompiledMethodCode(part.getTargetCode());
            }
        }
        result.addPTXHeader(backend);
        return result.getTargetCode();
    }

    private static StructuredGraph copy(Sketch sketch) {
        synchronized (sketch) {
            return (StructuredGraph) sketch.getGraph().copy(TornadoCoreRuntime.getDebugContext());
        }
    }

    private void execute(
            StructuredGraph graph, PTXCompilationResult result, UnaryOperator<PTXCompilationRequestBuilder> more) {
        TornadoSuites suites = suites();
        more.apply(PTXCompilationRequestBuilder.getInstance()
                        .withGraph(graph)
                        .withCodeOwner(graph.method())
                        .withProviders(backend.getProviders())
                        .withBackend(backend)
                        .withGraphBuilderSuite(backend.getTornadoSuites().getGraphBuilderSuite())
                        .withOptimizations(OptimisticOptimizations.ALL)
                        .withProfilingInfo(graph.method().getProfilingInfo())
                        .withSuites(suites)
                        .withLIRSuites(suites.getLIRSuites())
                        .withResult(result)
                        .withResultBuilderFactory(CompilationResultBuilderFactory.Default)
                        .includePrintf(false) // no kernel prints
                        .setBatchCompilationConfig(new BatchCompilationConfig(0, 0, 0))
                        .withProfiler(new EmptyProfiler()))
                .build()
                .execute();
        idle.add(suites); // not after a failure, of which something may be left in them
    }

    /**
     * The graph of a sketch whose answers are known: TornadoVM's own makes one at a time, for the answers' sake.
     *
     * @param index this device's
     */
    Graph sketch(ResolvedJavaMethod method, int backendIndex, int index) {
        StructuredGraph graph = new StructuredGraph.Builder(
                        TornadoCoreRuntime.getOptions(), TornadoCoreRuntime.getDebugContext(), AllowAssumptions.YES)
                .method(method)
                .name("sketch-" + method.getName())
                .build();
        var builder = backend.getTornadoSuites().getGraphBuilderSuite();
        var context = new TornadoSketchTierContext(
                backend.getProviders(), builder, OptimisticOptimizations.ALL, method, backendIndex, index);
        TornadoSuites suites = suites();
        builder.apply(graph, context);
        new DeadCodeEliminationPhase(Optionality.Optional).apply(graph);
        suites.getSketchTier().apply(graph, context);
        graph.maybeCompress();
        idle.add(suites);
        if (graph.getInvokes().iterator().hasNext()) { // TornadoVM makes sketches of what is called, too
            KernelCompiler.ONE_AT_A_TIME.lock();
            try {
                return internals.buildSketch(method, backend, backendIndex, index);
            } finally {
                KernelCompiler.ONE_AT_A_TIME.unlock();
            }
        }
        return graph;
    }

    private TornadoSuites suites() {
        TornadoSuites suites = idle.poll();
        return suites == null ? backend.newSuites() : suites;
    }

    /** Writes one kernel's text at a time. */
    @SuppressWarnings("LockOnNonEnclosingClassLiteral") // TornadoVM's own compiler holds this lock
    private static final class TurnTaking extends PTXBackend {

        private final PTXBackend original;

        TurnTaking(PTXBackend original) {
            super(
                    (PTXProviders) original.getProviders(),
                    original.getDeviceContext(),
                    original.getTarget(),
                    (PTXCodeProvider) original.getProviders().getCodeCache(),
                    TornadoCoreRuntime.getOptions());
            this.original = original;
        }

        /** The phases that the device's own compiler has. */
        TornadoSuites newSuites() {
            PTXDeviceContext context = original.getDeviceContext();
            TornadoSuites suites = new TornadoSuites(
                    TornadoCoreRuntime.getOptions(),
                    context,
                    new PTXCompilerConfiguration(),
                    original.getProviders().getMetaAccess(),
                    null,
                    new PTXAddressLowering());
            if (PtxBackend.modules(context).isPresent()) {
                PtxBackend.addPhases(suites);
            }
            return suites;
        }

        @Override
        public PTXCompilationResultBuilder newCompilationResultBuilder(
                LIRGenerationResult generated,
                FrameMap frameMap,
                PTXCompilationResult result,
                CompilationResultBuilderFactory factory,
                boolean isKernel,
                boolean isParallel,
                boolean includePrintf,
                LIR instructions) {
            synchronized (PTXCompiler.class) { // makes an assembler
                return super.newCompilationResultBuilder(
                        generated, frameMap, result, factory, isKernel, isParallel, includePrintf, instructions);
            }
        }

        @Override
        public void emitCode(
                CompilationResultBuilder builder,
                LIR instructions,
                ResolvedJavaMethod method,
                TornadoProfiler profiler) {
            Object kernel = builder;
            PTXTargetDescription target = getTarget();
            synchronized (PTXCompiler.class) {
                // An assembler's constructor sets the static fields; those of the builder's own may be another's by
                // now.
                var _ = new PTXAssembler(target, ((PTXCompilationResultBuilder) kernel).getPTXLIRGenerationResult());
                super.emitCode(builder, instructions, method, profiler);
            }
        }
    }
}
