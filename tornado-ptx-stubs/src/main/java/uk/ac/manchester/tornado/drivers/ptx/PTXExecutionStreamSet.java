package uk.ac.manchester.tornado.drivers.ptx;

/** The streams of a plan. */
public final class PTXExecutionStreamSet {
    PTXExecutionStreamSet() {}
}
