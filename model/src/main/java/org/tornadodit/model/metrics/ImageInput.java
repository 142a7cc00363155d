package org.tornadodit.model.metrics;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import javax.imageio.stream.FileImageInputStream;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;

/** Bytes of an image file from its beginning, buffered. */
final class ImageInput implements AutoCloseable {
    private final InputStream in;
    private final byte[] buffer = new byte[1 << 16];
    private int at;
    private int end;

    ImageInput(InputStream in) {
        this.in = in;
    }

    /** What an image is read from, as often as wanted. */
    interface Source {
        /** From the first byte on. */
        ImageInput open() throws IOException;

        /** The same for ImageIO. */
        ImageInputStream openForImageIO() throws IOException;

        /** Bytes. */
        long length() throws IOException;

        /** A file. */
        static Source of(Path file) {
            return new Source() {
                @Override
                public ImageInput open() throws IOException {
                    return new ImageInput(Files.newInputStream(file));
                }

                @Override
                public ImageInputStream openForImageIO() throws IOException {
                    return new FileImageInputStream(file.toFile());
                }

                @Override
                public long length() throws IOException {
                    return Files.size(file);
                }
            };
        }

        /** A file's content. */
        static Source of(byte[] content) {
            return new Source() {
                @Override
                public ImageInput open() {
                    return new ImageInput(new ByteArrayInputStream(content));
                }

                @Override
                public ImageInputStream openForImageIO() {
                    return new MemoryCacheImageInputStream(new ByteArrayInputStream(content));
                }

                @Override
                public long length() {
                    return content.length;
                }
            };
        }
    }

    /** Whether there is no further byte. */
    boolean isAtEnd() throws IOException {
        return at == end && !fill();
    }

    /** The next byte; EOFException at the end. */
    int readByte() throws IOException {
        if (at == end && !fill()) {
            throw new EOFException();
        }
        return buffer[at++] & 0xFF;
    }

    /** Big endian, 16 bits. */
    int readShort() throws IOException {
        return readByte() << 8 | readByte();
    }

    /** Big endian, 32 bits, as they are. */
    int readInt() throws IOException {
        return readShort() << 16 | readShort();
    }

    /** One to {@code length} bytes into an array. */
    int read(byte[] to, int offset, int length) throws IOException {
        if (at == end && !fill()) {
            throw new EOFException();
        }
        int count = Math.min(length, end - at);
        System.arraycopy(buffer, at, to, offset, count);
        at += count;
        return count;
    }

    /** The next bytes; EOFException where there are fewer. */
    byte[] readBytes(int length) throws IOException {
        byte[] bytes = new byte[length];
        for (int done = 0; done < length; ) {
            done += read(bytes, done, length - done);
        }
        return bytes;
    }

    /** Passes over bytes. */
    void skip(int length) throws IOException {
        for (int left = length; left > 0; ) {
            if (at == end && !fill()) {
                throw new EOFException();
            }
            int count = Math.min(left, end - at);
            at += count;
            left -= count;
        }
    }

    private boolean fill() throws IOException {
        at = 0;
        end = Math.max(0, in.read(buffer, 0, buffer.length));
        return end > 0;
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
