package uk.ac.manchester.tornado.runtime.profiler;

import uk.ac.manchester.tornado.api.profiler.TornadoProfiler;

/** Takes no times. */
public class EmptyProfiler implements TornadoProfiler {
    public EmptyProfiler() {}
}
