package uk.ac.manchester.tornado.runtime.graal;

/** A compiler's last phases. */
public class TornadoLIRSuites {
    TornadoLIRSuites() {}
}
