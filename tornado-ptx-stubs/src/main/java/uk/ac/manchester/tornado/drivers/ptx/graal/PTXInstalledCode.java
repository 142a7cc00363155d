package uk.ac.manchester.tornado.drivers.ptx.graal;

/** A kernel of a plan. */
public class PTXInstalledCode {
    PTXInstalledCode() {}
}
