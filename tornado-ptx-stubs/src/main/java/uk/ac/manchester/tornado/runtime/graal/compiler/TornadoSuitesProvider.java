package uk.ac.manchester.tornado.runtime.graal.compiler;

/** Gives a compiler's phases. */
public interface TornadoSuitesProvider {}
