package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Fetches one file: goes on where an earlier run stopped, repeats what fails for a while, checks size and checksum. */
final class Transfer {
    private static final int BUFFER = 1 << 18;

    private final Web web;
    private final Patience patience;
    private final DownloadWatcher watcher;

    Transfer(Web web, Patience patience, DownloadWatcher watcher) {
        this.web = web;
        this.patience = patience;
        this.watcher = watcher;
    }

    /**
     * A file that is there.
     *
     * @param sha256 where it was fetched now; null where it was there before
     * @param verified whether that is the published one
     */
    record Done(@Nullable String sha256, boolean verified) {}

    /**
     * Fetches a file unless it is there, whole by its size.
     *
     * @throws DownloadException when it cannot be had, in one line
     */
    Done fetch(RemoteFile file, Path target) throws IOException, InterruptedException {
        if (Files.isRegularFile(target) && (file.size() == 0 || Files.size(target) == file.size())) {
            return new Done(null, false);
        }
        if (Files.isDirectory(target)) {
            throw new DownloadException("%s is a folder, expected a file or nothing".formatted(target));
        }
        try (PartFile part = PartFile.open(target)) {
            String expected = new Attempts(file, target, part).run();
            watcher.checking(file.name());
            long size = part.length();
            String sum = Checksum.of(PartFile.partOf(target), done -> watcher.progress(done, size));
            if (expected != null && !expected.equals(sum)) {
                part.discard();
                throw new DownloadException(
                        ("%s is not what was published: its SHA-256 is %s, expected %s; the part was"
                                        + " deleted, and the same command fetches it again")
                                .formatted(file.address(), sum, expected));
            }
            part.complete();
            return new Done(sum, expected != null);
        }
    }

    /** One file's attempts. */
    private final class Attempts {
        private final RemoteFile file;
        private final Path target;
        private final PartFile part;
        private @Nullable String sha256;
        private long size;
        private boolean answered;

        Attempts(RemoteFile file, Path target, PartFile part) {
            this.file = file;
            this.target = target;
            this.part = part;
            this.sha256 = file.sha256();
            this.size = file.size();
        }

        /** Fills the part; the checksum that it is to have, if any is known. */
        @Nullable
        String run() throws IOException, InterruptedException {
            int failed = 0;
            while (true) {
                long before = part.length();
                try {
                    if (size > 0 && before > size) {
                        part.restart();
                    }
                    if (size == 0 || part.length() < size) {
                        ask();
                    }
                    return sha256;
                } catch (DownloadException e) {
                    throw e;
                } catch (Refused e) {
                    if (!e.passes) {
                        throw new DownloadException(e.getMessage() + left(), e);
                    }
                    failed = part.length() > before ? 1 : failed + 1;
                    pause(failed, e, String.valueOf(e.getMessage()), e.wait);
                } catch (IOException e) {
                    if (Failures.isLasting(e)) {
                        throw new DownloadException(
                                Failures.words(file.address(), web.way(file.address()), e) + left(), e);
                    }
                    failed = part.length() > before ? 1 : failed + 1;
                    pause(failed, e, Failures.words(file.address(), web.way(file.address()), e), Duration.ZERO);
                }
            }
        }

        private void pause(int failed, IOException cause, String words, Duration asked)
                throws IOException, InterruptedException {
            // What was never reached is hardly there a quarter of a minute later.
            int attempts = !answered && Failures.isUnreachable(cause) ? patience.attempts() / 2 : patience.attempts();
            if (failed >= attempts) {
                throw new DownloadException(words + left(), cause);
            }
            Duration wait = patience.before(failed);
            wait = asked.compareTo(wait) > 0 ? asked : wait;
            watcher.retry(words, wait);
            Thread.sleep(wait);
        }

        /** What an error ends with. */
        private String left() throws IOException {
            long there = part.length();
            return there == 0
                    ? ""
                    : "; %s keeps %s, and the same command goes on from there"
                            .formatted(PartFile.partOf(target), RemoteFile.words(there));
        }

