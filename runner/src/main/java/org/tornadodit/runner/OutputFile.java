package org.tornadodit.runner;

import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** A file that is there whole or not at all: written beside its place under another name, then renamed. */
final class OutputFile {

    /** Writes the content to the given path. */
    interface Content {
        void writeTo(Path path) throws IOException;
    }

    private OutputFile() {}

    /**
     * Refuses early what would fail only after minutes of sampling.
     *
     * @throws IOException when the folder does not exist or is not writable, or the path is a folder
     */
    static void requireWritable(Path path) throws IOException {
        Path absolute = path.toAbsolutePath();
        Path folder = absolute.getParent();
        if (folder == null || Files.isDirectory(absolute)) {
            throw new IOException("cannot write " + path + ": it is a folder; give a file name");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException("cannot write " + path + ": there is no folder " + folder + "; create it first");
        }
        if (Files.exists(absolute) && !Files.isWritable(absolute)) {
            throw new IOException("cannot write " + path + ": the file is read-only");
        }
        // Files.isWritable answers yes to root on read-only file systems: try.
        try {
            Files.delete(Files.createTempFile(folder, ".dit-", ".part"));
        } catch (IOException e) {
            throw new IOException("cannot write " + path + ": no permission to create files in " + folder, e);
        }
    }

    static void write(Path path, Content content) throws IOException {
        Path absolute = path.toAbsolutePath();
        // Not createTempFile: its files are readable by the owner alone, and the mode survives the renaming.
        Path part = absolute.resolveSibling("." + absolute.getFileName() + "." + UUID.randomUUID() + ".part");
        Thread cleanUp = new Thread(() -> deleteQuietly(part));
        Runtime.getRuntime().addShutdownHook(cleanUp); // Ctrl-C while writing leaves no part behind
        try {
            content.writeTo(part);
            try {
                Files.move(part, absolute, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } catch (AtomicMoveNotSupportedException e) {
                Files.move(part, absolute, StandardCopyOption.REPLACE_EXISTING);
            }
        } finally {
            deleteQuietly(part);
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
