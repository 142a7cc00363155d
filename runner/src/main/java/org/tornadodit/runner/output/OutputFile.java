package org.tornadodit.runner.output;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;

/** A file that a command is going to write. */
public final class OutputFile {
    /** Names of this process's stdout, which may be a file that the shell writes to: it must not be replaced. */
    private static final Set<String> STDOUT = Set.of("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1");

    /** Folders of weights are a few levels deep. */
    private static final int DEPTH = 4;

    private OutputFile() {}

    /** Whether the name stands for stdout. */
    public static boolean isStdout(Path path) {
        return STDOUT.contains(path.toString());
    }

    /**
     * Refuses the suffix of another format.
     *
     * @param option that names the file
     * @param file nothing is asked of null, nor of a name without a suffix
     * @param suffixes of the formats that are written
     * @throws IllegalArgumentException naming option, file and formats
     */
    public static void requireSuffix(String option, @Nullable Path file, String... suffixes) {
        Path last = file == null ? null : file.getFileName();
        String name = last == null ? "" : last.toString().toLowerCase(Locale.ROOT);
        if (name.lastIndexOf('.') > 0 && Arrays.stream(suffixes).noneMatch(name::endsWith)) {
            String all = String.join(" or ", suffixes);
            throw new IllegalArgumentException(
                    "%s is %s; it is written as %s alone: give a name that ends in %s, or has no suffix"
                            .formatted(
                                    option,
                                    file,
                                    all.replace(".", "")
                                            .toUpperCase(Locale.ROOT)
                                            .replace("OR", "or"),
                                    all));
        }
    }

    /**
     * Refuses early what would fail only after minutes of sampling.
     *
     * @throws IOException when the folder does not exist or is not writable, or the path is a folder
     */
    public static void requireWritable(Path path) throws IOException {
        String name = Printable.path(path);
        if (isStdout(path)) {
            throw new IOException("cannot write " + name + ": only the picture of sample --output goes to stdout");
        }
        Path absolute = path.toAbsolutePath();
        Path folder = absolute.getParent();
        if (folder == null || Files.isDirectory(absolute)) {
            throw new IOException("cannot write " + name + ": it is a folder; give a file name");
        }
        if (!Files.isDirectory(folder)) {
            throw new IOException(
                    "cannot write " + name + ": there is no folder " + Printable.path(folder) + "; create it first");
        }
        if (Files.exists(absolute) && !Files.isWritable(absolute)) {
            throw new IOException("cannot write " + name + ": the file is read-only");
        }
        AtomicFile.tryOut(path);
    }

    /**
     * Refuses an output that a command reads, by whatever name: other links to it too.
     *
     * @param inputs files, and folders with all that is in them; those that do not exist are passed over
     * @throws IOException when the output is one of them
     */
    public static void requireNoInput(Path output, Collection<Path> inputs) throws IOException {
        if (!Files.isRegularFile(output)) {
            return;
        }
        for (Path input : inputs) {
            for (Path file : filesOf(input)) {
                if (Files.isSameFile(file, output)) {
                    throw new IOException("cannot write " + Printable.path(output) + ": it is read by this command, as "
                            + Printable.path(file) + "; give another name");
                }
            }
        }
    }

    private static List<Path> filesOf(Path input) throws IOException {
        if (!Files.isDirectory(input)) {
            return Files.exists(input) ? List.of(input) : List.of();
        }
        try (Stream<Path> files = Files.walk(input, DEPTH, FileVisitOption.FOLLOW_LINKS)) {
            return files.filter(Files::isRegularFile).toList();
        } catch (UncheckedIOException unreadable) {
            throw unreadable.getCause();
        }
    }
}
