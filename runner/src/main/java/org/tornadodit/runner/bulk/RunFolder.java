package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.DiskError;
import org.tornadodit.runner.terminal.PermanentException;

/** The folder of a run: {@code 000000.png} and so on, {@code manifest.json}, and hidden files, which nobody looks at. */
record RunFolder(Path path) {
    private static final Pattern PICTURE = Pattern.compile("([0-9]{6})\\.png");

    /** Network file systems may keep a file's size for some seconds. */
    private static final long LONGEST_WAIT_NANOS = TimeUnit.SECONDS.toNanos(10);

    Path manifest() {
        return path.resolve(RunManifest.NAME);
    }

    Path picture(int number) {
        return path.resolve(name(number));
    }

    static String name(int number) {
        return String.format(Locale.ROOT, "%06d.png", number);
    }

    /** Makes the folder, and those above it. */
    void create() throws IOException {
        try {
            Files.createDirectories(path);
        } catch (FileAlreadyExistsException e) {
            throw new PermanentException("cannot write into " + Printable.path(path) + ": it is no folder", e);
        } catch (IOException e) {
            throw new IOException(
                    "cannot make the folder %s: %s".formatted(Printable.path(path), DiskError.reason(e)), e);
        }
    }

    /**
     * Has the manifest of this run in the folder.
     *
     * @throws PermanentException when another run's is there
     */
    void claim(RunManifest manifest) throws IOException {
        if (!Files.exists(manifest())) {
            requireNoPictures();
            manifest.create(manifest());
        }
        awaitContent();
        // Also what was just written: of workers that begin at once, the first one's stays.
        manifest.requireSame(RunManifest.read(manifest()), path);
    }

    /** Where the file system has no hard links, the manifest has nothing in it for an instant. */
    private void awaitContent() throws IOException {
        long start = System.nanoTime();
        while (Files.size(manifest()) == 0) {
            if (System.nanoTime() - start > LONGEST_WAIT_NANOS) {
                throw new PermanentException("%s is empty, as of a worker that was stopped while it began; delete it"
                        .formatted(Printable.path(manifest())));
            }
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new InterruptedIOException("interrupted while another worker begins");
            }
        }
    }

    private void requireNoPictures() throws IOException {
        BitSet pictures = pictures(PictureSeed.MOST_PICTURES);
        // Another worker of this run may have begun since.
        if (!pictures.isEmpty() && !Files.exists(manifest())) {
            throw new PermanentException("%s has pictures, such as %s, but no %s: they are another run's; give another"
                            .formatted(Printable.path(path), name(pictures.nextSetBit(0)), RunManifest.NAME)
                    + " --output");
        }
    }

    /**
     * Numbers of the pictures that are there, by their names alone.
     *
     * @param total pictures of the run
     * @throws PermanentException when there is a file that is none of a run's
     */
    BitSet pictures(int total) throws IOException {
        BitSet found = new BitSet(total);
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path)) {
            for (Path file : files) {
                String name = file.getFileName().toString();
                Matcher picture = PICTURE.matcher(name);
                if (picture.matches() && Integer.parseInt(picture.group(1)) < total && Files.isRegularFile(file)) {
                    found.set(Integer.parseInt(picture.group(1)));
                } else if (!name.startsWith(".") && !name.equals(RunManifest.NAME)) {
                    throw new PermanentException("%s is none of the %d pictures of this run; move it out of the folder"
                            .formatted(Printable.path(file), total));
                }
            }
        }
        return found;
    }

    /** How many pictures there are, by their names alone. */
    int count() throws IOException {
        int count = 0;
        try (DirectoryStream<Path> files = Files.newDirectoryStream(path, "[0-9]*.png")) {
            for (Path file : files) {
                count += PICTURE.matcher(file.getFileName().toString()).matches() ? 1 : 0;
            }
        }
        return count;
    }

    /** Deletes what killed workers left half-written. */
    void cleanUp() throws IOException {
        AtomicFile.deleteAbandoned(path);
    }
}
