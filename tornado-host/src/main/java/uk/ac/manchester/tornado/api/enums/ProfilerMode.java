package uk.ac.manchester.tornado.api.enums;

/** What becomes of the profiler's figures. */
public enum ProfilerMode {
    /** Printed after every execution. */
    CONSOLE,
    /** Kept for {@code TornadoExecutionResult.getProfilerResult()}. */
    SILENT
}
