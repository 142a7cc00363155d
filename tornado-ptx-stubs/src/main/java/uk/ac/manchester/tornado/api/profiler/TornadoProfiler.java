package uk.ac.manchester.tornado.api.profiler;

/** Takes the times of a plan. */
public interface TornadoProfiler {}
