package org.tornadodit.runner.download;

import java.time.Duration;

/** Hears how a download goes. */
public interface DownloadWatcher {
    /** Bytes begin to arrive; {@code there} of them are from an earlier attempt. {@code total} 0: not known. */
    void begin(String file, long there, long total);

    /** So many bytes are there, or checked. */
    void progress(long done, long total);

    /** All bytes are there and their checksum is taken. */
    void checking(String file);

    /** Something failed that may pass; the next attempt follows after a pause. */
    void retry(String reason, Duration pause);
}
