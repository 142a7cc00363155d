package org.tornadodit.model.io.file;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.zip.CRC32;

/**
 * The entries of a mapped zip archive and where their data lies, zip64 included (PKWARE APPNOTE 6.3.10, sections 4.3
 * and 4.5.3). {@link java.util.zip.ZipFile} does not tell offsets, and uncompressed entries are used in place.
 */
public final class ZipIndex {

    /**
     * One entry.
     *
     * @param method 0 stored, 8 deflated
     * @param data the stored bytes, compressed or not
     * @param size uncompressed bytes, as the archive claims
     * @param crc CRC-32 of the uncompressed bytes, as the archive claims
     */
    public record Entry(String name, int method, MemorySegment data, long size, long crc) {
        public boolean isStored() {
            return method == STORED;
        }

        /**
         * Compares uncompressed bytes with the archive's checksum.
         *
         * @param bytes of the entry, uncompressed
         * @throws CheckpointException when one of them is not what was written
         */
        public void requireChecksum(Path file, MemorySegment bytes) {
            CRC32 found = new CRC32();
            // By way of the heap: a page that a mapped file lost is an error of Java's there, but a crash inside CRC32.
            byte[] part = new byte[(int) Math.min(CHECKED_AT_ONCE, bytes.byteSize())];
            MemorySegment heap = MemorySegment.ofArray(part);
            for (long done = 0; done < bytes.byteSize(); done += part.length) {
                int count = (int) Math.min(part.length, bytes.byteSize() - done);
                MemorySegment.copy(bytes, done, heap, 0, count);
                found.update(part, 0, count);
            }
            if (found.getValue() != crc) {
                throw Refusal.of(
                        file,
                        "zip entry " + Refusal.printable(name)
                                + ": the file is damaged: expected CRC-32 %08x, found %08x"
                                        .formatted(crc, found.getValue()));
            }
        }
    }

    static final int STORED = 0;
    public static final int DEFLATED = 8;

    private static final ValueLayout.OfShort SHORT =
            ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    private static final int LOCAL_HEADER = 0x04034b50;
    private static final int LOCAL_HEADER_SIZE = 30;
    private static final int CENTRAL_HEADER = 0x02014b50;
    private static final int CENTRAL_HEADER_SIZE = 46;
    private static final int END_RECORD = 0x06054b50;
    private static final int END_RECORD_SIZE = 22;
    private static final int ZIP64_END_RECORD = 0x06064b50;
    private static final int ZIP64_END_RECORD_SIZE = 56;
    private static final int ZIP64_LOCATOR = 0x07064b50;
    private static final int ZIP64_LOCATOR_SIZE = 20;
    private static final int ZIP64_EXTRA = 0x0001;
    private static final int LONGEST_COMMENT = 0xffff;
    private static final int ENCRYPTED = 1;
    private static final long CHECKED_AT_ONCE = 1 << 16;

    /** Far more than any checkpoint has; bounds the memory that a hostile directory can claim. */
    private static final int MOST_ENTRIES = 100_000;

    private final Path file;
    private final MemorySegment zip;
    private final Ranges entryBytes = new Ranges();

    private ZipIndex(Path file, MemorySegment zip) {
        this.file = file;
        this.zip = zip;
    }

    /**
     * Reads the central directory.
     *
     * @throws CheckpointException when the archive is truncated, inconsistent, encrypted, or has an entry twice
     */
    public static Map<String, Entry> read(Path file, MemorySegment zip) {
        return new ZipIndex(file, zip).entries();
    }

    private Map<String, Entry> entries() {
        long end = findEnd();
        long count = unsignedShort(end + 10);
        long directorySize = unsignedInt(end + 12);
        long directory = unsignedInt(end + 16);
        if (count == 0xffff || directorySize == 0xffffffffL || directory == 0xffffffffL) {
            long zip64 = findZip64End(end);
            if (zip64 >= 0) {
                count = zip.get(LONG, zip64 + 32);
                directorySize = zip.get(LONG, zip64 + 40);
                directory = zip.get(LONG, zip64 + 48);
            }
        }
        if (count < 0 || count > MOST_ENTRIES) {
            throw Refusal.of(
                    file, "zip directory", "at most " + MOST_ENTRIES + " entries", Long.toUnsignedString(count));
        }
        if (directory < 0 || directorySize < 0 || directorySize > end || directory > end - directorySize) {
            throw broken("directory outside the file");
        }
        Map<String, Entry> entries = new LinkedHashMap<>();
        long position = directory;
        long limit = directory + directorySize;
        for (long i = 0; i < count; i++) {
            if (limit - position < CENTRAL_HEADER_SIZE || zip.get(INT, position) != CENTRAL_HEADER) {
                throw broken("directory entry " + i + " is cut off");
            }
            int nameSize = unsignedShort(position + 28);
            int extraSize = unsignedShort(position + 30);
            int commentSize = unsignedShort(position + 32);
            if (limit - position - CENTRAL_HEADER_SIZE < nameSize + extraSize + commentSize) {
                throw broken("directory entry " + i + " is cut off");
            }
            Entry entry = entry(position, nameSize, extraSize);
            if (entries.put(entry.name(), entry) != null) {
                throw broken("two entries " + Refusal.printable(entry.name()));
            }
            position += CENTRAL_HEADER_SIZE + nameSize + extraSize + commentSize;
        }
        return entries;
    }

