package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.IntBuffer;
import org.tornadodit.host.ArrayMemory;

/** 32-bit integers in native memory. */
public final class IntArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 4;

    private IntArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public IntArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static IntArray concat(IntArray... arrays) {
        return new IntArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static IntArray fromArray(int[] values) {
        return new IntArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static IntArray fromElements(int... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static IntArray fromSegment(MemorySegment segment) {
        return new IntArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static IntArray fromSegmentShallow(MemorySegment segment) {
        return new IntArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static IntArray fromIntBuffer(IntBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(IntArray array, int value) {
        array.init(value);
    }

    /** A copy on Java's heap. */
    public int[] toHeapArray() {
        memory.beforeRead();
        return data.toArray(ValueLayout.JAVA_INT);
    }

    public void set(int index, int value) {
        checkWrite(index);
        data.setAtIndex(ValueLayout.JAVA_INT, index, value);
    }

    public int get(int index) {
        checkRead(index);
        return data.getAtIndex(ValueLayout.JAVA_INT, index);
    }

    /** Sets every element. */
    public void init(int value) {
        memory.markAllWritten();
        for (int i = 0; i < getSize(); i++) {
            data.setAtIndex(ValueLayout.JAVA_INT, i, value);
        }
    }

    @Override
    public void clear() {
        super.clear();
    }

    /** A copy of {@code length} elements from {@code offset} on. */
    public IntArray slice(int offset, int length) {
        return new IntArray(copyOfRange(offset, length));
    }

    @Override
    IntArray withMemory(ArrayMemory other) {
        return new IntArray(other);
    }
}
