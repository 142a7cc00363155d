package org.tornadodit.model.metrics;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Map;
import javax.imageio.IIOException;

/**
 * Texts in WebP files: an XMP packet, which other tools show, in a chunk behind the picture's, see {@link XmpPacket}. Source:
 * RFC 9649, sections 2.3 to 2.7.
 */
final class WebpText {
    /** Bytes of a chunk's name and size. */
    private static final int CHUNK_HEADER = 8;

    private static final int FILE_HEADER = 12;

    /** Pixels a side at most, as libwebp has it. */
    static final int LARGEST_SIDE = (1 << 14) - 1;

    /** A flag of the chunk VP8X: there is an XMP packet. */
    private static final int HAS_XMP = 4;

    private static final int XMP = 0x584D5020; // "XMP "

    /** Bytes of a packet that is read. */
    private static final int LONGEST_PACKET = 1 << 17;

    /** Of a file that is read; animations have a chunk a picture. */
    private static final int MOST_CHUNKS = 100_000;

    private WebpText() {}

    /**
     * A file with texts.
     *
     * @param simple a file whose one chunk is a lossless picture
     * @param texts by keyword, see {@link XmpPacket#of}
     * @throws IIOException when there are other chunks in it
     */
    static byte[] with(byte[] simple, int width, int height, Map<String, String> texts) throws IIOException {
        ByteBuffer from = ByteBuffer.wrap(simple).order(ByteOrder.LITTLE_ENDIAN);
        boolean lossless = simple.length > FILE_HEADER + CHUNK_HEADER
                && new String(simple, FILE_HEADER, 4, StandardCharsets.US_ASCII).equals("VP8L")
                && padded(from.getInt(FILE_HEADER + 4)) == simple.length - FILE_HEADER - CHUNK_HEADER;
        if (!lossless) {
            throw new IIOException("the WebP library made no lossless picture");
        }
        byte[] picture = Arrays.copyOfRange(simple, FILE_HEADER + CHUNK_HEADER, simple.length);
        ByteBuffer canvas = ByteBuffer.allocate(10).order(ByteOrder.LITTLE_ENDIAN);
        canvas.putInt(HAS_XMP).putShort((short) (width - 1)).put((byte) (width - 1 >> 16));
        canvas.putShort((short) (height - 1)).put((byte) (height - 1 >> 16));
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        chunks.writeBytes("WEBP".getBytes(StandardCharsets.US_ASCII));
        chunks.writeBytes(chunk("VP8X", canvas.array()));
        chunks.writeBytes(chunk("VP8L", Arrays.copyOf(picture, from.getInt(FILE_HEADER + 4))));
        chunks.writeBytes(chunk("XMP ", XmpPacket.of(texts)));
        return chunk("RIFF", chunks.toByteArray());
    }

    /** Name, size and data, and a zero where there would be an odd number of bytes. */
    static byte[] chunk(String name, byte[] data) {
        return ByteBuffer.allocate(CHUNK_HEADER + padded(data.length))
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(name.getBytes(StandardCharsets.US_ASCII))
                .putInt(data.length)
                .put(data)
                .array();
    }

    private static int padded(int length) {
        return length + (length & 1);
    }

    /** Those of a file whose header has been read; none where it has no packet. */
    static Map<String, String> read(ImageInput in) throws IOException {
        for (int chunk = 0; chunk < MOST_CHUNKS; chunk++) {
            if (in.isAtEnd()) {
                return Map.of();
            }
            int name = in.readInt();
            int length = Integer.reverseBytes(in.readInt());
            if (length < 0) {
                throw new IIOException("damaged image: a chunk of %d bytes".formatted(length & 0xFFFFFFFFL));
            }
            if (name != XMP) {
                in.skip(length);
                if ((length & 1) != 0 && !in.isAtEnd()) {
                    in.skip(1);
                }
                continue;
            }
            if (length > LONGEST_PACKET) {
                throw new IIOException("its XMP packet is longer than %d bytes".formatted(LONGEST_PACKET));
            }
            return XmpPacket.read(in.readBytes(length));
        }
        throw new IIOException("damaged image: it has more than %d chunks".formatted(MOST_CHUNKS));
    }
}
