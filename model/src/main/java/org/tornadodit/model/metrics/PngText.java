package org.tornadodit.model.metrics;

import java.io.ByteArrayOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.CRC32;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;
import javax.imageio.IIOException;
import org.tornadodit.model.Printable;

/**
 * Texts in PNG files, by keyword: written as tEXt chunks, or iTXt where Latin-1 does not hold them, behind the header, where
 * other tools find them; read from tEXt, zTXt and iTXt chunks. Source: PNG, third edition (W3C, 2025), section 11.3.3.
 */
public final class PngText {
    /** Characters of a keyword. */
    private static final int LONGEST_KEYWORD = 79;

    /** Bytes of a text that are read, also of one that unfolds; and how many texts are. */
    private static final int LONGEST_TEXT = 1 << 16;

    private static final int MOST_TEXTS = 100;

    /** More chunks than an encoder makes of a picture of {@link RgbImage#MAX_PIXELS}. */
    private static final int MOST_CHUNKS = 1 << 20;

    /** Bytes of a PNG's signature and of its first chunk, IHDR. */
    private static final int HEADER = 8 + 12 + 13;

    private static final int TEXT = 0x74455874; // tEXt
    private static final int COMPRESSED = 0x7A545874; // zTXt
    private static final int INTERNATIONAL = 0x69545874; // iTXt
    private static final int END = 0x49454E44; // IEND

    private PngText() {}

    /**
     * A stream that puts texts behind the header of the PNG that is written to it, and does not close what is below.
     *
     * @param texts by keyword: 1 to 79 printable characters of Latin-1
     */
    public static OutputStream behindHeader(OutputStream out, Map<String, String> texts) {
        ByteArrayOutputStream chunks = new ByteArrayOutputStream();
        texts.forEach((keyword, text) -> chunks.writeBytes(chunk(keyword, text)));
        return new Inserting(out, chunks.toByteArray());
    }

    /** A text chunk: length, type, keyword and text, checksum. */
    public static byte[] chunk(String keyword, String text) {
        if (!keyword.matches("[ -~]{1," + LONGEST_KEYWORD + "}")) {
            throw new IllegalArgumentException("keyword \"%s\", expected 1 to %d characters of ASCII"
                    .formatted(Printable.text(keyword), LONGEST_KEYWORD));
        }
        boolean latin = StandardCharsets.ISO_8859_1.newEncoder().canEncode(text);
        byte[] typeAndData = latin
                ? ("tEXt" + keyword + "\0" + text).getBytes(StandardCharsets.ISO_8859_1)
                : ("iTXt" + keyword + "\0\0\0\0\0" + text).getBytes(StandardCharsets.UTF_8);
        CRC32 checksum = new CRC32();
        checksum.update(typeAndData);
        return ByteBuffer.allocate(typeAndData.length + 8)
                .putInt(typeAndData.length - 4)
                .put(typeAndData)
                .putInt((int) checksum.getValue())
                .array();
    }

    private static final class Inserting extends FilterOutputStream {
        private final byte[] chunks;
        private int before = HEADER;

        Inserting(OutputStream out, byte[] chunks) {
            super(out);
            this.chunks = chunks;
        }

        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            int header = Math.min(before, length);
            out.write(bytes, offset, header);
            before -= header;
            if (header > 0 && before == 0) {
                out.write(chunks);
            }
            out.write(bytes, offset + header, length - header);
        }

        @Override
        public void close() throws IOException {
            flush();
        }
    }

    /** Those of a PNG file whose signature has been read, in the order of the file; of several with a keyword the first. */
    static Map<String, String> read(ImageInput in) throws IOException {
        Map<String, String> texts = new LinkedHashMap<>();
        int found = 0;
        for (int chunk = 0; chunk < MOST_CHUNKS; chunk++) {
            int length = in.readInt();
            int type = in.readInt();
            if (length < 0) {
                throw new IIOException("damaged image: a chunk of %d bytes".formatted(length & 0xFFFFFFFFL));
            }
            if (type == END) {
                return texts;
            }
            if (type != TEXT && type != COMPRESSED && type != INTERNATIONAL) {
                in.skip(length);
                in.skip(Integer.BYTES);
                continue;
            }
            if (++found > MOST_TEXTS || length > LONGEST_TEXT) {
                throw new IIOException(
                        "its texts are more than %d, or longer than %d bytes".formatted(MOST_TEXTS, LONGEST_TEXT));
            }
            byte[] data = in.readBytes(length);
            CRC32 checksum = new CRC32();
            checksum.update(ByteBuffer.allocate(Integer.BYTES).putInt(type).flip());
            checksum.update(data);
            if (in.readInt() != (int) checksum.getValue()) {
                throw new IIOException("damaged image: the checksum of a text is wrong");
            }
            add(type, data, texts);
        }
        throw new IIOException("damaged image: it has more than %d chunks".formatted(MOST_CHUNKS));
    }

    private static void add(int type, byte[] data, Map<String, String> texts) throws IIOException {
        int keyword = end(data, 0);
        String name = new String(data, 0, keyword, StandardCharsets.ISO_8859_1);
        int at = keyword + 1;
        String text;
        switch (type) {
            case TEXT -> text = new String(data, at, data.length - at, StandardCharsets.ISO_8859_1);
            case COMPRESSED -> text = new String(unfold(data, at + 1), StandardCharsets.ISO_8859_1);
            default -> {
                boolean compressed = at < data.length && data[at] != 0;
                int language = end(data, at + 2);
                int translated = end(data, language + 1) + 1;
                text = compressed
                        ? new String(unfold(data, translated), StandardCharsets.UTF_8)
                        : new String(data, translated, data.length - translated, StandardCharsets.UTF_8);
            }
        }
        texts.putIfAbsent(name, text);
    }

    /** Index of the next 0. */
    private static int end(byte[] data, int from) throws IIOException {
        for (int i = from; i < data.length; i++) {
            if (data[i] == 0) {
                return i;
            }
        }
        throw new IIOException("damaged image: a text without a keyword's end");
    }

    private static byte[] unfold(byte[] data, int from) throws IIOException {
        if (from > data.length) {
            throw new IIOException("damaged image: a compressed text that is empty");
        }
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(data, from, data.length - from);
            byte[] text = new byte[LONGEST_TEXT + 1];
            int length = 0;
            while (!inflater.finished()) {
                int got = inflater.inflate(text, length, text.length - length);
                length += got;
                if (length > LONGEST_TEXT) {
                    throw new IIOException("a text that unfolds to more than %d bytes".formatted(LONGEST_TEXT));
                }
                if (got == 0 && (inflater.needsInput() || inflater.needsDictionary())) {
                    throw new IIOException("damaged image: a compressed text that is cut off");
                }
            }
            return Arrays.copyOf(text, length);
        } catch (DataFormatException e) {
            throw new IIOException("damaged image: a compressed text", e);
        } finally {
            inflater.end();
        }
    }
}
