package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.DoubleBuffer;
import org.tornadodit.host.ArrayMemory;

/** 64-bit floats in native memory. */
public final class DoubleArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 8;

    private DoubleArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public DoubleArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static DoubleArray concat(DoubleArray... arrays) {
        return new DoubleArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static DoubleArray fromArray(double[] values) {
        return new DoubleArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static DoubleArray fromElements(double... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static DoubleArray fromSegment(MemorySegment segment) {
        return new DoubleArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static DoubleArray fromSegmentShallow(MemorySegment segment) {
        return new DoubleArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static DoubleArray fromDoubleBuffer(DoubleBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(DoubleArray array, double value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public double[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_DOUBLE);
    }

    public void set(int index, double value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_DOUBLE, index, value);
    }

    public double get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_DOUBLE, index);
    }

    /** Sets every element. */
    public void init(double value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_DOUBLE, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public DoubleArray slice(int offset, int length) {
        return new DoubleArray(copyOfRange(offset, length));
    }

    @Override
    DoubleArray withMemory(ArrayMemory other) {
        return new DoubleArray(other);
    }
}
