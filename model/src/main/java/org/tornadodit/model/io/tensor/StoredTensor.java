package org.tornadodit.model.io.tensor;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;

/**
 * A tensor as it lies in a file.
 *
 * @param shape sizes, outermost first
 * @param strides elements from one index to the next, for each dimension
 * @param data from the first element on; element {@code (i, j, ...)} is {@code i * strides[0] + j * strides[1] + ...}
 *     elements further
 * @param check to be run before {@code data} is read
 */
public record StoredTensor(DType dtype, Shape shape, List<Long> strides, MemorySegment data, Check check) {

    /** What has to pass before the memory is used, such as a checksum; throws where it does not. */
    public interface Check {
        /** Nothing has to. */
        Check NONE = () -> {};

        void run();
    }

    /** Elements converted at once, in arrays that the compiler can vectorize over. */
    private static final int CHUNK = 8192;

    /** @throws IllegalArgumentException when an element would lie outside the memory */
    public StoredTensor {
        strides = List.copyOf(strides);
        long needed = span(shape, strides);
        if (needed > data.byteSize() / dtype.bytes()) {
            throw new IllegalArgumentException(
                    "%d elements reached in memory of %d bytes".formatted(needed, data.byteSize()));
        }
    }

    public StoredTensor(DType dtype, Shape shape, List<Long> strides, MemorySegment data) {
        this(dtype, shape, strides, data, Check.NONE);
    }

    /** A row-major tensor. */
    public static StoredTensor contiguous(DType dtype, Shape shape, MemorySegment data) {
        return new StoredTensor(dtype, shape, rowMajor(shape), data);
    }

    /**
     * Elements from the first to the last one, both included.
     *
     * @throws IllegalArgumentException when strides are negative, of another rank, or exceed a long
     */
    public static long span(Shape shape, List<Long> strides) {
        if (strides.size() != shape.rank()) {
            throw new IllegalArgumentException("strides " + strides + " for shape " + shape);
        }
        if (shape.elements() == 0) {
            return 0;
        }
        try {
            long last = 0;
            for (int i = 0; i < shape.rank(); i++) {
                if (strides.get(i) < 0) {
                    throw new IllegalArgumentException("negative stride in " + strides);
                }
                last = Math.addExact(last, Math.multiplyExact(shape.dim(i) - 1, strides.get(i)));
            }
            return Math.addExact(last, 1);
        } catch (ArithmeticException overflow) {
            throw new IllegalArgumentException("strides " + strides + " exceed 2^63 elements", overflow);
        }
    }

    /** Strides of a row-major tensor; those of an empty one are not used. */
    static List<Long> rowMajor(Shape shape) {
        List<Long> strides = new ArrayList<>();
        long stride = 1;
        for (int i = shape.rank() - 1; i >= 0; i--) {
            strides.addFirst(stride);
            stride *= Math.max(1, shape.dim(i));
        }
        return strides;
    }

    /** Whether elements lie in row-major order without gaps; the stride of a dimension of size 1 does not matter. */
    boolean isContiguous() {
        if (shape.elements() == 0) {
            return true;
        }
        List<Long> expected = rowMajor(shape);
        for (int i = 0; i < shape.rank(); i++) {
            if (shape.dim(i) != 1 && !strides.get(i).equals(expected.get(i))) {
                return false;
            }
        }
        return true;
    }

    /** Whether {@link #data} is usable as float32 where it lies. */
    public boolean isInPlace() {
        return dtype == DType.F32 && isContiguous();
    }

    /** The bytes of a contiguous tensor. */
    public MemorySegment bytes() {
        return data.asSlice(0, shape.elements() * dtype.bytes());
    }

    /** Writes all elements as float32 in row-major order to {@code target}, which holds exactly them. */
    public void copyTo(MemorySegment target) {
        if (isInPlace()) {
            MemorySegment.copy(bytes(), 0, target, 0, target.byteSize());
        } else if (isContiguous()) {
            convert(0, 1, shape.elements(), target, 0);
        } else {
            Odometer odometer = new Odometer(shape, strides);
            int last = shape.rank() - 1;
            long row = shape.dim(last);
            for (long written = 0; written < shape.elements(); written += row) {
                convert(odometer.element(), strides.get(last), row, target, written);
                odometer.nextRow();
            }
        }
    }

    /** The elements in row-major order, in their own type. */
    public MemorySegment toRowMajor() {
        if (isContiguous()) {
            return bytes();
        }
        MemorySegment copy = MemorySegment.ofArray(new byte[Math.toIntExact(shape.elements() * dtype.bytes())]);
        Odometer odometer = new Odometer(shape, strides);
        int last = shape.rank() - 1;
        int size = dtype.bytes();
        long target = 0;
        for (long written = 0; written < shape.elements(); written += shape.dim(last)) {
            for (long i = 0; i < shape.dim(last); i++) {
                long source = (odometer.element() + i * strides.get(last)) * size;
                MemorySegment.copy(data, ValueLayout.JAVA_BYTE, source, copy, ValueLayout.JAVA_BYTE, target, size);
                target += size;
            }
            odometer.nextRow();
        }
        return copy;
    }

    private void convert(long first, long stride, long count, MemorySegment target, long written) {
        if (stride == 1) {
            float[] chunk = new float[(int) Math.min(count, CHUNK)];
            for (long done = 0; done < count; done += chunk.length) {
                int size = (int) Math.min(chunk.length, count - done);
                dtype.readFloats(data, first + done, chunk, size);
                MemorySegment.copy(chunk, 0, target, Tensor.FLOAT, (written + done) * Float.BYTES, size);
            }
        } else {
            for (long i = 0; i < count; i++) {
                float value = dtype.readFloat(data, (first + i * stride) * dtype.bytes());
                target.set(Tensor.FLOAT, (written + i) * Float.BYTES, value);
            }
        }
    }

    /** Walks the rows (runs of the last dimension) of a tensor in row-major order. */
    private static final class Odometer {
        private final Shape shape;
        private final List<Long> strides;
        private final long[] index;
        private long element;

        Odometer(Shape shape, List<Long> strides) {
            this.shape = shape;
            this.strides = strides;
            this.index = new long[shape.rank()];
        }

        /** Where the row starts, in elements. */
        long element() {
            return element;
        }

        void nextRow() {
            for (int i = shape.rank() - 2; i >= 0; i--) {
                element += strides.get(i);
                if (++index[i] < shape.dim(i)) {
                    return;
                }
                element -= index[i] * strides.get(i);
                index[i] = 0;
            }
        }
    }
}
