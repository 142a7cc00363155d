package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

/** A kernel's instructions before they are written. */
public abstract class PTXLIRGenerationResult {
    PTXLIRGenerationResult() {}
}
