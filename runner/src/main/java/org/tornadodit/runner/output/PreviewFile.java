package org.tornadodit.runner.output;

import java.awt.image.BufferedImage;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.CRC32;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.metrics.ImageFiles;

/**
 * A picture as it is so far. A text chunk of the PNG tells it from other files of its name: no others are replaced or
 * deleted.
 */
public final class PreviewFile {
    /** Bytes of a PNG's signature and of its first chunk, IHDR. */
    private static final int HEADER = 8 + 12 + 13;

    /** A tEXt chunk: length, type, keyword and text, checksum (PNG specification, 11.3.4.3). */
    private static final byte[] MARK = chunk("tEXtComment\0preview of tornado-dit");

    private PreviewFile() {}

    private static byte[] chunk(String typeAndData) {
        byte[] bytes = typeAndData.getBytes(StandardCharsets.ISO_8859_1);
        CRC32 checksum = new CRC32();
        checksum.update(bytes);
        return ByteBuffer.allocate(bytes.length + 8)
                .putInt(bytes.length - 4)
                .put(bytes)
                .putInt((int) checksum.getValue())
                .array();
    }

    /** Writes the picture, in the place of the preview before. */
    public static void write(Path file, BufferedImage picture) throws IOException {
        require(file);
        AtomicFile.write(file, out -> {
            try (OutputStream marked = new Marking(out)) {
                ImageFiles.writePng(picture, marked);
            }
        });
    }

    /**
     * Passes where there is nothing yet, or a preview, or what is written through.
     *
     * @throws IOException when another file has the name
     */
    public static void require(Path file) throws IOException {
        boolean dangling = Files.isSymbolicLink(file) && !Files.exists(file);
        if (dangling || Files.isRegularFile(file) && !is(file)) {
            throw new IOException("cannot write the preview to " + Printable.path(file)
                    + ": a file of that name is there, and is no preview; give another --output");
        }
    }

    /** Deletes the preview of a picture that is complete, and nothing else that may have its name. */
    public static void delete(Path file) throws IOException {
        if (Files.isRegularFile(file, LinkOption.NOFOLLOW_LINKS) && is(file)) {
            Files.deleteIfExists(file);
        }
    }

    private static boolean is(Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            byte[] start = in.readNBytes(HEADER + MARK.length);
            return start.length == HEADER + MARK.length
                    && Arrays.equals(start, HEADER, start.length, MARK, 0, MARK.length);
        }
    }

    /** Puts the mark behind a PNG's header. */
    private static final class Marking extends FilterOutputStream {
        private int before = HEADER;

        Marking(OutputStream out) {
            super(out);
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
                out.write(MARK);
            }
            out.write(bytes, offset + header, length - header);
        }

        /** The file is closed by whoever opened it. */
        @Override
        public void close() throws IOException {
            flush();
        }
    }
}
