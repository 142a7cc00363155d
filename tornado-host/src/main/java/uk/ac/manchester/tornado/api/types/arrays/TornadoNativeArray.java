package uk.ac.manchester.tornado.api.types.arrays;

import java.lang.foreign.MemorySegment;
import org.tornadodit.host.ArrayMemory;

/**
 * A fixed number of elements of one primitive type in native memory, behind a header of {@link #ARRAY_HEADER} bytes
 * whose first int is the number of elements.
 */
public abstract sealed class TornadoNativeArray
        permits ByteArray,
                CharArray,
                DoubleArray,
                FloatArray,
                HalfFloatArray,
                Int8Array,
                IntArray,
                LongArray,
                ShortArray {
    /** Number of bytes in front of the first element. No constant for compilers to copy: TornadoVM's is set when the JVM starts. */
    public static final long ARRAY_HEADER = header();

    private static long header() {
        return ArrayMemory.HEADER_BYTES;
    }

    /** Contents and what is known of them. */
    final ArrayMemory memory;

    /** The elements, without the header. */
    final MemorySegment data;

    private final int elementBytes;
    private final int size;

    TornadoNativeArray(ArrayMemory memory, int elementBytes) {
        this.memory = memory;
        this.data = memory.data();
        this.elementBytes = elementBytes;
        this.size = (int) (data.byteSize() / elementBytes);
    }

    /** An array of this one's type over other memory: how a kernel sees a device's copy. */
    abstract TornadoNativeArray withMemory(ArrayMemory other);

    ArrayMemory memory() {
        return memory;
    }

    /** Refuses indices outside the array and contents that must not be read. */
    final void checkRead(int index) {
        if (index < 0 || index >= size) {
            throw outOfBounds(index);
        }
        memory.beforeRead();
    }

    /** Refuses indices outside the array and notes the write. */
    final void checkWrite(int index) {
        if (index < 0 || index >= size) {
            throw outOfBounds(index);
        }
        memory.beforeWrite();
    }

    private IndexOutOfBoundsException outOfBounds(int index) {
        String name = memory.deviceName();
        return new IndexOutOfBoundsException("index " + index + " is outside "
                + (name.isEmpty() ? getClass().getSimpleName() + " of " + size + " elements" : name));
    }

    /** Copies elements from a segment that holds nothing else. */
    static ArrayMemory copyOf(MemorySegment elements, int elementBytes) {
        if (elements.byteSize() % elementBytes != 0) {
            throw new IllegalArgumentException("a segment of " + elements.byteSize()
                    + " bytes is not a whole number of elements of " + elementBytes + " bytes");
        }
        ArrayMemory copy = ArrayMemory.allocate(Math.toIntExact(elements.byteSize() / elementBytes), elementBytes);
        copy.data().copyFrom(elements);
        return copy;
    }

    /** Copies all elements of the arrays, one array after the other. */
    static ArrayMemory concatenate(TornadoNativeArray[] arrays, int elementBytes) {
        long total = 0;
        for (TornadoNativeArray array : arrays) {
            total += array.getSize();
        }
        ArrayMemory joined = ArrayMemory.allocate(Math.toIntExact(total), elementBytes);
        long offset = 0;
        for (TornadoNativeArray array : arrays) {
            array.memory.beforeRead();
            MemorySegment.copy(array.data, 0, joined.data(), offset, array.getNumBytesOfSegment());
            offset += array.getNumBytesOfSegment();
        }
        return joined;
    }

    /** Copies elements {@code offset} to {@code offset + length}. */
    final ArrayMemory copyOfRange(int offset, int length) {
        if (offset < 0 || length < 0 || (long) offset + length > size) {
            throw new IllegalArgumentException(
                    "elements " + offset + " to " + ((long) offset + length) + " are outside an array of " + size);
        }
        memory.beforeRead();
        return copyOf(data.asSlice((long) offset * elementBytes, (long) length * elementBytes), elementBytes);
    }

    /** Number of elements. */
    public int getSize() {
        return size;
    }

    /** The elements without the header. Writing through it is seen by this array, but not checked. */
    public MemorySegment getSegment() {
        memory.escaping();
        return data;
    }

    /** Header and elements. */
    public MemorySegment getSegmentWithHeader() {
        memory.escaping();
        return memory.whole();
    }

    /** Bytes of header and elements. */
    public long getNumBytesOfSegmentWithHeader() {
        return memory.whole().byteSize();
    }

    /** Bytes of the elements. */
    public long getNumBytesOfSegment() {
        return data.byteSize();
    }

    /** Sets all elements to zero. */
    protected void clear() {
        memory.markAllWritten();
        data.fill((byte) 0);
    }

    /** Bytes of one element. */
    public int getElementSize() {
        return elementBytes;
    }
}
