package org.tornadodit.model.io;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** NumPy's {@code .npz}: a zip of {@code .npy} arrays, stored (np.savez) or deflated (np.savez_compressed). */
public final class NpzFile {

    private static final String SUFFIX = ".npy";

    /** Bound on what deflated entries of one file may grow to: 1 GiB, a thousand times what they may have shrunk to. */
    private static final long MOST_INFLATED = 1L << 30;

    private NpzFile() {}

    /**
     * Reads all arrays, by their names without {@code .npy}, in the order of the file. Stored arrays are mapped, not
     * copied.
     *
     * @throws CheckpointException when the file is not sound
     */
    public static Map<String, NpyArray> read(Path file) {
        return parse(file, MappedFile.map(file, Arena.ofAuto()));
    }

    static Map<String, NpyArray> parse(Path file, MemorySegment content) {
        Map<String, NpyArray> arrays = new LinkedHashMap<>();
        long inflated = 0;
        for (ZipIndex.Entry entry : ZipIndex.read(file, content).values()) {
            if (!entry.name().endsWith(SUFFIX)) {
                throw Refusal.of(file, "zip archive", "entries *.npy", Refusal.printable(entry.name()));
            }
            MemorySegment data = entry.data();
            if (!entry.isStored()) {
                inflated += entry.size();
                if (inflated > MOST_INFLATED || inflated < 0) {
                    throw Refusal.of(
                            file,
                            "zip entry " + Refusal.printable(entry.name()),
                            "at most " + MOST_INFLATED + " bytes inflated",
                            "more");
                }
                data = inflate(file, entry);
            }
            String name = entry.name().substring(0, entry.name().length() - SUFFIX.length());
            arrays.put(name, NpyFile.parse(file, entry.name(), data));
        }
        return Collections.unmodifiableMap(arrays);
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
        // Grows with what arrives, so that a claimed size alone costs nothing.
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        Inflater inflater = new Inflater(true);
        try {
            inflater.setInput(entry.data().asByteBuffer());
            byte[] chunk = new byte[1 << 16];
            while (!inflater.finished() && bytes.size() <= entry.size()) {
                int count = inflater.inflate(chunk);
                if (count == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    break;
                }
                bytes.write(chunk, 0, count);
            }
            if (!inflater.finished() || bytes.size() != entry.size()) {
                throw Refusal.of(file, subject, entry.size() + " bytes inflated", "more or fewer");
            }
            return MemorySegment.ofArray(bytes.toByteArray());
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
