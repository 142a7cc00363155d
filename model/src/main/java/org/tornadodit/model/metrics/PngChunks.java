package org.tornadodit.model.metrics;

import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.IIOException;

/**
 * Looks a PNG file over before ImageIO decodes it, which neither checks sums nor bounds what texts unfold to: the CRC of
 * each chunk, that the compressed rows are as many as the picture has and end with the Adler-32 that is theirs, and that
 * the file is whole. Source: PNG, third edition (W3C, 2025), sections 5, 7 and 10.
 */
final class PngChunks {
    /** The eight bytes that a PNG begins with, section 5.2. */
    static final long SIGNATURE = 0x89504E470D0A1A0AL;
    private static final int HEADER = 0x49484452; // IHDR
    private static final int PALETTE = 0x504C5445; // PLTE
    private static final int DATA = 0x49444154; // IDAT
    private static final int END = 0x49454E44; // IEND
    private static final int HEADER_SIZE = 13;
    private static final int MOST_PALETTE = 3 * 256;
    private static final int INDEXED = 3;
    /** Of Adam7's passes: first column and row, step of columns and rows. */
    private static final int[][] PASSES = {
        {0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}
    };

    private final ImageInput in;
    private final byte[] buffer = new byte[1 << 16];
    private final byte[] rows = new byte[1 << 16];
    private byte[] header = {};
    private byte[] palette = {};
    private long dataBytes;
    private long inflated;
    private long expected;

    private PngChunks(ImageInput in) {
        this.in = in;
    }

    /**
     * Checks a whole file.
     *
     * @return the same picture with nothing but header, palette and data, to be decoded
     * @throws IIOException when it is damaged
     */
    static ImageInput.Source check(ImageInput.Source file) throws IOException {
        PngChunks chunks;
        Inflater inflater = new Inflater();
        try (ImageInput in = file.open()) {
            chunks = new PngChunks(in);
            chunks.checkAll(inflater);
        } finally {
            inflater.end();
        }
        try (ImageInput again = file.open()) {
            return chunks.essential(again);
        }
    }

    private void checkAll(Inflater inflater) throws IOException {
        requireSignature(in);
        boolean dataBegun = false;
        int before = 0;
        while (true) {
            int length = readLength();
            int type = in.readInt();
            if (before == 0 && type != HEADER) {
                throw new IIOException("it begins with the chunk " + name(type) + ", not IHDR");
            }
            if (type == DATA) {
                if (dataBegun && before != DATA) {
                    throw new IIOException("its IDAT chunks do not follow one another");
                }
                dataBegun = true;
                dataBytes += length;
            }
            requireSize(type, length, before);
            CRC32 sum = new CRC32();
            sum.update(new byte[] {(byte) (type >> 24), (byte) (type >> 16), (byte) (type >> 8), (byte) type});
            byte[] kept = kept(type, length);
            for (int done = 0; done < length; ) {
                int count = in.read(buffer, 0, Math.min(buffer.length, length - done));
                sum.update(buffer, 0, count);
                if (type == DATA) {
                    inflate(inflater, count);
                } else if (kept.length > 0) {
                    System.arraycopy(buffer, 0, kept, done, count);
                }
                done += count;
            }
            if (in.readInt() != (int) sum.getValue()) {
                throw new IIOException("the checksum of its chunk " + name(type) + " is wrong");
            }
            if (type == HEADER) {
                header = kept;
                expected = rowBytes(header);
            } else if (type == PALETTE) {
                palette = kept;
            } else if (type == END) {
                break;
            }
            before = type;
        }
        if (!inflater.finished()) {
            throw new IIOException(
                    inflated < expected
                            ? "it has %d of the %d bytes of its rows".formatted(inflated, expected)
                            : "the checksum of its rows is missing");
        }
    }

    private static void requireSignature(ImageInput in) throws IOException {
        long signature = (long) in.readInt() << 32 | in.readInt() & 0xFFFFFFFFL;
        if (signature != SIGNATURE) {
            throw new IIOException("it does not begin as a PNG");
        }
    }

    private int readLength() throws IOException {
        int length = in.readInt();
        if (length < 0) {
            throw new IIOException("a chunk of %d bytes".formatted(length & 0xFFFFFFFFL));
        }
        return length;
    }

    private static void requireSize(int type, int length, int before) throws IOException {
        boolean fits = switch (type) {
            case HEADER -> length == HEADER_SIZE && before == 0;
            case PALETTE -> length <= MOST_PALETTE && length % 3 == 0;
            case END -> length == 0;
            default -> true;
        };
        if (!fits) {
            throw new IIOException("a chunk %s of %d bytes%s"
                    .formatted(name(type), length, type == HEADER && before != 0 ? ", the second" : ""));
        }
    }

