package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.numpy.NpzStream;
import org.tornadodit.model.io.tensor.DType;
import org.tornadodit.model.metrics.RgbImage;
import org.tornadodit.runner.output.Outcome;
import org.tornadodit.runner.terminal.PermanentException;

/** Puts the pictures of a finished run into one {@code .npz}, as ADM's evaluator reads it: {@code arr_0}, uint8 (N, H, W, 3). */
final class Collector {
    private static final String ARRAY = "arr_0";
    private static final int AHEAD = 4;
    private static final int MOST_NAMED = 3;

    private final RunFolder folder;
    private final RunManifest manifest;
    private final PictureReader reader;
    private final AtomicInteger read = new AtomicInteger();

    /** @throws PermanentException when the folder is no run's */
    Collector(RunFolder folder) throws IOException {
        if (!Files.isRegularFile(folder.manifest())) {
            throw new PermanentException("%s has no %s: it is no folder of ./dit bulk"
                    .formatted(Printable.path(folder.path()), RunManifest.NAME));
        }
        this.folder = folder;
        this.manifest = RunManifest.read(folder.manifest());
        this.reader = new PictureReader(folder, manifest);
    }

    /** Pictures of the run. */
    int total() {
        return manifest.numSamples();
    }

    /** Pictures that are read so far. */
    int read() {
        return read.get();
    }

    /** Where the checksum of a file is, as {@code sha256sum -c} reads it. */
    static Path checksumOf(Path npz) {
        return npz.resolveSibling(npz.getFileName() + ".sha256");
    }

    /**
     * Reads every picture, and writes the file, whole or not at all, and its checksum beside it.
     *
     * @return the checksum
     * @throws IOException when pictures are missing or damaged, or the file cannot be written
     * @throws PermanentException when a file of the folder is none of the run's
     */
    String collect(Path npz) throws IOException {
        requireAll();
        long side = manifest.imageSize();
        Shape shape = Shape.of(total(), side, side, RgbImage.CHANNELS);
        Files.deleteIfExists(checksumOf(npz)); // that of an older file
        String checksum = NpzStream.write(npz, ARRAY, DType.U8, shape, this::writePictures);
        String line = checksum + "  " + npz.getFileName() + "\n";
        AtomicFile.write(checksumOf(npz), out -> out.write(line.getBytes(StandardCharsets.UTF_8)));
        return checksum;
    }

    private void requireAll() throws IOException {
        BitSet missing = new BitSet();
        missing.set(0, total());
        missing.andNot(folder.pictures(total()));
        if (!missing.isEmpty()) {
            throw new IOException("%d of %d pictures of %s are missing, the first is %s; ./dit bulk makes them"
                    .formatted(
                            missing.cardinality(),
                            total(),
                            Printable.path(folder.path()),
                            RunFolder.name(missing.nextSetBit(0))));
        }
    }

    private void writePictures(OutputStream out) throws IOException {
        int[] labels = new int[total()];
        List<String> torn = new ArrayList<>();
        int threads = Runtime.getRuntime().availableProcessors();
        try (ExecutorService readers = Executors.newFixedThreadPool(
                threads, Thread.ofPlatform().daemon().name("picture-reader-", 0).factory())) {
            Deque<Future<PictureReader.Whole>> ahead = new ArrayDeque<>();
            int asked = 0;
            try {
                for (int number = 0; number < labels.length; number++) {
                    for (; asked < labels.length && ahead.size() < AHEAD * threads; asked++) {
                        int picture = asked;
                        ahead.add(readers.submit(() -> reader.read(picture)));
                    }
                    try {
                        PictureReader.Whole whole = Outcome.of(ahead.removeFirst());
                        labels[number] = whole.label();
                        if (torn.isEmpty()) {
                            out.write(whole.image().levels());
                        }
                    } catch (TornPictureException e) {
                        torn.add(e.getMessage());
                    }
                    read.incrementAndGet();
                }
            } finally {
                ahead.forEach(future -> future.cancel(false));
            }
        }
        if (!torn.isEmpty()) {
            throw new IOException("%d of %d pictures are damaged: %s%s; ./dit bulk makes them again"
                    .formatted(
                            torn.size(),
                            total(),
                            String.join("; ", torn.subList(0, Math.min(MOST_NAMED, torn.size()))),
                            torn.size() > MOST_NAMED ? "; ..." : ""));
        }
        if (!Labels.sha256(labels).equals(manifest.labelsSha256())) {
            throw new PermanentException("the pictures of %s tell other classes than its %s: they are another run's"
                    .formatted(Printable.path(folder.path()), RunManifest.NAME));
        }
    }
}
