package org.tornadodit.host;

import uk.ac.manchester.tornado.api.KernelContext;

/**
 * One task of a graph.
 *
 * @param name {@code graph.task}
 * @param code class of the method reference that it was made of
 */
public record TaskDefinition(String name, Class<?> code, Kernel kernel, Object[] arguments) {
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