    private static byte[] kept(int type, int length) {
        return new byte[type == HEADER || type == PALETTE ? length : 0];
    }

    private void inflate(Inflater inflater, int count) throws IIOException {
        inflater.setInput(buffer, 0, count);
        try {
            while (!inflater.finished()) {
                int got = inflater.inflate(rows);
                inflated += got;
                if (inflated > expected) {
                    throw new IIOException("it has more than the %d bytes of its rows".formatted(expected));
                }
                if (inflater.needsDictionary()) {
                    throw new IIOException("its rows want a dictionary");
                }
                if (got == 0 && inflater.needsInput()) {
                    return;
                }
            }
        } catch (DataFormatException e) { // an Adler-32 that is wrong is "incorrect data check"
            throw new IIOException("its compressed rows: " + e.getMessage(), e);
        }
        if (inflated != expected) {
            throw new IIOException("it has %d of the %d bytes of its rows".formatted(inflated, expected));
        }
    }

    /** Bytes of all rows of the picture that a header describes, a filter's number before each. */
    static long rowBytes(byte[] header) throws IIOException {
        long width = ByteBuffer.wrap(header).getInt() & 0xFFFFFFFFL;
        long height = ByteBuffer.wrap(header).getInt(4) & 0xFFFFFFFFL;
        int bits = header[8] * channels(header[9]);
        return switch (header[12]) {
            case 0 -> rowBytes(width, height, bits);
            case 1 -> {
                long sum = 0;
                for (int[] pass : PASSES) {
                    sum += rowBytes(
                            Math.ceilDiv(Math.max(0, width - pass[0]), pass[2]),
                            Math.ceilDiv(Math.max(0, height - pass[1]), pass[3]),
                            bits);
                }
                yield sum;
            }
            default -> throw new IIOException("interlace method " + (header[12] & 0xFF));
        };
    }

    private static long rowBytes(long width, long height, int bits) {
        return width == 0 ? 0 : height * (1 + Math.ceilDiv(width * bits, 8));
    }

    private static int channels(int colourType) throws IIOException {
        return switch (colourType) {
            case 0, INDEXED -> 1;
            case 2 -> 3;
            case 4 -> 2;
            case 6 -> 4;
            default -> throw new IIOException("colour type " + (colourType & 0xFF));
        };
    }

    /** From a file that was checked. */
    private ImageInput.Source essential(ImageInput again) throws IOException {
        boolean indexed = header[9] == INDEXED;
        long size = 8 + 3 * 12 + HEADER_SIZE + dataBytes + (indexed ? 12 + palette.length : 0);
        if (size > Integer.MAX_VALUE - 8 || dataBytes > 2 * expected + (1 << 20)) {
            throw new IIOException("%d bytes of compressed rows for %d bytes".formatted(dataBytes, expected));
        }
        FixedArray bytes = new FixedArray((int) size);
        DataOutputStream out = new DataOutputStream(bytes);
        out.writeLong(SIGNATURE);
        write(out, HEADER, header);
        if (indexed) {
            write(out, PALETTE, palette);
        }
        out.writeInt((int) dataBytes);
        out.writeInt(DATA);
        requireSignature(again);
        for (int type = 0; type != END; ) {
            int length = again.readInt();
            type = again.readInt();
            if (type == DATA) {
                for (int done = 0; done < length; ) {
                    int count = again.read(buffer, 0, Math.min(buffer.length, length - done));
                    out.write(buffer, 0, count);
                    done += count;
                }
                again.skip(4);
            } else {
                again.skip(length);
                again.skip(4);
            }
        }
        out.writeInt(0); // nobody looks at it again
        write(out, END, new byte[0]);
        return ImageInput.Source.of(bytes.array);
    }

    private static void write(DataOutputStream out, int type, byte[] content) throws IOException {
        out.writeInt(content.length);
        out.writeInt(type);
        out.write(content);
        out.writeInt(0);
    }

    /** Refuses more bytes than it was made for: the file may have changed meanwhile. */
    private static final class FixedArray extends OutputStream {
        final byte[] array;
        private int at;

        FixedArray(int size) {
            array = new byte[size];
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] from, int offset, int length) throws IOException {
            if (length > array.length - at) {
                throw new EOFException("the file changed while it was read");
            }
            System.arraycopy(from, offset, array, at, length);
            at += length;
        }
    }

    /** Four letters, or what is printable of them. */
    private static String name(int type) {
        byte[] letters = {(byte) (type >> 24), (byte) (type >> 16), (byte) (type >> 8), (byte) type};
        return new String(letters, StandardCharsets.ISO_8859_1).replaceAll("[^A-Za-z]", "?");
    }
}