        private void ask() throws IOException, InterruptedException {
            String validator = part.validator();
            long from = part.length();
            if (from > 0 && validator == null && sha256 == null) {
                from = 0; // nothing would tell whether the bytes belong together
            }
            Answer answer = web.get(file.address(), from, validator);
            answered = true;
            try (InputStream body = answer.response().body()) {
                learn(answer);
                switch (answer.status()) {
                    case 200 -> {
                        part.restart();
                        begin(answer);
                    }
                    case 206 -> {
                        if (answer.rangeStart() != from) {
                            part.restart();
                            throw new Refused("the server sent other bytes than it was asked for", true);
                        }
                        requireSize(answer);
                    }
                    case 416 -> {
                        // All bytes are there, or too many.
                        if (size == 0 || part.length() != size) {
                            part.restart();
                            throw new Refused("the server has no bytes from %d on".formatted(from), true);
                        }
                        return;
                    }
                    default -> throw Refused.of(file.address(), answer);
                }
                requireSpace();
                copy(body);
            }
        }

        /** What the hub says before it redirects holds where nothing was known beforehand. */
        private void learn(Answer answer) {
            sha256 = sha256 == null ? answer.linkedSha256() : sha256;
            size = size == 0 ? answer.linkedSize() : size;
            if (answer.status() == 200 || answer.status() == 416) {
                size = size == 0 ? answer.totalSize() : size;
            }
        }

        private void begin(Answer answer) throws IOException {
            requireSize(answer);
            part.note(answer.validator(), answer.totalSize());
        }

        private void requireSize(Answer answer) throws IOException {
            long told = answer.totalSize();
            long wanted = size != 0 ? size : part.size();
            if (told != 0 && wanted != 0 && told != wanted) {
                part.restart();
                throw new DownloadException("%s has %d bytes, expected %d: it is not what was published"
                        .formatted(file.address(), told, wanted));
            }
            size = wanted != 0 ? wanted : told;
        }

        private void requireSpace() throws IOException {
            Path folder = target.toAbsolutePath().getParent();
            long free = Files.getFileStore(folder).getUsableSpace();
            long missing = size - part.length();
            if (missing > free) {
                throw new DownloadException(
                        "%s needs %s more and %s has %s free; make room or give another folder with --output"
                                .formatted(file.name(), RemoteFile.words(missing), folder, RemoteFile.words(free)));
            }
        }

        private void copy(InputStream body) throws IOException {
            byte[] buffer = new byte[BUFFER];
            long done = part.length();
            watcher.begin(file.name(), done, size);
            try (Watchdog watchdog = new Watchdog(body, patience.stall())) {
                while (true) {
                    int read = watchdog.read(buffer);
                    if (read < 0) {
                        break;
                    }
                    done += read;
                    if (size > 0 && done > size) {
                        part.restart();
                        throw new DownloadException(
                                "%s is longer than the %d bytes that it should have".formatted(file.address(), size));
                    }
                    try {
                        part.append(ByteBuffer.wrap(buffer, 0, read));
                    } catch (IOException e) {
                        throw new DownloadException(
                                "cannot write %s: %s%s".formatted(PartFile.partOf(target), e.getMessage(), left()), e);
                    }
                    watcher.progress(done, size);
                }
            }
            if (size > 0 && done < size) {
                throw new IOException("the connection ended early");
            }
        }
    }

    /** An answer that is no file. */
    private static final class Refused extends IOException {
        private static final long serialVersionUID = 1L;

        private final boolean passes;
        private final transient Duration wait;

        Refused(String message, boolean passes) {
            this(message, passes, Duration.ZERO);
        }

        private Refused(String message, boolean passes, Duration wait) {
            super(message);
            this.passes = passes;
            this.wait = wait;
        }

        static Refused of(URI address, Answer answer) {
            int status = answer.status();
            long seconds = answer.response()
                    .headers()
                    .firstValue("Retry-After")
                    .filter(text -> text.matches("\\d{1,4}"))
                    .map(Long::valueOf)
                    .orElse(0L);
            return new Refused(
                    Failures.words(address, status),
                    status >= 500 || status == 429 || status == 408,
                    Duration.ofSeconds(Math.min(seconds, 300)));
        }
    }
}