    private Entry entry(long header, int nameSize, int extraSize) {
        String name = new String(
                zip.asSlice(header + CENTRAL_HEADER_SIZE, nameSize).toArray(ValueLayout.JAVA_BYTE),
                StandardCharsets.UTF_8);
        int flags = unsignedShort(header + 8);
        int method = unsignedShort(header + 10);
        long compressed = unsignedInt(header + 20);
        long size = unsignedInt(header + 24);
        long local = unsignedInt(header + 42);
        if ((flags & ENCRYPTED) != 0) {
            throw broken("entry " + Refusal.printable(name) + " is encrypted");
        }
        if (compressed == 0xffffffffL || size == 0xffffffffL || local == 0xffffffffL) {
            long extra = header + CENTRAL_HEADER_SIZE + nameSize;
            Zip64Fields fields = new Zip64Fields(name, extra, extra + extraSize);
            size = size == 0xffffffffL ? fields.next() : size;
            compressed = compressed == 0xffffffffL ? fields.next() : compressed;
            local = local == 0xffffffffL ? fields.next() : local;
        }
        long fileSize = zip.byteSize();
        if (local < 0 || local > fileSize - LOCAL_HEADER_SIZE || zip.get(INT, local) != LOCAL_HEADER) {
            throw broken("entry " + Refusal.printable(name) + " has no local header");
        }
        long data = local + LOCAL_HEADER_SIZE + unsignedShort(local + 26) + unsignedShort(local + 28);
        if (compressed < 0 || data > fileSize || compressed > fileSize - data) {
            throw Refusal.of(
                    file,
                    "zip entry " + Refusal.printable(name),
                    Long.toUnsignedString(compressed) + " bytes",
                    Math.max(0, fileSize - data) + " (truncated file?)");
        }
        if (size < 0 || (method == STORED && size != compressed)) {
            throw broken("entry " + Refusal.printable(name) + " has two sizes");
        }
        if (!entryBytes.add(local, data + compressed)) {
            throw broken("entries overlap");
        }
        return new Entry(name, method, zip.asSlice(data, compressed), size, unsignedInt(header + 16));
    }

    private long findEnd() {
        long last = zip.byteSize() - END_RECORD_SIZE;
        for (long position = last; position >= 0 && position >= last - LONGEST_COMMENT; position--) {
            if (zip.get(INT, position) == END_RECORD && unsignedShort(position + 20) == last - position) {
                return position;
            }
        }
        throw broken("no end record (truncated file?)");
    }

    private long findZip64End(long end) {
        long locator = end - ZIP64_LOCATOR_SIZE;
        if (locator < 0 || zip.get(INT, locator) != ZIP64_LOCATOR) {
            return -1;
        }
        long position = zip.get(LONG, locator + 8);
        if (position < 0 || position > locator - ZIP64_END_RECORD_SIZE || zip.get(INT, position) != ZIP64_END_RECORD) {
            throw broken("zip64 end record is not where its locator says");
        }
        return position;
    }

    /** Parts of the file that belong to somebody. */
    private static final class Ranges {
        private final TreeMap<Long, Long> endByStart = new TreeMap<>();

        /** Whether the range was nobody's; it is taken then. */
        boolean add(long start, long end) {
            Map.Entry<Long, Long> before = endByStart.lowerEntry(end);
            if (before != null && before.getValue() > start) {
                return false;
            }
            endByStart.put(start, end);
            return true;
        }
    }

    private CheckpointException broken(String what) {
        return Refusal.of(file, "not a sound zip archive: " + what);
    }

    private int unsignedShort(long offset) {
        return Short.toUnsignedInt(zip.get(SHORT, offset));
    }

    private long unsignedInt(long offset) {
        return Integer.toUnsignedLong(zip.get(INT, offset));
    }

    /** The 64-bit values of the zip64 extra field: only those that did not fit, in the order of the header. */
    private final class Zip64Fields {
        private final String name;
        private long position;
        private long limit;

        Zip64Fields(String name, long extra, long extraEnd) {
            this.name = name;
            for (long field = extra; extraEnd - field >= 4; field += 4 + unsignedShort(field + 2)) {
                if (unsignedShort(field) == ZIP64_EXTRA) {
                    position = field + 4;
                    limit = Math.min(extraEnd, position + unsignedShort(field + 2));
                    return;
                }
            }
        }

        long next() {
            if (limit - position < Long.BYTES) {
                throw broken("entry " + Refusal.printable(name) + " lacks its zip64 sizes");
            }
            position += Long.BYTES;
            return zip.get(LONG, position - Long.BYTES);
        }
    }
}
