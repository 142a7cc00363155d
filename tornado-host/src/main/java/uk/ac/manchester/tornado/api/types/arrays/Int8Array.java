package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.tornadodit.host.ArrayMemory;

/** 8-bit integers in native memory. */
public final class Int8Array extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 1;

    private Int8Array(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public Int8Array(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static Int8Array concat(Int8Array... arrays) {
        return new Int8Array(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static Int8Array fromArray(byte[] values) {
        return new Int8Array(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static Int8Array fromElements(byte... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static Int8Array fromSegment(MemorySegment segment) {
        return new Int8Array(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static Int8Array fromSegmentShallow(MemorySegment segment) {
        return new Int8Array(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(Int8Array array, byte value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public byte[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_BYTE);
    }

    public void set(int index, byte value) {
        checkWrite(index);
        data.set(ValueLayout.JAVA_BYTE, index, value);
    }

    public byte get(int index) {
        checkRead(index);
        return data.get(ValueLayout.JAVA_BYTE, index);
    }

    /** Sets every element. */
    public void init(byte value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.set(ValueLayout.JAVA_BYTE, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public Int8Array slice(int offset, int length) {
        return new Int8Array(copyOfRange(offset, length));
    }

    @Override
    Int8Array withMemory(ArrayMemory other) {
        return new Int8Array(other);
    }
}
