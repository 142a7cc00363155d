package org.tornadodit.model.io.file;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * What the name of an output leads to.
 *
 * @param path with its symbolic links followed
 * @param replaced whether a new file takes the place of what is there; false for devices and pipes
 * @param exists whether there is a file whose mode and owner are to be kept
 */
record WriteTarget(Path path, boolean replaced, boolean exists) {
    /** As many as Linux follows. */
    private static final int MOST_LINKS = 40;

    /** Bits of a Unix mode that tell the kind of a file: stat(2). */
    private static final int KIND = 0170000;

    private static final int SOCKET = 0140000;
    private static final int BLOCK_DEVICE = 0060000;

    /** @throws IOException when nothing can be written there */
    static WriteTarget of(Path file) throws IOException {
        Path path = file.toAbsolutePath();
        for (int links = 0; ; links++) {
            if (links > MOST_LINKS) {
                throw new FileSystemLoopException(file.toString());
            }
            // The system follows what only looks like a link, as those of open files do.
            if (isOther(path)) {
                requireStream(path);
                return new WriteTarget(path, false, true);
            }
            BasicFileAttributes attributes;
            try {
                attributes = Files.readAttributes(path, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
            } catch (NoSuchFileException absent) {
                return new WriteTarget(path, true, false);
            }
            if (!attributes.isSymbolicLink()) {
                if (attributes.isDirectory()) {
                    throw new FileSystemException(path.toString(), null, "it is a folder; give a file name");
                }
                return new WriteTarget(path, true, true);
            }
            path = folderOf(path).resolve(Files.readSymbolicLink(path));
        }
    }

    static Path folderOf(Path file) {
        Path folder = file.toAbsolutePath().getParent();
        return folder == null ? file.toAbsolutePath() : folder;
    }

    private static boolean isOther(Path path) {
        try {
            return Files.readAttributes(path, BasicFileAttributes.class).isOther();
        } catch (IOException absent) {
            return false; // looked at again without following
        }
    }

    private static void requireStream(Path path) throws IOException {
        if (!unix(path)) {
            return;
        }
        int kind = (int) Files.getAttribute(path, "unix:mode") & KIND;
        if (kind == SOCKET || kind == BLOCK_DEVICE) {
            String what = kind == SOCKET ? "a socket" : "a block device";
            throw new FileSystemException(path.toString(), null, "it is " + what + "; give a file, or a pipe");
        }
    }

    /** Makes another file as readable as the one that it is to replace. */
    void giveModeTo(Path part) throws IOException {
        if (!exists || !unix(path)) {
            return;
        }
        Map<String, Object> old = Files.readAttributes(path, "unix:uid,gid");
        Map<String, Object> fresh = Files.readAttributes(part, "unix:uid,gid");
        for (String id : Set.of("gid", "uid")) {
            if (!Objects.equals(old.get(id), fresh.get(id))) {
                try {
                    Files.setAttribute(part, "unix:" + id, old.get(id));
                } catch (FileSystemException notAllowed) {
                    System.getLogger("dit").log(System.Logger.Level.DEBUG, "the owner is not kept", notAllowed);
                }
            }
        }
        Files.setPosixFilePermissions(part, Files.getPosixFilePermissions(path));
    }

    private static boolean unix(Path path) {
        return path.getFileSystem().supportedFileAttributeViews().contains("unix");
    }
}
