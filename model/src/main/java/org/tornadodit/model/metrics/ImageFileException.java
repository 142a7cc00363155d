package org.tornadodit.model.metrics;

import java.io.IOException;

/** An image that cannot be read, in one line: file, what was found, what is expected. */
public final class ImageFileException extends IOException {

    private static final long serialVersionUID = 1L;

    public ImageFileException(String message) {
        super(message);
    }

    public ImageFileException(String message, Throwable cause) {
        super(message, cause);
    }
}
