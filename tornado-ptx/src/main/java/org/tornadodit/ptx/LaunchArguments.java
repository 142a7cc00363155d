package org.tornadodit.ptx;

import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import jdk.graal.compiler.core.common.type.IntegerStamp;
import jdk.graal.compiler.nodes.ParameterNode;
import jdk.graal.compiler.nodes.StructuredGraph;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ptx.AtLaunch;

/**
 * Arguments that a kernel gets at its launch. TornadoVM passes all numbers to a kernel, 8 bytes each, and compiles them in,
 * all but those of which it is not told.
 */
final class LaunchArguments {

    private LaunchArguments() {}

    /** What a kernel that is compiled without an argument's value is told of it; null where the value is compiled in. */
    static @Nullable AtLaunch of(Method kernel, int parameter, Object argument) {
        if (argument instanceof Integer value && value > 0) {
            for (Annotation annotation : kernel.getParameterAnnotations()[parameter]) {
                if (annotation instanceof AtLaunch atLaunch && value % atLaunch.multipleOf() == 0) {
                    return atLaunch;
                }
            }
        }
        return null;
    }

    /** What TornadoVM is told of the arguments, for a copy of the kernel's graph, which is told the rest. */
    static @Nullable Object[] compiledIn(Method kernel, Object[] arguments, StructuredGraph graph) {
        @Nullable Object[] told = arguments.clone();
        for (ParameterNode parameter : graph.getNodes(ParameterNode.TYPE)) {
            AtLaunch atLaunch = of(kernel, parameter.index(), arguments[parameter.index()]);
            if (atLaunch != null) {
                int least = atLaunch.multipleOf();
                told[parameter.index()] = null;
                parameter.setStamp(IntegerStamp.create(
                        Integer.SIZE, least, Integer.MAX_VALUE, 0, Integer.MAX_VALUE & -(long) least));
            }
        }
        return told;
    }
}
