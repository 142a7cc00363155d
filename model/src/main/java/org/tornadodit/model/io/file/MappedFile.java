package org.tornadodit.model.io.file;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/** Opens files for reading, with the errors users make as {@link CheckpointException}s. */
public final class MappedFile {

    private MappedFile() {}

    /** The whole file, mapped read-only; any size. */
    public static MemorySegment map(Path file, Arena arena) {
        requireFile(file);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size(), arena);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** The whole of a small file. */
    public static byte[] read(Path file, int largest) {
        requireFile(file);
        try (var in = Files.newInputStream(file)) {
            byte[] bytes = in.readNBytes(largest + 1);
            if (bytes.length > largest) {
                throw Refusal.of(file, "size", "at most " + largest + " bytes", "more");
            }
            return bytes;
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** Refuses what is missing, a folder, or a device or pipe, which could block or never end. */
    public static void requireFile(Path file) {
        if (Files.isDirectory(file)) {
            throw Refusal.of(file, "path", "a file", "a folder");
        }
        if (!Files.exists(file)) {
            throw Refusal.of(file, "no such file");
        }
        if (!Files.isRegularFile(file)) {
            throw Refusal.of(file, "path", "a regular file", "a device or pipe");
        }
    }

    public static CheckpointException unreadable(Path file, IOException e) {
        return switch (e) {
            case NoSuchFileException missing -> Refusal.of(file, "no such file", e);
            case AccessDeniedException denied -> Refusal.of(file, "no permission to read it", e);
            default -> Refusal.of(file, "cannot be read: " + Refusal.printable(String.valueOf(e.getMessage())), e);
        };
    }
}
