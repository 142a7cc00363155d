package org.tornadodit.kernels.ptx;

import java.lang.foreign.MemorySegment;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * A copy from global to shared memory that is under way. The target is undefined from the start, and the source is read
 * at the end: whoever overwrites a stage that is still read, or reads one that has not come, gets NaN.
 *
 * @param address of the target
 * @param from first byte of the source
 * @param bytes that are read
 * @param length of the target; what is not read becomes zero
 * @param thread that wrote it by cp.async, or {@link #BULK}
 */
record AsyncCopy(int address, MemorySegment source, long from, int bytes, int length, int thread) {
    /** No thread: a bulk copy. */
    static final int BULK = -1;

    /** Begins a copy of ints, checking both sides. */
    static AsyncCopy of(
            SharedMemoryBytes memory, int address, IntArray source, int index, int bytes, int length, int thread) {
        Alignment.check(index, 4);
        if (bytes > 0) {
            // Bounds, and whether there is anything to read.
            source.get(index);
            source.get(index + (bytes - 1) / 4);
        }
        return begin(memory, new AsyncCopy(address, source.getSegment(), 4L * index, bytes, length, thread));
    }

    /** Begins a copy of floats, checking both sides. */
    static AsyncCopy of(
            SharedMemoryBytes memory, int address, FloatArray source, int index, int bytes, int length, int thread) {
        Alignment.check(index, 4);
        if (bytes > 0) {
            source.get(index);
            source.get(index + (bytes - 1) / 4);
        }
        return begin(memory, new AsyncCopy(address, source.getSegment(), 4L * index, bytes, length, thread));
    }

    private static AsyncCopy begin(SharedMemoryBytes memory, AsyncCopy copy) {
        if (copy.bytes < 0 || copy.bytes > copy.length || copy.length % 16 != 0) {
            throw new IllegalArgumentException(
                    "a copy of " + copy.bytes + " of " + copy.length + " bytes: it has a multiple of 16");
        }
        memory.begin(copy);
        return copy;
    }
}
