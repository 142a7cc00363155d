package uk.ac.manchester.tornado.runtime.sketcher;

import jdk.graal.compiler.graph.Graph;
import uk.ac.manchester.tornado.api.common.Access;

/** A method's graph before it is compiled for a device, and how it uses its parameters. */
public class Sketch {
    Sketch() {}

    public Graph getGraph() {
        throw new UnsupportedOperationException("stub");
    }

    public Access[] getArgumentsAccess() {
        throw new UnsupportedOperationException("stub");
    }

    public boolean getBatchWriteThreadIndex() {
        throw new UnsupportedOperationException("stub");
    }
}
