package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

/** A kernel that is being written. */
public abstract class PTXCompilationResultBuilder {
    PTXCompilationResultBuilder() {}

    public PTXLIRGenerationResult getPTXLIRGenerationResult() {
        throw new UnsupportedOperationException("stub");
    }
}
