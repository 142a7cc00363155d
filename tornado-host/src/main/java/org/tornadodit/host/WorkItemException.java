package org.tornadodit.host;

import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/** A failure inside a kernel, with the work item it happened in. */
final class WorkItemException extends TornadoRuntimeException {
    private static final long serialVersionUID = 1L;

    WorkItemException(WorkItem item, RuntimeException cause) {
        super(item + ": " + (cause instanceof TornadoRuntimeException ? cause.getMessage() : cause.toString()));
        initCause(cause);
    }
}
