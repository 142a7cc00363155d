package org.tornadodit.model.io;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/** Writes a file under a temporary name beside it, then renames it: readers see the old file or the whole new one. */
public final class AtomicFile {

    /** What is to be in the file. */
    public interface Content {
        void writeTo(OutputStream out) throws IOException;
    }

    /** Parts that are being written; of the process, as the signal is that ends it. */
    private static final Set<Path> UNFINISHED = ConcurrentHashMap.newKeySet();

    private AtomicFile() {}

    /** Deletes what is half-written, of a process that is about to halt without its shutdown hooks. */
    public static void discardUnfinished() {
        UNFINISHED.forEach(AtomicFile::deleteQuietly);
    }

    /** Writes the file; on failure, and when the process is stopped, the old one stays, and no part of the new one. */
    public static void write(Path file, Content content) throws IOException {
        Path target = file.toAbsolutePath();
        // Not createTempFile: its files are readable by the owner alone, and the mode survives the renaming.
        Path part = target.resolveSibling("." + target.getFileName() + "." + UUID.randomUUID() + ".part");
        Thread cleanUp = new Thread(() -> deleteQuietly(part));
        Runtime.getRuntime().addShutdownHook(cleanUp); // Ctrl-C while writing leaves no part behind
        UNFINISHED.add(part);
        try {
            try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(part), 1 << 16)) {
                content.writeTo(out);
            }
            try {
                Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            deleteQuietly(part);
            UNFINISHED.remove(part);
            try {
                Runtime.getRuntime().removeShutdownHook(cleanUp);
            } catch (IllegalStateException shuttingDown) {
                cleanUp.interrupt(); // the hook is running and deletes the part
            }
        }
    }

    private static void deleteQuietly(Path part) {
        try {
            Files.deleteIfExists(part);
        } catch (IOException e) {
            System.getLogger("dit").log(System.Logger.Level.WARNING, "left behind: " + part, e);
        }
    }
}
