package uk.ac.manchester.tornado.api;

import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** Some consecutive elements of an array, to transfer these alone. Without a size it reaches to the array's end. */
public class DataRange {
    private final TornadoNativeArray array;
    private long firstElement;
    private long elements;
    private long offsetBytes = -1;
    private long sizeBytes;

    public DataRange(TornadoNativeArray tornadoNativeArray) {
        this.array = tornadoNativeArray;
    }

    /** First element. */
    public DataRange withOffset(long offset) {
        firstElement = offset;
        return this;
    }

    /** Number of elements. */
    public DataRange withSize(long size) {
        elements = size;
        return this;
    }

    /** Computes bytes from elements, and checks them against the array. */
    public void materialize() {
        long count = elements == 0 ? array.getSize() - firstElement : elements;
        if (firstElement < 0 || count < 0 || firstElement + count > array.getSize()) {
            throw new TornadoRuntimeException("elements " + firstElement + " to " + (firstElement + count)
                    + " are outside an array of " + array.getSize());
        }
        offsetBytes = TornadoNativeArray.ARRAY_HEADER + firstElement * array.getElementSize();
        sizeBytes = count * array.getElementSize();
    }

    /** Bytes from the start of the header to the first element of the range. */
    public long getOffset() {
        checkMaterialized();
        return offsetBytes;
    }

    /** Bytes of the range. */
    public long getPartialSize() {
        checkMaterialized();
        return sizeBytes;
    }

    private void checkMaterialized() {
        if (offsetBytes < 0) {
            throw new TornadoRuntimeException("call materialize() before asking for bytes");
        }
    }

    public TornadoNativeArray getArray() {
        return array;
    }
}
