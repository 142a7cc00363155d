package org.tornadodit.model.io.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.nio.file.attribute.FileTime;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** The mapped files of one checkpoint, and how they were when they were opened. Closing unmaps them. */
public final class MappedFiles implements AutoCloseable {

    /**
     * What tells that a file was written to.
     *
     * @param key device and inode, where the system tells them
     */
    private record Version(
            long size, FileTime modified, @Nullable Object key) {
        static Version of(Path file) throws IOException {
            BasicFileAttributes found = Files.readAttributes(file, BasicFileAttributes.class);
            return new Version(found.size(), found.lastModifiedTime(), found.fileKey());
        }

        /** Another file of the same name leaves the one that is mapped as it was. */
        boolean isReplacedBy(Version now) {
            return key != null && !Objects.equals(key, now.key);
        }

        /** A record's own equals costs its first caller 50 ms: it is linked at run time. */
        boolean isSameAs(Version now) {
            return size == now.size && modified.equals(now.modified) && Objects.equals(key, now.key);
        }
    }

    private final Arena arena;
    private final Map<Path, Version> opened = new LinkedHashMap<>();

    @SuppressWarnings("MustBeClosedChecker") // closed with this
    public MappedFiles() {
        this(Arena.ofShared());
    }

    private MappedFiles(Arena arena) {
        this.arena = arena;
    }

    /**
     * Makes something of a file, which stays mapped as long as that refers to it.
     *
     * @throws CheckpointException when the file was truncated or written to meanwhile, whatever the work ended in
     */
    @SuppressWarnings("MustBeClosedChecker") // the collector unmaps it
    public static <T> T parse(Path file, Function<MemorySegment, T> parser) {
        MappedFiles files = new MappedFiles(Arena.ofAuto());
        MemorySegment content = files.map(file);
        T result;
        try {
            result = parser.apply(content);
        } catch (RuntimeException | Error failure) { // a page that is gone is an InternalError
            files.requireUnchanged();
            throw failure;
        }
        files.requireUnchanged();
        return result;
    }

    /** Holds the mappings, and what is converted of them. */
    public Arena arena() {
        return arena;
    }

    /** The whole file, mapped read-only. */
    public MemorySegment map(Path file) {
        MappedFile.requireFile(file);
        try {
            Version before = Version.of(file);
            MemorySegment content = MappedFile.map(file, arena);
            requireSame(file, before, Version.of(file));
            opened.put(file, before);
            return content;
        } catch (IOException e) {
            throw MappedFile.unreadable(file, e);
        }
    }

    /**
     * Passes where every file is as it was opened, or was replaced by another or deleted, which the mapping outlives.
     *
     * @throws CheckpointException when one was truncated or written to
     */
    public void requireUnchanged() {
        for (Map.Entry<Path, Version> each : opened.entrySet()) {
            Path file = each.getKey();
            Version before = each.getValue();
            try {
                Version now = Version.of(file);
                if (!before.isReplacedBy(now)) {
                    requireSame(file, before, now);
                }
            } catch (NoSuchFileException deleted) {
                // Its blocks stay until they are unmapped.
            } catch (IOException e) {
                throw MappedFile.unreadable(file, e);
            }
        }
    }

    private static void requireSame(Path file, Version before, Version now) {
        if (before.size() != now.size()) {
            throw Refusal.of(
                    file,
                    "the file changed while it was read: expected %d bytes as at the beginning, found %d; begin again when it is complete"
                            .formatted(before.size(), now.size()));
        }
        if (!before.isSameAs(now)) {
            throw Refusal.of(
                    file,
                    "the file changed while it was read: expected it as of %s, found it written at %s; begin again when it is complete"
                            .formatted(before.modified(), now.modified()));
        }
    }

    @Override
    public void close() {
        if (arena.scope().isAlive()) {
            arena.close();
        }
    }
}
