package org.tornadodit.model.io.numpy;

import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.DType;

/**
 * The header of a {@code .npy} file, versions 1 to 3: a magic string, a version, a length, and a Python dict literal
 * (numpy.lib.format).
 *
 * @param fortranOrder whether the first index changes fastest
 * @param size bytes before the first element
 */
record NpyHeader(DType dtype, Shape shape, boolean fortranOrder, int size) {

    /** Enough for the header of any plain type. */
    static final int LARGEST = 1 << 16;

    private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
    private static final int ALIGNMENT = 64;
    private static final int MOST_DIMENSIONS = 32;

    /** @throws IOException saying what is wrong, without the file's name */
    static NpyHeader parse(MemorySegment file) throws IOException {
        if (file.byteSize() < MAGIC.length + 4
                || file.asSlice(0, MAGIC.length).mismatch(MemorySegment.ofArray(MAGIC)) >= 0) {
            throw new IOException("expected a .npy file, found another or a truncated one");
        }
        int version = file.get(ValueLayout.JAVA_BYTE, MAGIC.length);
        if (version < 1 || version > 3) {
            throw new IOException("expected version 1, 2 or 3, found " + version);
        }
        int lengthBytes = version == 1 ? Short.BYTES : Integer.BYTES;
        int start = MAGIC.length + 2 + lengthBytes;
        if (file.byteSize() < start) {
            throw new IOException("expected a header, found the end");
        }
        ByteBuffer prefix = file.asSlice(0, start).asByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        long length = version == 1
                ? Short.toUnsignedLong(prefix.getShort(MAGIC.length + 2))
                : Integer.toUnsignedLong(prefix.getInt(MAGIC.length + 2));
        if (length > LARGEST || length > file.byteSize() - start) {
            throw new IOException("expected a header of at most %d bytes, found one of %d"
                    .formatted(Math.min(LARGEST, file.byteSize() - start), length));
        }
        byte[] text = file.asSlice(start, length).toArray(ValueLayout.JAVA_BYTE);
        return new Literal(new String(text, StandardCharsets.UTF_8)).header((int) (start + length));
    }

    /**
     * Reads a header and no more: its length stands in its beginning.
     *
     * @throws IOException as {@link #parse}
     */
    static NpyHeader read(InputStream from) throws IOException {
        byte[] start = from.readNBytes(MAGIC.length + 2 + Short.BYTES);
        boolean wide = start.length > MAGIC.length && start[MAGIC.length] != 1;
        byte[] prefix = joined(start, from.readNBytes(wide ? Integer.BYTES - Short.BYTES : 0));
        long length = 0;
        for (int i = prefix.length - 1; i >= MAGIC.length + 2; i--) {
            length = length << Byte.SIZE | (prefix[i] & 0xff);
        }
        return parse(MemorySegment.ofArray(joined(prefix, from.readNBytes((int) Math.min(LARGEST, length)))));
    }

    private static byte[] joined(byte[] first, byte[] second) {
        byte[] all = Arrays.copyOf(first, first.length + second.length);
        System.arraycopy(second, 0, all, first.length, second.length);
        return all;
    }

