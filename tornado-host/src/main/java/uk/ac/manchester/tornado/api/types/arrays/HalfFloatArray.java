package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tornadodit.host.ArrayMemory;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/** 16-bit floats (IEEE binary16) in native memory. */
public final class HalfFloatArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 2;

    private HalfFloatArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public HalfFloatArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static HalfFloatArray concat(HalfFloatArray... arrays) {
        return new HalfFloatArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static HalfFloatArray fromArray(HalfFloat[] values) {
        HalfFloatArray array = new HalfFloatArray(values.length);
        for (int i = 0; i < values.length; i++) {
            array.set(i, values[i]);
        }
        return array;
    }

    /** A copy of {@code values}. */
    public static HalfFloatArray fromElements(HalfFloat... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static HalfFloatArray fromSegment(MemorySegment segment) {
        return new HalfFloatArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static HalfFloatArray fromSegmentShallow(MemorySegment segment) {
        return new HalfFloatArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(HalfFloatArray array, HalfFloat value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public HalfFloat[] toHeapArray() {
        HalfFloat[] values = new HalfFloat[getSize()];
        for (int i = 0; i < values.length; i++) {
            values[i] = get(i);
        }
        return values;
    }

    /** The elements' bits. */
    public short[] toShortArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_SHORT);
    }

    public void set(int index, HalfFloat value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_SHORT, index, value.getHalfFloatValue());
    }

    public HalfFloat get(int index) {
        checkRead(index);
        return new HalfFloat(data.getAtIndex(ValueLayout.JAVA_SHORT, index));
    }

    /** Sets every element. */
    public void init(HalfFloat value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_SHORT, i, value.getHalfFloatValue());
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public HalfFloatArray slice(int offset, int length) {
        return new HalfFloatArray(copyOfRange(offset, length));
    }

    @Override
    HalfFloatArray withMemory(ArrayMemory other) {
        return new HalfFloatArray(other);
    }
}
