package org.tornadodit.runner.bulk;

import java.io.IOException;

/** A picture's file is not whole: truncated, or with a checksum that is wrong. It is to be made again. */
final class TornPictureException extends IOException {
    private static final long serialVersionUID = 1L;

    TornPictureException(String message, Throwable cause) {
        super(message, cause);
    }
}
