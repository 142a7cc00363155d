package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

import jdk.graal.compiler.lir.asm.CompilationResultBuilderFactory;
import jdk.graal.compiler.nodes.StructuredGraph;
import jdk.graal.compiler.phases.OptimisticOptimizations;
import jdk.graal.compiler.phases.PhaseSuite;
import jdk.graal.compiler.phases.tiers.HighTierContext;
import jdk.graal.compiler.phases.util.Providers;
import jdk.vm.ci.meta.ProfilingInfo;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.profiler.TornadoProfiler;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXProviders;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.runtime.common.BatchCompilationConfig;
import uk.ac.manchester.tornado.runtime.graal.TornadoLIRSuites;
import uk.ac.manchester.tornado.runtime.graal.TornadoSuites;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.tasks.CompilableTask;
import uk.ac.manchester.tornado.runtime.tasks.meta.TaskDataContext;

/** Makes PTX of sketches. */
public class PTXCompiler {
    PTXCompiler() {}

    public static synchronized PTXCompilationResult compileSketchForDevice(
            Sketch sketch, CompilableTask task, PTXProviders providers, PTXBackend backend, TornadoProfiler profiler) {
        throw new UnsupportedOperationException("stub");
    }

    /** A kernel that is to be compiled. */
    public static class PTXCompilationRequest {
        PTXCompilationRequest() {}

        public PTXCompilationResult execute() {
            throw new UnsupportedOperationException("stub");
        }

        /** All that belongs to a request. */
        public static class PTXCompilationRequestBuilder {
            PTXCompilationRequestBuilder() {}

            public static PTXCompilationRequestBuilder getInstance() {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequest build() {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withGraph(StructuredGraph graph) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withCodeOwner(ResolvedJavaMethod owner) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withArgs(@Nullable Object[] args) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withMetaData(TaskDataContext metaData) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withProviders(Providers providers) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withBackend(PTXBackend backend) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withGraphBuilderSuite(PhaseSuite<HighTierContext> builderSuite) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withOptimizations(OptimisticOptimizations optimizations) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withProfilingInfo(ProfilingInfo profilingInfo) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withSuites(TornadoSuites suites) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withLIRSuites(TornadoLIRSuites suites) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withResult(PTXCompilationResult result) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withResultBuilderFactory(CompilationResultBuilderFactory factory) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder isKernel(boolean isKernel) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder buildGraph(boolean buildGraph) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder setBatchCompilationConfig(BatchCompilationConfig config) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder includePrintf(boolean includePrintf) {
                throw new UnsupportedOperationException("stub");
            }

            public PTXCompilationRequestBuilder withProfiler(TornadoProfiler profiler) {
                throw new UnsupportedOperationException("stub");
            }
        }
    }
}
