package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.FloatBuffer;
import org.tornadodit.host.ArrayMemory;

/** 32-bit floats in native memory. */
public final class FloatArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 4;

    private FloatArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public FloatArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static FloatArray concat(FloatArray... arrays) {
        return new FloatArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static FloatArray fromArray(float[] values) {
        return new FloatArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static FloatArray fromElements(float... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static FloatArray fromSegment(MemorySegment segment) {
        return new FloatArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static FloatArray fromSegmentShallow(MemorySegment segment) {
        return new FloatArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static FloatArray fromFloatBuffer(FloatBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(FloatArray array, float value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public float[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_FLOAT);
    }

    public void set(int index, float value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_FLOAT, index, value);
    }

    public float get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_FLOAT, index);
    }

    /** Sets every element. */
    public void init(float value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public FloatArray slice(int offset, int length) {
        return new FloatArray(copyOfRange(offset, length));
    }

    @Override
    FloatArray withMemory(ArrayMemory other) {
        return new FloatArray(other);
    }
}
