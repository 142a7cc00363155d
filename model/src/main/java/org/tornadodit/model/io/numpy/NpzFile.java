package org.tornadodit.model.io.numpy;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.file.ZipIndex;

/** NumPy's {@code .npz}: a zip of {@code .npy} arrays, stored (np.savez) or deflated (np.savez_compressed). */
public final class NpzFile {

    private static final String SUFFIX = ".npy";

    /** Bound on what deflated entries of one file may grow to: 1 GiB, a thousand times what they may have shrunk to. */
    private static final long MOST_INFLATED = 1L << 30;

    /** Deflate makes 1032 bytes of one at most. */
    private static final long MOST_DEFLATED = 1032;

    private NpzFile() {}

    /**
     * Reads all arrays, by their names without {@code .npy}, in the order of the file. Stored arrays are mapped, not
     * copied.
     *
     * @throws CheckpointException when the file is not sound, or changes while it is read
     */
    public static Map<String, NpyArray> read(Path file) {
        return MappedFiles.parse(file, content -> parse(file, content));
    }

    public static Map<String, NpyArray> parse(Path file, MemorySegment content) {
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        long inflated = 0;
        for (ZipIndex.Entry entry : ZipIndex.read(file, content).values()) {
            if (!entry.name().endsWith(SUFFIX)) {
                throw Refusal.of(file, "zip archive", "entries *.npy", Refusal.printable(entry.name()));
            }
            MemorySegment data = entry.data();
            if (!entry.isStored()) {
                inflated += entry.size();
                requireRoom(file, entry, inflated);
                data = inflate(file, entry);
            }
            entry.requireChecksum(file, data);
            String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
            arrays.put(name, NpyFile.parse(file, entry.name(), data));
        }
        return Collections.unmodifiableMap(arrays);
    }

    /** Refuses, before anything is inflated, what deflate could not have made of it or the heap does not hold. */
    private static void requireRoom(Path file, ZipIndex.Entry entry, long inflated) {
        String subject = "zip entry " + Refusal.printable(entry.name());
        long most = Math.min(MOST_INFLATED, Runtime.getRuntime().maxMemory() / 4);
        if (inflated > most || inflated < 0) {
            throw Refusal.of(file, subject, "at most " + most + " bytes inflated", "more");
        }
        if (entry.size() / MOST_DEFLATED > entry.data().byteSize()) {
            throw Refusal.of(
                    file,
                    subject,
                    "at most %d times its %d bytes inflated"
                            .formatted(MOST_DEFLATED, entry.data().byteSize()),
                    entry.size() + " bytes");
        }
    }

    private static void requireSize(NpyHeader header, long size) throws IOException {
        long elements = (size - header.size()) / header.dtype().bytes();
        if (header.shape().elements() != elements
                || (size - header.size()) % header.dtype().bytes() != 0) {
            throw new IOException("expected the bytes of %s of shape %s, found %d bytes"
                    .formatted(header.dtype(), header.shape(), size - header.size()));
        }
    }

    /** Fills an array from {@code done} on, as far as there is something; gives how far. */
    private static int inflate(Inflater inflater, byte[] bytes, int done) throws DataFormatException {
        int position = done;
        while (position < bytes.length) {
            int count = inflater.inflate(bytes, position, bytes.length - position);
            if (count == 0) {
                break;
            }
            position += count;
        }
        return position;
    }

    private static MemorySegment inflate(Path file, ZipIndex.Entry entry) {
        String subject = "zip entry " + Refusal.printable(entry.name());
        if (entry.method() != ZipIndex.DEFLATED) {
            throw Refusal.of(file, subject, "stored or deflated data", "compression method " + entry.method());
        }
        if (entry.data().byteSize() > Integer.MAX_VALUE) {
            throw Refusal.of(
                    file,
                    subject,
                    "at most 2 GiB of deflated data",
                    entry.data().byteSize() + " bytes");
        }
        Inflater inflater = new Inflater(true);
        try {
            // On the heap: a page that a mapped file lost is an error of Java's there, but a crash inside the inflater.
            inflater.setInput(entry.data().toArray(ValueLayout.JAVA_BYTE));
            // The header first: an array of another size is refused before the rest is inflated.
            byte[] start = new byte[(int) Math.min(entry.size(), NpyHeader.LARGEST + 16)];
            int done = inflate(inflater, start, 0);
            try {
                requireSize(NpyHeader.parse(MemorySegment.ofArray(start).asSlice(0, done)), entry.size());
            } catch (IOException wrong) {
                throw Refusal.of(file, subject + ": " + wrong.getMessage(), wrong);
            }
            byte[] bytes = Arrays.copyOf(start, (int) entry.size());
            done = inflate(inflater, bytes, done);
            if (done < bytes.length || inflater.inflate(new byte[1]) != 0 || !inflater.finished()) {
                throw Refusal.of(file, subject, entry.size() + " bytes inflated", "more or fewer");
            }
            return MemorySegment.ofArray(bytes);
        } catch (DataFormatException broken) {
            throw Refusal.of(file, subject + ": " + Refusal.printable(String.valueOf(broken.getMessage())), broken);
        } finally {
            inflater.end();
        }
    }

    /**
     * Writes arrays, stored, replacing the file in one step.
     *
     * @param arrays by name, without {@code .npy}
     */
    public static void write(Path file, Map<String, NpyArray> arrays) throws IOException {
        AtomicFile.write(file, out -> {
            ZipOutputStream zip = new ZipOutputStream(out);
            zip.setMethod(ZipOutputStream.STORED);
            for (Map.Entry<String, NpyArray> array : arrays.entrySet()) {
                byte[] header = NpyHeader.encode(
                        array.getValue().dtype(), array.getValue().shape());
                CRC32 crc = new CRC32();
                crc.update(header);
                MemorySegment data = array.getValue().data();
                for (long done = 0; done < data.byteSize(); done += 1 << 20) {
                    crc.update(data.asSlice(done, Math.min(1 << 20, data.byteSize() - done))
                            .asByteBuffer());
                }
                ZipEntry entry = new ZipEntry(array.getKey() + SUFFIX);
                entry.setSize(header.length + data.byteSize());
                entry.setCompressedSize(entry.getSize());
                entry.setCrc(crc.getValue());
                // The same arrays give the same bytes.
                entry.setLastModifiedTime(FileTime.fromMillis(315_619_200_000L));
                zip.putNextEntry(entry);
                NpyFile.write(zip, array.getValue());
                zip.closeEntry();
            }
            zip.finish();
        });
    }
}
