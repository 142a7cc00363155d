package uk.ac.manchester.tornado.drivers.ptx;

/** The streams of all plans. */
public final class PTXStreamPool {
    PTXStreamPool() {}
}
