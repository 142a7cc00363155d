package org.tornadodit.host;

import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** A failure inside a kernel, with the work item or the group it happened in. */
final class WorkItemException extends TornadoRuntimeException {
    private static final long serialVersionUID = 1L;

    WorkItemException(Object where, RuntimeException cause) {
        super(where + ": " + (cause instanceof TornadoRuntimeException ? cause.getMessage() : cause.toString()));
        initCause(cause);
    }
}