    /** The bytes of a version 1 header for row-major data, padded as NumPy does. */
    static byte[] encode(DType dtype, Shape shape) {
        String descr = dtype.numpyDescr().orElseThrow(() -> new IllegalArgumentException("NumPy has no " + dtype));
        StringBuilder sizes = new StringBuilder();
        for (long dim : shape.dims()) {
            sizes.append(sizes.isEmpty() ? "" : ", ").append(dim);
        }
        String tuple = shape.rank() == 1 ? "(" + sizes + ",)" : "(" + sizes + ")";
        String dict = "{'descr': '%s', 'fortran_order': False, 'shape': %s, }".formatted(descr, tuple);
        int prefix = MAGIC.length + 4;
        int total = (prefix + dict.length() + 1 + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
        ByteBuffer header = ByteBuffer.allocate(total).order(ByteOrder.LITTLE_ENDIAN);
        header.put(MAGIC).put((byte) 1).put((byte) 0).putShort((short) (total - prefix));
        header.put(dict.getBytes(StandardCharsets.US_ASCII));
        while (header.remaining() > 1) {
            header.put((byte) ' ');
        }
        return header.put((byte) '\n').array();
    }

    /** Reads the few Python literals that NumPy writes; nothing is evaluated. */
    private static final class Literal {
        private final String text;
        private int position;

        Literal(String text) {
            this.text = text;
        }

        NpyHeader header(int size) throws IOException {
            @Nullable DType dtype = null;
            @Nullable Shape shape = null;
            @Nullable Boolean fortranOrder = null;
            expect('{');
            while (!next('}')) {
                String key = string();
                expect(':');
                switch (key) {
                    case "descr" -> dtype = dtype();
                    case "fortran_order" -> fortranOrder = bool();
                    case "shape" -> shape = shape();
                    default ->
                        throw new IOException(
                                "expected descr, fortran_order and shape, found the key " + Refusal.printable(key));
                }
                if (!next(',')) {
                    expect('}');
                    break;
                }
            }
            if (dtype == null || shape == null || fortranOrder == null) {
                throw new IOException("expected descr, fortran_order and shape, found not all of them");
            }
            return new NpyHeader(dtype, shape, fortranOrder, size);
        }

        private DType dtype() throws IOException {
            skipSpaces();
            if (position < text.length() && text.charAt(position) == '[') {
                throw new IOException("expected a plain type such as <f4, found a structured one");
            }
            String descr = string();
            return DType.ofNumpy(descr)
                    .orElseThrow(() -> new IOException(
                            "expected a little-endian number type such as <f4, found " + Refusal.printable(descr)));
        }

        private Shape shape() throws IOException {
            expect('(');
            List<Long> dims = new ArrayList<>();
            while (!next(')')) {
                if (dims.size() == MOST_DIMENSIONS) {
                    throw new IOException("expected at most " + MOST_DIMENSIONS + " dimensions, found more");
                }
                dims.add(integer());
                if (!next(',')) {
                    expect(')');
                    break;
                }
            }
            try {
                return new Shape(dims);
            } catch (IllegalArgumentException wrong) {
                throw new IOException(wrong.getMessage(), wrong);
            }
        }

        private boolean bool() throws IOException {
            skipSpaces();
            for (String word : List.of("False", "True")) {
                if (text.startsWith(word, position)) {
                    position += word.length();
                    return word.equals("True");
                }
            }
            throw malformed("True or False");
        }

        private long integer() throws IOException {
            skipSpaces();
            int start = position;
            while (position < text.length() && text.charAt(position) >= '0' && text.charAt(position) <= '9') {
                position++;
            }
            String digits = text.substring(start, position);
            if (digits.isEmpty() || digits.length() > 18) {
                throw malformed("an integer");
            }
            // Python 2 wrote long integers with an L.
            if (position < text.length() && text.charAt(position) == 'L') {
                position++;
            }
            return Long.parseLong(digits);
        }

        private String string() throws IOException {
            skipSpaces();
            char quote = position < text.length() ? text.charAt(position) : 0;
            int end = quote == '\'' || quote == '"' ? text.indexOf(quote, position + 1) : -1;
            if (end < 0) {
                throw malformed("a string");
            }
            String string = text.substring(position + 1, end);
            position = end + 1;
            return string;
        }

        private boolean next(char c) {
            skipSpaces();
            if (position < text.length() && text.charAt(position) == c) {
                position++;
                return true;
            }
            return false;
        }

        private void expect(char c) throws IOException {
            if (!next(c)) {
                throw malformed("'" + c + "'");
            }
        }

        private void skipSpaces() {
            while (position < text.length() && (text.charAt(position) == ' ' || text.charAt(position) == '\n')) {
                position++;
            }
        }

        private IOException malformed(String expected) {
            return new IOException("header: expected %s at character %d, found '%s'"
                    .formatted(
                            expected,
                            position,
                            Refusal.printable(text.substring(position, Math.min(text.length(), position + 12)))));
        }
    }
}
