package org.tornadodit.pipeline;

/** As many requests wait as may ({@link PipelineBuilder#maxWaiting}): nothing was done, and it may be asked again later. */
public final class QueueFullException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    QueueFullException(int waiting) {
        super("%d requests wait already, as many as may (maxWaiting); try again later".formatted(waiting));
    }
}
