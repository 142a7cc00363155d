package uk.ac.manchester.tornado.drivers.ptx.graal.compiler;

import uk.ac.manchester.tornado.runtime.graal.compiler.TornadoCompilerConfiguration;

/** Which phases a GPU's compiler has. */
public class PTXCompilerConfiguration implements TornadoCompilerConfiguration {}
