package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * What has arrived of a file: {@code NAME.part} beside it, and in {@code NAME.part.source} what the bytes belong to, so
 * that a later run can go on. Locked, so that two runs do not write into one.
 */
final class PartFile implements AutoCloseable {
    private final Path target;
    private final Path part;
    private final Path source;
    private final FileChannel channel;

    private PartFile(Path target, FileChannel channel) {
        this.target = target;
        this.part = partOf(target);
        this.source = target.resolveSibling(target.getFileName() + ".part.source");
        this.channel = channel;
    }

    static Path partOf(Path target) {
        return target.resolveSibling(target.getFileName() + ".part");
    }

    /** @throws IOException when it cannot be written, or another process is at it */
    static PartFile open(Path target) throws IOException {
        Path part = partOf(target);
        FileChannel channel;
        try {
            Files.createDirectories(target.toAbsolutePath().getParent());
            channel = FileChannel.open(
                    part, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
        } catch (IOException e) {
            throw new DownloadException(
                    "cannot write %s: %s; give another folder with --output".formatted(part, reason(e)), e);
        }
        try {
            if (channel.tryLock() != null) {
                return new PartFile(target, channel);
            }
        } catch (OverlappingFileLockException ownProcess) {
            // Answered below.
        } catch (IOException unsupported) {
            return new PartFile(target, channel); // some network file systems know no locks
        }
        channel.close();
        throw new DownloadException("another download is writing %s; wait for it or stop it".formatted(part));
    }

    private static String reason(IOException e) {
        return e instanceof java.nio.file.AccessDeniedException
                ? "no permission"
                : e instanceof java.nio.file.FileAlreadyExistsException
                        ? "a file is in the folder's place"
                        : String.valueOf(e.getMessage());
    }

    /** Bytes that are there. */
    long length() throws IOException {
        return channel.size();
    }

    /** Adds bytes at the end. */
    void append(ByteBuffer bytes) throws IOException {
        long at = channel.size();
        while (bytes.hasRemaining()) {
            at += channel.write(bytes, at);
        }
    }

    /** Throws away what is there. */
    void restart() throws IOException {
        channel.truncate(0);
        Files.deleteIfExists(source);
    }

    /** What the server called the version that the bytes are of; null where nothing is known. */
    @Nullable
    String validator() {
        return property("validator");
    }

    /** The size that the server told of that version; 0 where it is not known. */
    long size() {
        String size = property("size");
        return size != null && size.matches("\\d{1,18}") ? Long.parseLong(size) : 0;
    }

    private @Nullable String property(String key) {
        Properties properties = new Properties();
        try (Reader reader = Files.newBufferedReader(source)) {
            properties.load(reader);
        } catch (IOException | IllegalArgumentException absent) {
            return null;
        }
        return properties.getProperty(key);
    }

    /** Notes what the bytes to come are of. */
    void note(@Nullable String validator, long size) throws IOException {
        Properties properties = new Properties();
        if (validator != null) {
            properties.setProperty("validator", validator);
        }
        properties.setProperty("size", String.valueOf(size));
        try (Writer writer = Files.newBufferedWriter(source)) {
            properties.store(writer, "what " + part.getFileName() + " is a part of");
        }
    }

    /** Gives the file its name. */
    void complete() throws IOException {
        channel.force(true);
        channel.close(); // an open file cannot be renamed everywhere
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        }
        Files.deleteIfExists(source);
    }

    /** Deletes it. */
    void discard() throws IOException {
        channel.close();
        Files.deleteIfExists(part);
        Files.deleteIfExists(source);
    }

    /** Leaves the bytes for another time; a part without any is of no use. */
    @Override
    public void close() throws IOException {
        if (channel.isOpen()) {
            boolean empty = channel.size() == 0;
            channel.close();
            if (empty) {
                Files.deleteIfExists(part);
                Files.deleteIfExists(source);
            }
        }
    }
}
