package org.tornadodit.runner.terminal;

/** What no retry mends: a scheduler that starts failed tasks again shall leave this one alone. The message is the user's line. */
public final class PermanentException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public PermanentException(String message) {
        super(message);
    }

    public PermanentException(String message, Throwable cause) {
        super(message, cause);
    }
}
