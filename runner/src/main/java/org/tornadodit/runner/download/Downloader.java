package org.tornadodit.runner.download;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Fetches published weights into a folder. */
public final class Downloader {
    private final Transfer transfer;

    /** What became of a file. */
    public enum Outcome {
        WAS_THERE,
        /** Its checksum is the published one. */
        VERIFIED,
        /** Nobody publishes a checksum of it. */
        FETCHED
    }

    /**
     * A file that is there.
     *
     * @param sha256 as it was taken here; null where the file was there before
     */
    public record Fetched(
            RemoteFile file,
            Path path,
            Outcome outcome,
            @Nullable String sha256) {}

    /**
     * @param environment proxies
     * @param system Java's properties, which may name a proxy too
     * @param trust null for the JVM's own certificates
     * @param agent this program's name and version
     * @throws DownloadException when a proxy that is set cannot be used
     */
    public Downloader(
            Map<String, String> environment,
            Properties system,
            Hub hub,
            @Nullable SSLContext trust,
            String agent,
            DownloadWatcher watcher)
            throws DownloadException {
        Patience patience = Patience.USUAL;
        this.transfer =
                new Transfer(new Web(environment, system, hub, trust, patience.stall(), agent), patience, watcher);
    }

    /**
     * Fetches one file of weights, unless it is there.
     *
     * @throws DownloadException in one line
     */
    public Fetched fetch(RemoteFile file, Path folder) throws IOException, InterruptedException {
        Path target = folder.resolve(file.path());
        Transfer.Done done = transfer.fetch(file, target);
        Outcome outcome =
                done.sha256() == null ? Outcome.WAS_THERE : done.verified() ? Outcome.VERIFIED : Outcome.FETCHED;
        return new Fetched(file, target, outcome, done.sha256());
    }
}
