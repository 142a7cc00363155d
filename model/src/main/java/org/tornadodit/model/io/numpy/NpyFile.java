package org.tornadodit.model.io.numpy;

import java.io.IOException;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.MappedFiles;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.DType;
import org.tornadodit.model.io.tensor.StoredTensor;

/** NumPy's {@code .npy} arrays. */
public final class NpyFile {

    private static final int COPIED_AT_ONCE = 1 << 20;

    private NpyFile() {}

    /**
     * Reads an array; a column-major one is given in row-major order. Large files are mapped, not copied.
     *
     * @throws CheckpointException when the file is not a {@code .npy} of plain little-endian numbers, or has more or
     *     fewer bytes than its header says, or changes while it is read
     */
    public static NpyArray read(Path file) {
        return MappedFiles.parse(file, content -> parse(file, "", content));
    }

    /**
     * Reads an array from memory.
     *
     * @param file for messages
     * @param entry the entry of the file that the bytes are, or empty for all of it
     */
    static NpyArray parse(Path file, String entry, MemorySegment content) {
        try {
            NpyHeader header = NpyHeader.parse(content);
            long bytes = content.byteSize() - header.size();
            long elements = header.shape().elements();
            int size = header.dtype().bytes();
            if (bytes % size != 0 || bytes / size != elements) {
                throw new IOException("expected the bytes of %s of shape %s, found %d bytes"
                        .formatted(header.dtype(), header.shape(), bytes));
            }
            MemorySegment data = content.asSlice(header.size());
            if (header.fortranOrder()) {
                if (bytes > Integer.MAX_VALUE - 8) {
                    throw new IOException("expected a column-major array below 2 GiB, found %d bytes".formatted(bytes));
                }
                data = columnMajor(header, data).toRowMajor();
            }
            return new NpyArray(header.dtype(), header.shape(), data);
        } catch (IOException wrong) {
            String subject = entry.isEmpty() ? "" : "zip entry " + Refusal.printable(entry) + ": ";
            throw Refusal.of(file, subject + wrong.getMessage(), wrong);
        }
    }

    private static StoredTensor columnMajor(NpyHeader header, MemorySegment data) {
        Shape shape = header.shape();
        List<Long> strides = new ArrayList<>();
        long stride = 1;
        for (long dim : shape.dims()) {
            strides.add(stride);
            stride *= Math.max(1, dim);
        }
        return new StoredTensor(header.dtype(), shape, strides, data);
    }

    /** Writes float32, {@code <f4}, replacing the file in one step. */
    public static void write(Path file, Shape shape, float... values) throws IOException {
        write(file, array(shape, values));
    }

    /** Writes float64, {@code <f8}, replacing the file in one step. */
    public static void write(Path file, Shape shape, double... values) throws IOException {
        write(file, array(shape, values));
    }

    /** Writes int32, {@code <i4}, replacing the file in one step. */
    public static void write(Path file, Shape shape, int... values) throws IOException {
        write(file, array(shape, values));
    }

    /** Writes int64, {@code <i8}, replacing the file in one step. */
    public static void write(Path file, Shape shape, long... values) throws IOException {
        write(file, array(shape, values));
    }

    /** Writes uint8, {@code |u1}, replacing the file in one step. */
    public static void write(Path file, Shape shape, byte... values) throws IOException {
        write(file, array(shape, values));
    }

    /**
     * Writes an array, replacing the file in one step.
     *
     * @throws IllegalArgumentException when NumPy has no such type (BF16)
     */
    public static void write(Path file, NpyArray array) throws IOException {
        AtomicFile.write(file, out -> write(out, array));
    }

    static void write(OutputStream out, NpyArray array) throws IOException {
        out.write(NpyHeader.encode(array.dtype(), array.shape()));
        var channel = Channels.newChannel(out);
        long size = array.data().byteSize();
        for (long done = 0; done < size; done += COPIED_AT_ONCE) {
            var chunk = array.data()
                    .asSlice(done, Math.min(COPIED_AT_ONCE, size - done))
                    .asByteBuffer();
            while (chunk.hasRemaining()) {
                channel.write(chunk);
            }
        }
    }

    /** A float32 array, for {@link NpzFile}. */
    public static NpyArray array(Shape shape, float... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Float.BYTES)]);
        MemorySegment.copy(
                values, 0, data, ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, values.length);
        return new NpyArray(DType.F32, shape, data);
    }

    /** A float64 array. */
    public static NpyArray array(Shape shape, double... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Double.BYTES)]);
        MemorySegment.copy(
                values,
                0,
                data,
                ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN),
                0,
                values.length);
        return new NpyArray(DType.F64, shape, data);
    }

    /** An int32 array. */
    public static NpyArray array(Shape shape, int... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Integer.BYTES)]);
        MemorySegment.copy(
                values, 0, data, ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, values.length);
        return new NpyArray(DType.I32, shape, data);
    }

    /** An int64 array. */
    public static NpyArray array(Shape shape, long... values) {
        MemorySegment data = MemorySegment.ofArray(new byte[Math.multiplyExact(values.length, Long.BYTES)]);
        MemorySegment.copy(
                values, 0, data, ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN), 0, values.length);
        return new NpyArray(DType.I64, shape, data);
    }

    /** A uint8 array, which is not copied. */
    public static NpyArray array(Shape shape, byte... values) {
        return new NpyArray(DType.U8, shape, MemorySegment.ofArray(values));
    }
}
