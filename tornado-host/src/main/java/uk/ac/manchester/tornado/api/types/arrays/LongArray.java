package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.LongBuffer;
import org.tornadodit.host.ArrayMemory;

/** 64-bit integers in native memory. */
public final class LongArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 8;

    private LongArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public LongArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static LongArray concat(LongArray... arrays) {
        return new LongArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static LongArray fromArray(long[] values) {
        return new LongArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static LongArray fromElements(long... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static LongArray fromSegment(MemorySegment segment) {
        return new LongArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static LongArray fromSegmentShallow(MemorySegment segment) {
        return new LongArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static LongArray fromLongBuffer(LongBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(LongArray array, long value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public long[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_LONG);
    }

    public void set(int index, long value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_LONG, index, value);
    }

    public long get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_LONG, index);
    }

    /** Sets every element. */
    public void init(long value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_LONG, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public LongArray slice(int offset, int length) {
        return new LongArray(copyOfRange(offset, length));
    }

    @Override
    LongArray withMemory(ArrayMemory other) {
        return new LongArray(other);
    }
}
