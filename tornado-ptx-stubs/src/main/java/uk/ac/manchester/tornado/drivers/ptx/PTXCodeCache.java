package uk.ac.manchester.tornado.drivers.ptx;

/** The kernels of a plan. */
public class PTXCodeCache {
    PTXCodeCache() {}
}
