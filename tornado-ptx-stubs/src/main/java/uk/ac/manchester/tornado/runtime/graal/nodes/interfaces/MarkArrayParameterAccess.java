package uk.ac.manchester.tornado.runtime.graal.nodes.interfaces;

import jdk.graal.compiler.nodes.ValueNode;
import uk.ac.manchester.tornado.api.common.Access;

/** A node that reads or writes arrays. */
public interface MarkArrayParameterAccess {
    Access getArrayParameterAccess(ValueNode parameter);
}
