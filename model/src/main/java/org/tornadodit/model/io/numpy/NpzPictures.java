package org.tornadodit.model.io.numpy;

import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Optional;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.DType;

/**
 * The pictures of an {@code .npz} as ADM's evaluator takes them, {@code arr_0}, uint8 (N, H, W, 3), read a few at a time, stored or
 * deflated; and statistics beside them. The checksum is compared at the end.
 */
public final class NpzPictures implements AutoCloseable {
    private static final String PICTURES = "arr_0.npy";
    private static final int CHANNELS = 3;
    /** More than the largest array of statistics, 2048 x 2048 in float64. */
    private static final long MOST_STATISTICS = 64L << 20;

    private static final int LONGEST_SIDE = 4096;

    private final Path file;
    private final ZipFile zip;
    private final @Nullable ZipEntry entry;
    private final @Nullable CheckedInputStream stream;
    private final long count;
    private final int height;
    private final int width;
    private long done;

    /** @throws CheckpointException when the file is no such archive */
    public NpzPictures(Path file) {
        this.file = file;
        ZipFile opened = null;
        try {
            opened = new ZipFile(file.toFile());
            zip = opened;
            entry = zip.getEntry(PICTURES);
            if (entry == null) {
                stream = null;
                count = 0;
                height = 0;
                width = 0;
                return;
            }
            InputStream bytes = zip.getInputStream(entry);
            stream = new CheckedInputStream(bytes, new CRC32());
            NpyHeader header = NpyHeader.read(stream);
            int rank = header.shape().rank();
            if (header.dtype() != DType.U8
                    || header.fortranOrder()
                    || rank != 4
                    || header.shape().dim(3) != CHANNELS
                    || header.shape().elements() == 0
                    || header.shape().dim(1) > LONGEST_SIDE
                    || header.shape().dim(2) > LONGEST_SIDE) {
                throw Refusal.of(
                        file, PICTURES, "uint8 pictures (N, H, W, 3)", header.dtype() + " of shape " + header.shape());
            }
            count = header.shape().dim(0);
            height = (int) header.shape().dim(1);
            width = (int) header.shape().dim(2);
            if (entry.getSize() >= 0
                    && entry.getSize() != header.size() + header.shape().elements()) {
                throw Refusal.of(
                        file,
                        PICTURES,
                        header.size() + header.shape().elements() + " bytes for shape " + header.shape(),
                        entry.getSize() + " bytes");
            }
        } catch (IOException e) {
            close(opened);
            throw Refusal.of(file, "cannot be read as .npz: " + Refusal.printable(String.valueOf(e.getMessage())), e);
        } catch (RuntimeException e) {
            close(opened);
            throw e;
        }
    }

    private static void close(@Nullable ZipFile opened) {
        if (opened != null) {
            try {
                opened.close();
            } catch (IOException e) {
                throw new CheckpointException(e.toString(), e);
            }
        }
    }

    /** Whether there are pictures, not only statistics. */
    public boolean hasPictures() {
        return entry != null;
    }

    /** N. */
    public long count() {
        return count;
    }

    /** H. */
    public int height() {
        return height;
    }

    /** W. */
    public int width() {
        return width;
    }

    /** Bytes of a picture. */
    public int pictureBytes() {
        return height * width * CHANNELS;
    }

    /**
     * Reads the next pictures.
     *
     * @param into room for some
     * @return how many; 0 at the end, when all are whole
     * @throws CheckpointException when the file is cut off or damaged
     */
    public int read(byte[] into) {
        CheckedInputStream from = stream;
        if (from == null || entry == null) {
            return 0;
        }
        int wanted = (int) Math.min(into.length / pictureBytes(), count - done);
        try {
            new DataInputStream(from).readFully(into, 0, wanted * pictureBytes());
            done += wanted;
            if (done == count && wanted > 0) {
                if (from.read() >= 0) {
                    throw new IOException("more bytes than pictures");
                }
                long found = from.getChecksum().getValue();
                if (entry.getCrc() >= 0 && entry.getCrc() != found) {
                    throw new IOException(
                            "the file is damaged: expected CRC-32 %08x, found %08x".formatted(entry.getCrc(), found));
                }
            }
            return wanted;
        } catch (EOFException e) {
            throw Refusal.of(
                    file, PICTURES + ": expected %d pictures, found the end after %d".formatted(count, done), e);
        } catch (IOException e) {
            throw Refusal.of(file, PICTURES + ": " + Refusal.printable(String.valueOf(e.getMessage())), e);
        }
    }

    /**
     * An array of statistics beside the pictures, such as {@code mu} and {@code sigma} of ADM's reference batches.
     *
     * @throws CheckpointException when it is damaged, or no array of numbers
     */
    public Optional<double[]> statistics(String name) {
        ZipEntry array = zip.getEntry(name + ".npy");
        if (array == null) {
            return Optional.empty();
        }
        if (array.getSize() > MOST_STATISTICS) {
            throw Refusal.of(file, name, "at most " + MOST_STATISTICS + " bytes", array.getSize() + " bytes");
        }
        try (CheckedInputStream from = new CheckedInputStream(zip.getInputStream(array), new CRC32())) {
            byte[] bytes = from.readNBytes((int) MOST_STATISTICS);
            if (array.getCrc() >= 0 && array.getCrc() != from.getChecksum().getValue()) {
                throw new IOException("damaged: another CRC-32 than the archive's");
            }
            return Optional.of(NpyFile.parse(file, array.getName(), MemorySegment.ofArray(bytes))
                    .doubles());
        } catch (IOException e) {
            throw Refusal.of(file, name + ": " + Refusal.printable(String.valueOf(e.getMessage())), e);
        }
    }

    @Override
    public void close() {
        close(zip);
    }
}
