package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

import uk.ac.manchester.tornado.api.profiler.TornadoProfiler;
import uk.ac.manchester.tornado.drivers.ptx.graal.PTXProviders;
import uk.ac.manchester.tornado.drivers.ptx.graal.backend.PTXBackend;
import uk.ac.manchester.tornado.runtime.sketcher.Sketch;
import uk.ac.manchester.tornado.runtime.tasks.CompilableTask;

/** Makes PTX of sketches. */
public class PTXCompiler {
    PTXCompiler() {}

    public static synchronized PTXCompilationResult compileSketchForDevice(
            Sketch sketch, CompilableTask task, PTXProviders providers, PTXBackend backend, TornadoProfiler profiler) {
        throw new UnsupportedOperationException("stub");
    }
}
