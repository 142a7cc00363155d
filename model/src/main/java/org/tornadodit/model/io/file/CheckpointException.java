package org.tornadodit.model.io.file;

/** A checkpoint that cannot be read or does not fit the model. One line: file, tensor, expected, found. Exit code 4. */
public final class CheckpointException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    public CheckpointException(String message) {
        super(message);
    }

    public CheckpointException(String message, Throwable cause) {
        super(message, cause);
    }
}
