package org.tornadodit.runner.download;

import java.io.IOException;

/** A download that does not go on by itself: one line, with what to do. */
public final class DownloadException extends IOException {

    private static final long serialVersionUID = 1L;

    DownloadException(String message) {
        super(message);
    }

    DownloadException(String message, Throwable cause) {
        super(message, cause);
    }
}
