package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import org.tornadodit.host.ArrayMemory;
import uk.ac.manchester.tornado.api.types.HalfFloat;

/** Bytes in native memory. */
public final class ByteArray extends TornadoNativeArray {
    private static final int ELEMENT_BYTES = 1;

    private ByteArray(ArrayMemory memory) {
        super(memory, ELEMENT_BYTES);
    }

    /** An array of {@code numberOfElements} zeros. */
    public ByteArray(int numberOfElements) {
        this(ArrayMemory.allocate(numberOfElements, ELEMENT_BYTES));
    }

    /** A copy of all elements of {@code arrays}, in order. */
    public static ByteArray concat(ByteArray... arrays) {
        return new ByteArray(concatenate(arrays, ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static ByteArray fromArray(byte[] values) {
        return new ByteArray(copyOf(MemorySegment.ofArray(values), ELEMENT_BYTES));
    }

    /** A copy of {@code values}. */
    public static ByteArray fromElements(byte... values) {
        return fromArray(values);
    }

    /** A copy of a segment that holds elements and no header. */
    public static ByteArray fromSegment(MemorySegment segment) {
        return new ByteArray(copyOf(segment, ELEMENT_BYTES));
    }

    /** A view of a segment that starts with a header of {@link #ARRAY_HEADER} bytes; the header is overwritten. */
    public static ByteArray fromSegmentShallow(MemorySegment segment) {
        return new ByteArray(ArrayMemory.over(segment, ELEMENT_BYTES));
    }

    /** A copy of what remains in {@code buffer}. */
    public static ByteArray fromByteBuffer(ByteBuffer buffer) {
        return fromSegment(MemorySegment.ofBuffer(buffer));
    }

    /** Sets every element of {@code array}. */
    public static void initialize(ByteArray array, byte value) {
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

    /** The half-precision number whose two bytes start at byte {@code index}. */
    public HalfFloat getHalfFloat(int index) {
        checkRead(index);
        checkRead(index + 1);
        return new HalfFloat(data.get(ValueLayout.JAVA_SHORT_UNALIGNED, index));
    }

    /** Writes a half-precision number to the two bytes that start at byte {@code index}. */
    public void setHalfFloat(int index, HalfFloat value) {
        checkWrite(index);
        checkWrite(index + 1);
        data.set(ValueLayout.JAVA_SHORT_UNALIGNED, index, value.getHalfFloatValue());
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
    public ByteArray slice(int offset, int length) {
        return new ByteArray(copyOfRange(offset, length));
    }

    @Override
    ByteArray withMemory(ArrayMemory other) {
        return new ByteArray(other);
    }
}
