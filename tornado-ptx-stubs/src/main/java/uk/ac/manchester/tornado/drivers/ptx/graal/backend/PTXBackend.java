package uk.ac.manchester.tornado.drivers.ptx.graal.backend;

import jdk.graal.compiler.lir.LIR;
import jdk.graal.compiler.lir.asm.CompilationResultBuilder;
import jdk.graal.compiler.lir.asm.CompilationResultBuilderFactory;
import jdk.graal.compiler.lir.framemap.FrameMap;
import jdk.graal.compiler.lir.gen.LIRGenerationResult;
import jdk.graal.compiler.options.OptionValues;
import jdk.graal.compiler.phases.util.Providers;
import jdk.vm.ci.meta.ResolvedJavaMethod;
import uk.ac.manchester.tornado.api.profiler.TornadoProfiler;
import uk.ac.manchester.tornado.drivers.ptx.PTXDeviceContext;
import uk.ac.manchester.tornado.drivers.ptx.PTXTargetDescription;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXCodeProvider;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXProviders;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompilationResult;
import uk.ac.manchester.tornado.drivers.ptx.graal.compiler.PTXCompilationResultBuilder;
import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoSuitesProvider;

/** The compiler for a GPU. */
public class PTXBackend {
    public PTXBackend(
            PTXProviders providers,
            PTXDeviceContext deviceContext,
            PTXTargetDescription target,
            PTXCodeProvider codeCache,
            OptionValues options) {
        throw new UnsupportedOperationException("stub");
    }

    public Providers getProviders() {
        throw new UnsupportedOperationException("stub");
    }

    public TornadoSuitesProvider getTornadoSuites() {
        throw new UnsupportedOperationException("stub");
    }

    public PTXDeviceContext getDeviceContext() {
        throw new UnsupportedOperationException("stub");
    }

    public PTXTargetDescription getTarget() {
        throw new UnsupportedOperationException("stub");
    }

    public PTXCompilationResultBuilder newCompilationResultBuilder(
            LIRGenerationResult generated,
            FrameMap frameMap,
            PTXCompilationResult result,
            CompilationResultBuilderFactory factory,
            boolean isKernel,
            boolean isParallel,
            boolean includePrintf,
            LIR instructions) {
        throw new UnsupportedOperationException("stub");
    }

    public void emitCode(
            CompilationResultBuilder builder, LIR instructions, ResolvedJavaMethod method, TornadoProfiler profiler) {
        throw new UnsupportedOperationException("stub");
    }
}
