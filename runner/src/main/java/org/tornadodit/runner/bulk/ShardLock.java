package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.DiskError;

/**
 * A worker's hold on its shard: a lock of the operating system, which ends with the process however that ends. Where the file
 * system has none, two workers may make the same pictures, which are the same bytes.
 */
final class ShardLock implements AutoCloseable {
    private static final String FOLDER = ".shards";
    private static final Pattern NAME = Pattern.compile("([0-9]+)-of-([0-9]+)\\.lock");
    private static final int LONGEST_HOLDER = 300;

    private final @Nullable FileChannel held;

    private ShardLock(@Nullable FileChannel held) {
        this.held = held;
    }

    /**
     * Takes the shard.
     *
     * @param environment of the process, which may tell of its job
     * @param report takes a line where the file system has no locks
     * @throws IOException when another worker has it, or others divide the run otherwise
     */
    static ShardLock take(RunFolder folder, Shard shard, Map<String, String> environment, Consumer<String> report)
            throws IOException {
        Path locks = Files.createDirectories(folder.path().resolve(FOLDER));
        Path file = locks.resolve("%d-of-%d.lock".formatted(shard.index(), shard.count()));
        FileChannel channel =
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        boolean kept = false;
        try {
            FileLock lock = tryLock(channel);
            if (lock == null) {
                throw new IOException("shard %s of %s is being made by another worker, %s; stop it, or wait for its end"
                        .formatted(shard, Printable.path(folder.path()), holder(file)));
            }
            channel.truncate(0);
            channel.write(ByteBuffer.wrap(self(environment).getBytes(StandardCharsets.UTF_8)));
            requireNoOtherDivision(folder, locks, shard);
            kept = true;
            return new ShardLock(channel);
        } catch (NoLocksException e) {
            report.accept("the file system of %s has no locks (%s): that two workers have one shard would not be seen"
                    .formatted(Printable.path(folder.path()), e.getMessage()));
            return new ShardLock(null);
        } finally {
            if (!kept) {
                channel.close();
            }
        }
    }

    private static final class NoLocksException extends IOException {
        private static final long serialVersionUID = 1L;

        NoLocksException(IOException cause) {
            super(DiskError.reason(cause), cause);
        }
    }

    private static @Nullable FileLock tryLock(FileChannel channel) throws NoLocksException {
        try {
            return channel.tryLock();
        } catch (OverlappingFileLockException thisProcess) {
            return null;
        } catch (IOException e) {
            throw new NoLocksException(e);
        }
    }

    /** Workers that divide the run into another number of shards would make this one's pictures too. */
    private static void requireNoOtherDivision(RunFolder folder, Path locks, Shard shard) throws IOException {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(locks, "*.lock")) {
            for (Path file : files) {
                Matcher name = NAME.matcher(file.getFileName().toString());
                if (!name.matches() || name.group(2).equals(String.valueOf(shard.count()))) {
                    continue;
                }
                try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
                    if (tryLock(channel) == null) {
                        throw new IOException(
                                "%s is being made in %s shards, not %d: shard %s by %s; stop it, or wait for its end"
                                        .formatted(
                                                Printable.path(folder.path()),
                                                name.group(2),
                                                shard.count(),
                                                name.group(1),
                                                holder(file)));
                    }
                }
            }
        }
    }

    private static String self(Map<String, String> environment) {
        String job = environment.get("SLURM_JOB_ID");
        return "process %d on %s%s since %s"
                .formatted(
                        ProcessHandle.current().pid(),
                        host(environment),
                        job == null ? "" : ", job " + job + ",",
                        Instant.now().truncatedTo(ChronoUnit.SECONDS));
    }

    private static String host(Map<String, String> environment) {
        try {
            return Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
        } catch (IOException notLinux) {
            return environment.getOrDefault("HOSTNAME", "an unknown host");
        }
    }

    private static String holder(Path file) {
        try {
            String text = Files.readString(file);
            return text.isBlank() ? "which does not say who it is" : Printable.text(text, LONGEST_HOLDER);
        } catch (IOException e) {
            return "which does not say who it is";
        }
    }

    @Override
    public void close() throws IOException {
        if (held != null) {
            held.close();
        }
    }
}
