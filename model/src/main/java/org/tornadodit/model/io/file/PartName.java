package org.tornadodit.model.io.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HexFormat;
import java.util.Set;
import java.util.UUID;

/**
 * Names of half-written files: as short whatever the file's name, and telling whose they are. Who writes one holds a lock on it,
 * so that one without is known to be left of a process that was killed.
 */
final class PartName {
    private static final String PREFIX = ".dit-";
    private static final String SUFFIX = ".part";

    private PartName() {}

    /** A new name in the file's folder. */
    static Path beside(Path file) {
        return WriteTarget.folderOf(file).resolve(prefix(file) + UUID.randomUUID() + SUFFIX);
    }

    /** Creates the part and locks it; the caller closes it. */
    static FileChannel create(Path part) throws IOException {
        while (true) {
            FileChannel channel = FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
            try {
                channel.lock();
            } catch (IOException noLocks) { // some network file systems have none; then nothing is cleaned up either
                return channel;
            }
            if (Files.exists(part)) {
                return channel;
            }
            channel.close(); // between creation and lock, another process took it for abandoned
        }
    }

    /** Deletes the parts of a file that no process writes any more. */
    static void deleteAbandoned(Path file, Set<Path> ours) throws IOException {
        // Letters, digits and hyphens only: nothing that a glob would interpret.
        deleteAbandoned(WriteTarget.folderOf(file), prefix(file) + "*" + SUFFIX, ours);
    }

    /** The same of all files of a folder. */
    static void deleteAbandonedIn(Path folder, Set<Path> ours) throws IOException {
        deleteAbandoned(folder, PREFIX + "*" + SUFFIX, ours);
    }

    private static void deleteAbandoned(Path folder, String glob, Set<Path> ours) throws IOException {
        try (DirectoryStream<Path> parts = Files.newDirectoryStream(folder, glob)) {
            for (Path part : parts) {
                // A second channel of this process would end the first one's lock.
                if (!ours.contains(part) && Files.isRegularFile(part, LinkOption.NOFOLLOW_LINKS)) {
                    deleteUnlocked(part);
                }
            }
        }
    }

    private static void deleteUnlocked(Path part) {
        try (FileChannel channel = FileChannel.open(part, StandardOpenOption.WRITE, LinkOption.NOFOLLOW_LINKS);
                FileLock lock = channel.tryLock()) {
            if (lock != null) {
                Files.deleteIfExists(part);
            }
        } catch (NoSuchFileException gone) {
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "another process cleaned up", gone);
        } catch (IOException | OverlappingFileLockException e) {
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "not cleaned up: " + part, e);
        }
    }

    /** Hidden, and of the file's name 64 bits of a digest: the name itself may be as long as names can be. */
    private static String prefix(Path file) {
        return PREFIX + HexFormat.of().formatHex(Sha256.of(String.valueOf(file.getFileName())), 0, 8) + "-";
    }
}
