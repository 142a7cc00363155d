package org.tornadodit.model.io.file;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.FileSystemLoopException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** What an {@link IOException} says, in words. */
public final class DiskError {

    private DiskError() {}

    /** {@code FILE: REASON} where the exception names its file, or else the reason alone. */
    public static String of(IOException error) {
        String file = error instanceof FileSystemException named ? named.getFile() : null;
        return file == null ? reason(error) : file + ": " + reason(error);
    }

    /** The reason alone: {@code no permission}, {@code No space left on device}. */
    public static String reason(IOException error) {
        return switch (error) {
            case AccessDeniedException denied -> "no permission";
            case NoSuchFileException missing -> "no such file or folder";
            case FileAlreadyExistsException there -> "it exists";
            case NotDirectoryException file -> "not a folder";
            case FileSystemLoopException loop -> "symbolic links that lead in a circle";
            case FileSystemException other when other.getReason() != null -> other.getReason();
            default -> error.getMessage() == null ? "input or output failed" : error.getMessage();
        };
    }
}
