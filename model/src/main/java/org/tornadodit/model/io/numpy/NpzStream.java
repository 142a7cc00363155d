package org.tornadodit.model.io.numpy;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.zip.CRC32;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.Sha256;
import org.tornadodit.model.io.tensor.DType;

/**
 * Writes an {@code .npz} of one array that is larger than the memory, piece by piece, stored as np.savez does. Its checksum
 * stands behind the data; archives of 4 GiB and more are zip64. The same array gives the same bytes. Source: PKWARE's APPNOTE
 * 6.3, sections 4.3 and 4.5.3.
 */
public final class NpzStream {
    private static final long LIMIT_32 = 0xFFFFFFFFL;
    private static final short VERSION_ZIP64 = 45;
    /** Made on Unix, where mode bits are. */
    private static final short MADE_BY = 3 << 8 | VERSION_ZIP64;

    private static final int REGULAR_FILE_0644 = 0100644 << 16;
    private static final short CHECKSUM_BEHIND_DATA = 1 << 3;
    private static final short ZIP64_EXTRA = 1;
    /** 1980-01-01, the first day that a zip knows. */
    private static final short DATE = 1 << 5 | 1;

    private static final int LOCAL_HEADER = 0x04034B50;
    private static final int DESCRIPTOR = 0x08074B50;
    private static final int CENTRAL_HEADER = 0x02014B50;
    private static final int ZIP64_END = 0x06064B50;
    private static final int ZIP64_LOCATOR = 0x07064B50;
    private static final int END = 0x06054B50;

    private final byte[] name;
    private final byte[] header;
    private final long size;
    private final long limit;

    private NpzStream(String array, DType dtype, Shape shape, long limit) {
        this.name = (array + ".npy").getBytes(StandardCharsets.US_ASCII);
        this.header = NpyHeader.encode(dtype, shape);
        this.size = Math.addExact(header.length, Math.multiplyExact(shape.elements(), (long) dtype.bytes()));
        this.limit = limit;
    }

    /**
     * Writes the file, replacing it in one step.
     *
     * @param array name, without {@code .npy}
     * @param data writes the elements, little-endian, in row-major order
     * @return SHA-256 of the file, in hexadecimal digits
     * @throws IOException also when the data are not as many as the shape has
     */
    public static String write(Path file, String array, DType dtype, Shape shape, AtomicFile.Content data)
            throws IOException {
        return write(file, array, dtype, shape, data, LIMIT_32);
    }

    /** @param limit bytes from which sizes are zip64's */
    static String write(Path file, String array, DType dtype, Shape shape, AtomicFile.Content data, long limit)
            throws IOException {
        NpzStream archive = new NpzStream(array, dtype, shape, limit);
        MessageDigest digest = Sha256.digest();
        AtomicFile.write(file, out -> {
            DigestOutputStream all = new DigestOutputStream(out, digest);
            archive.writeTo(all, data);
            all.flush();
        });
        return HexFormat.of().formatHex(digest.digest());
    }

    /** Counts and sums what goes through. */
    private static final class Entry extends FilterOutputStream {
        private final CRC32 checksum = new CRC32();
        private long written;

        Entry(OutputStream out) {
            super(out);
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            out.write(bytes, offset, length);
            checksum.update(bytes, offset, length);
            written += length;
        }
    }

    private void writeTo(OutputStream out, AtomicFile.Content data) throws IOException {
        byte[] local = localHeader();
        out.write(local);
        Entry entry = new Entry(out);
        entry.write(header);
        data.writeTo(entry);
        if (entry.written != size) {
            throw new IOException(
                    "%d bytes of data, expected %d".formatted(entry.written - header.length, size - header.length));
        }
        int checksum = (int) entry.checksum.getValue();
        ByteBuffer descriptor = buffer(24);
        descriptor.putInt(DESCRIPTOR).putInt(checksum).putLong(size).putLong(size);
        out.write(descriptor.array());
        long centralAt = local.length + size + descriptor.capacity();
        byte[] central = centralHeader(checksum);
        out.write(central);
        out.write(end(centralAt, central.length));
    }

    private byte[] localHeader() {
        ByteBuffer local = buffer(30 + name.length + 20);
        local.putInt(LOCAL_HEADER).putShort(VERSION_ZIP64).putShort(CHECKSUM_BEHIND_DATA);
        local.putShort((short) 0).putShort((short) 0).putShort(DATE); // stored, midnight
        local.putInt(0).putInt((int) LIMIT_32).putInt((int) LIMIT_32);
        local.putShort((short) name.length).putShort((short) 20).put(name);
        local.putShort(ZIP64_EXTRA).putShort((short) 16).putLong(size).putLong(size);
        return local.array();
    }

    private byte[] centralHeader(int checksum) {
        boolean zip64 = size >= limit;
        int stated = (int) (zip64 ? LIMIT_32 : size);
        ByteBuffer central = buffer(46 + name.length + (zip64 ? 20 : 0));
        central.putInt(CENTRAL_HEADER).putShort(MADE_BY).putShort(VERSION_ZIP64).putShort(CHECKSUM_BEHIND_DATA);
        central.putShort((short) 0).putShort((short) 0).putShort(DATE);
        central.putInt(checksum).putInt(stated).putInt(stated);
        central.putShort((short) name.length).putShort((short) (zip64 ? 20 : 0));
        central.putShort((short) 0).putShort((short) 0).putShort((short) 0); // no comment, first disk, binary
        central.putInt(REGULAR_FILE_0644).putInt(0).put(name);
        if (zip64) {
            central.putShort(ZIP64_EXTRA).putShort((short) 16).putLong(size).putLong(size);
        }
        return central.array();
    }

    private byte[] end(long centralAt, int centralSize) {
        boolean zip64 = centralAt >= limit;
        ByteBuffer end = buffer(22 + (zip64 ? 56 + 20 : 0));
        if (zip64) {
            end.putInt(ZIP64_END).putLong(44).putShort(MADE_BY).putShort(VERSION_ZIP64);
            end.putInt(0).putInt(0).putLong(1).putLong(1).putLong(centralSize).putLong(centralAt);
            end.putInt(ZIP64_LOCATOR).putInt(0).putLong(centralAt + centralSize).putInt(1);
        }
        end.putInt(END)
                .putShort((short) 0)
                .putShort((short) 0)
                .putShort((short) 1)
                .putShort((short) 1);
        end.putInt(centralSize).putInt((int) (zip64 ? LIMIT_32 : centralAt)).putShort((short) 0);
        return end.array();
    }

    private static ByteBuffer buffer(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
