package org.tornadodit.runner.download;

import java.time.Duration;

/** Shows nothing. */
final class SilentWatcher implements DownloadWatcher {
    @Override
    public void begin(String file, long there, long total) {}

    @Override
    public void progress(long done, long total) {}

    @Override
    public void checking(String file) {}

    @Override
    public void retry(String reason, Duration pause) {}
}
