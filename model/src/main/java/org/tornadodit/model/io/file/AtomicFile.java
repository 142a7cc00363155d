package org.tornadodit.model.io.file;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.tornadodit.model.Printable;

/**
 * Writes a file under a temporary name beside it, then renames it: readers see the old file or the whole new one, after a
 * power failure too. Symbolic links are followed and stay; mode and owner of the old file are kept. Devices and pipes
 * are written to, not replaced.
 */
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

    /**
     * Does all that {@link #write} will do but for the content and the renaming, and deletes what killed processes left
     * of this file.
     *
     * @throws IOException when the file could not be written, naming it and the reason
     */
    public static void tryOut(Path file) throws IOException {
        try {
            WriteTarget target = WriteTarget.of(file);
            if (target.replaced()) {
                PartName.deleteAbandoned(target.path(), UNFINISHED);
                writePart(target, out -> {}, (part, path) -> false, false);
            }
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    /** Deletes what killed processes left half-written in a folder; what others are writing stays. */
    public static void deleteAbandoned(Path folder) throws IOException {
        PartName.deleteAbandonedIn(folder, UNFINISHED);
    }

    /**
     * Writes the file; on failure, and when the process is stopped, the old one stays, and no part of the new one.
     *
     * @throws IOException naming the file and the reason
     */
    public static void write(Path file, Content content) throws IOException {
        write(file, content, true);
    }

    /**
     * As above, without waiting for the disk, which takes milliseconds: a power failure may leave the new file torn, for who
     * looks at files before taking them.
     */
    public static void writeUnforced(Path file, Content content) throws IOException {
        write(file, content, false);
    }

    /**
     * Writes a file where there is none; of several processes that do, the first one's stays, and the others see it whole. On
     * file systems without hard links, it may be seen empty for an instant.
     *
     * @return false where there was one, which stays
     * @throws IOException naming the file and the reason
     */
    public static boolean create(Path file, Content content) throws IOException {
        return create(file, content, AtomicFile::linkOrReserve);
    }

    static boolean create(Path file, Content content, Naming naming) throws IOException {
        try {
            WriteTarget target = WriteTarget.of(file);
            return !target.exists() && writePart(target, content, naming, true);
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static void write(Path file, Content content, boolean force) throws IOException {
        try {
            WriteTarget target = WriteTarget.of(file);
            if (target.replaced()) {
                writePart(target, content, AtomicFile::replace, force);
            } else {
                try (OutputStream out =
                        new BufferedOutputStream(Files.newOutputStream(target.path(), StandardOpenOption.WRITE))) {
                    content.writeTo(out);
                }
            }
        } catch (IOException e) {
            throw failure(file, e);
        }
    }

    private static IOException failure(Path file, IOException e) {
        return new IOException("cannot write " + Printable.path(file) + ": " + DiskError.reason(e), e);
    }

    private static boolean writePart(WriteTarget target, Content content, Naming naming, boolean force)
            throws IOException {
        boolean named;
        Path part = PartName.beside(target.path());
        Thread cleanUp = new Thread(() -> deleteQuietly(part));
        Runtime.getRuntime().addShutdownHook(cleanUp); // Ctrl-C while writing leaves no part behind
        UNFINISHED.add(part);
        try (FileChannel channel = PartName.create(part)) {
            target.giveModeTo(part);
            // Not closed: the lock that tells other processes of us ends with the channel, after the renaming.
            OutputStream out = new BufferedOutputStream(Channels.newOutputStream(channel), 1 << 16);
            content.writeTo(out);
            out.flush();
            if (force) {
                channel.force(true); // or a power failure could leave the new name with nothing in it
            }
            named = naming.give(part, target.path());
        } finally {
            deleteQuietly(part);
            UNFINISHED.remove(part);
            try {
                Runtime.getRuntime().removeShutdownHook(cleanUp);
            } catch (IllegalStateException shuttingDown) {
                cleanUp.interrupt(); // the hook is running and deletes the part
            }
        }
        if (named && force) {
            forceFolder(target.path());
        }
        return named;
    }

    /** Gives a file that is whole its name. */
    interface Naming {
        /** @return whether the name is this file's now */
        boolean give(Path part, Path target) throws IOException;
    }

    private static boolean replace(Path part, Path target) throws IOException {
        move(part, target);
        return true;
    }

    static boolean linkOrReserve(Path part, Path target) throws IOException {
        try {
            Files.createLink(target, part); // unlike renaming, it never replaces
            return true;
        } catch (FileAlreadyExistsException another) {
            return false;
        } catch (IOException | UnsupportedOperationException noLinks) { // as on FAT and some network file systems
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "no hard link: " + target, noLinks);
            return reserve(part, target);
        }
    }

    /** Who creates the name, with nothing in it, is the only one to put a file there. */
    static boolean reserve(Path part, Path target) throws IOException {
        try {
            Files.createFile(target);
        } catch (FileAlreadyExistsException another) {
            return false;
        }
        try {
            move(part, target);
        } catch (IOException e) {
            deleteQuietly(target);
            throw e;
        }
        return true;
    }

    private static void move(Path part, Path target) throws IOException {
        try {
            Files.move(part, target, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(part, target, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    /** Makes the new name last; not every system lets a folder be opened. */
    private static void forceFolder(Path file) {
        try (FileChannel folder = FileChannel.open(WriteTarget.folderOf(file), StandardOpenOption.READ)) {
            folder.force(true);
        } catch (IOException e) {
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "the folder was not synchronised: " + file, e);
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
