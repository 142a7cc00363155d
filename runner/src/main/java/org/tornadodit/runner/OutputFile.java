package org.tornadodit.runner;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** A file that a command is going to write. */
final class OutputFile {

    private OutputFile() {}

    /**
     * Refuses the suffix of another format.
     *
     * @param option that names the file
     * @param file nothing is asked of null, nor of a name without a suffix
     * @param suffix of the one format that is written
     * @throws IllegalArgumentException naming option, file and format
     */
    static void requireSuffix(String option, @Nullable Path file, String suffix) {
        Path last = file == null ? null : file.getFileName();
        String name = last == null ? "" : last.toString();
        if (name.lastIndexOf('.') > 0 && !name.toLowerCase(Locale.ROOT).endsWith(suffix)) {
            throw new IllegalArgumentException(
                    "%s is %s; it is written as %s alone: give a name that ends in %s, or has no suffix"
                            .formatted(option, file, suffix.substring(1).toUpperCase(Locale.ROOT), suffix));
        }
    }

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
}
