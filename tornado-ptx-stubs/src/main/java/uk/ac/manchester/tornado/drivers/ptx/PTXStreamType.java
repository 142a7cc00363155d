package uk.ac.manchester.tornado.drivers.ptx;

/** Role of a stream. */
public enum PTXStreamType {
    DEFAULT,
    COMPUTE
}
