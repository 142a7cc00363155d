package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.CharBuffer;
import org.tornadodit.host.ArrayMemory;

/** 16-bit characters in native memory. */
public final class CharArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 2;

    private CharArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public CharArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static CharArray concat(CharArray... arrays) {
        return new CharArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static CharArray fromArray(char[] values) {
        return new CharArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static CharArray fromElements(char... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static CharArray fromSegment(MemorySegment segment) {
        return new CharArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static CharArray fromSegmentShallow(MemorySegment segment) {
        return new CharArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static CharArray fromCharBuffer(CharBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(CharArray array, char value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public char[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_CHAR);
    }

    public void set(int index, char value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_CHAR, index, value);
    }

    public char get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_CHAR, index);
    }

    /** Sets every element. */
    public void init(char value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_CHAR, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public CharArray slice(int offset, int length) {
        return new CharArray(copyOfRange(offset, length));
    }

    @Override
    CharArray withMemory(ArrayMemory other) {
        return new CharArray(other);
    }
}
