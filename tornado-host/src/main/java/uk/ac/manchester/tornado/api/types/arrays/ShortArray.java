package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ShortBuffer;
import org.tornadodit.host.ArrayMemory;

/** 16-bit integers in native memory. */
public final class ShortArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 2;

    private ShortArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public ShortArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static ShortArray concat(ShortArray... arrays) {
        return new ShortArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static ShortArray fromArray(short[] values) {
        return new ShortArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static ShortArray fromElements(short... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static ShortArray fromSegment(MemorySegment segment) {
        return new ShortArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static ShortArray fromSegmentShallow(MemorySegment segment) {
        return new ShortArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static ShortArray fromShortBuffer(ShortBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(ShortArray array, short value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public short[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_SHORT);
    }

    public void set(int index, short value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_SHORT, index, value);
    }

    public short get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_SHORT, index);
    }

    /** Sets every element. */
    public void init(short value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_SHORT, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public ShortArray slice(int offset, int length) {
        return new ShortArray(copyOfRange(offset, length));
    }

    @Override
    ShortArray withMemory(ArrayMemory other) {
        return new ShortArray(other);
    }
}
