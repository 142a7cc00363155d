package org.tornadodit.model.io.numpy;

import java.lang.foreign.MemorySegment;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.tensor.DType;

/**
 * An array of a {@code .npy} file.
 *
 * @param dtype how elements are stored
 * @param shape sizes, outermost first
 * @param data row major, little endian, {@code shape.elements()} elements
 */
public record NpyArray(DType dtype, Shape shape, MemorySegment data) {

    /** @throws IllegalArgumentException when the memory's size is not that of the shape */
    public NpyArray {
        if (data.byteSize() != Math.multiplyExact(shape.elements(), (long) dtype.bytes())) {
            throw new IllegalArgumentException("%d bytes for %s of shape %s".formatted(data.byteSize(), dtype, shape));
        }
    }

    /** All elements rounded to float32. */
    public float[] floats() {
        float[] values = new float[length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = dtype.readFloat(data, (long) i * dtype.bytes());
        }
        return values;
    }

    /** All elements as float64. */
    public double[] doubles() {
        double[] values = new double[length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = dtype.readDouble(data, (long) i * dtype.bytes());
        }
        return values;
    }

    /**
     * All elements as integers; uint64 as its bits.
     *
     * @throws IllegalStateException when they are not integers
     */
    public long[] longs() {
        long[] values = new long[length()];
        for (int i = 0; i < values.length; i++) {
            values[i] = dtype.readLong(data, (long) i * dtype.bytes());
        }
        return values;
    }

    /**
     * All elements as integers of 32 bits; uint32 as its bits.
     *
     * @throws IllegalStateException when they are not integers
     * @throws ArithmeticException when one does not fit
     */
    public int[] ints() {
        int[] values = new int[length()];
        for (int i = 0; i < values.length; i++) {
            long value = dtype.readLong(data, (long) i * dtype.bytes());
            values[i] = dtype == DType.U32 ? (int) value : Math.toIntExact(value);
        }
        return values;
    }

    private int length() {
        if (shape.elements() > Integer.MAX_VALUE - 8) {
            throw new IllegalArgumentException("array of shape " + shape + " does not fit into a Java array");
        }
        return (int) shape.elements();
    }
}
