package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

import jdk.graal.compiler.code.CompilationResult;

/** A compiled kernel. */
public abstract class PTXCompilationResult extends CompilationResult {
    PTXCompilationResult(String name) {
        super(name);
    }
}
