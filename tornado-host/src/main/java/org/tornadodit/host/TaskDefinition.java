package org.tornadodit.host;

import uk.ac.manchester.tornado.api.KernelContext;

/**
 * One task of a graph.
 *
 * @param name {@code graph.task}
 */
public record TaskDefinition(String name, Kernel kernel, Object[] arguments) {
    /** Whether the method is run once for every work item of a grid. */
    boolean usesContext() {
        for (Object argument : arguments) {
            if (argument instanceof KernelContext) {
                return true;
            }
        }
        return false;
    }
}
