package org.tornadodit.model.metrics;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.zip.CRC32;
import java.util.zip.Deflater;

/** Writes PNG files chunk by chunk, also such as no encoder writes. */
public final class PngWriter {
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    /** Begins with the signature. */
    public PngWriter() {
        bytes.writeBytes(ByteBuffer.allocate(8).putLong(0x89504E470D0A1A0AL).array());
    }

    /** A chunk with its checksum. */
    public PngWriter chunk(String type, byte[] content) {
        return chunk(type, content, 0);
    }

    /** A chunk with its checksum, some bits of which are changed. */
    PngWriter chunk(String type, byte[] content, int changed) {
        byte[] name = type.getBytes(StandardCharsets.US_ASCII);
        CRC32 sum = new CRC32();
        sum.update(name);
        sum.update(content);
        bytes.writeBytes(ByteBuffer.allocate(12 + content.length)
                .putInt(content.length)
                .put(name)
                .put(content)
                .putInt((int) sum.getValue() ^ changed)
                .array());
        return this;
    }

    /**
     * The header.
     *
     * @param type of colour: 0 grey, 2 RGB, 3 palette, 4 grey with alpha, 6 RGB with alpha
     */
    public PngWriter header(int width, int height, int bits, int type) {
        return chunk("IHDR", headerOf(width, height, bits, type, 0));
    }

    static byte[] headerOf(int width, int height, int bits, int type, int interlace) {
        return ByteBuffer.allocate(13)
                .putInt(width)
                .putInt(height)
                .put((byte) bits)
                .put((byte) type)
                .putShort((short) 0)
                .put((byte) interlace)
                .array();
    }

    /** The file so far. */
    public byte[] bytes() {
        return bytes.toByteArray();
    }

    /** Rows of zeros, compressed. */
    public static byte[] deflatedZeros(long count) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        byte[] zeros = new byte[1 << 16];
        byte[] buffer = new byte[1 << 16];
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        for (long left = count; left > 0; left -= zeros.length) {
            deflater.setInput(zeros, 0, (int) Math.min(left, zeros.length));
            if (left <= zeros.length) {
                deflater.finish();
            }
            for (int got = 1; got > 0; ) {
                got = deflater.deflate(buffer);
                out.write(buffer, 0, got);
            }
        }
        deflater.end();
        return out.toByteArray();
    }

    /** Bytes, compressed. */
    public static byte[] deflated(byte[] content) {
        Deflater deflater = new Deflater();
        deflater.setInput(content);
        deflater.finish();
        byte[] buffer = new byte[2 * content.length + 64];
        int size = deflater.deflate(buffer);
        deflater.end();
        return Arrays.copyOf(buffer, size);
    }
}
