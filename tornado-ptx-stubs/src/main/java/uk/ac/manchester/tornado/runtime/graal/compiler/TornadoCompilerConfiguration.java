package uk.ac.manchester.tornado.runtime.graal.compiler;

/** Which phases a compiler has. */
public interface TornadoCompilerConfiguration {}
