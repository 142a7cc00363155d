package org.tornadodit.kernels;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Host memory for arrays that are copied to and from devices: whole pages, used again but never given back.
 *
 * <p>TornadoVM's PTX backend pins the memory of each array, which the driver does by pages, and takes an array whose
 * pages are pinned in part for pinned: a copy that crosses the border then fails with a line in the log and nothing
 * else. So arrays share no page. It also leaves arrays pinned that live on the device only, when their plan is closed,
 * so that memory given back could come again half pinned: pages serve again for arrays of the same size only.
 */
public final class ArrayPages {
    private static final long PAGE_BYTES = 4096;

    /** Of the process, as what is pinned is: memory that no array uses, by its bytes. */
    private static final Map<Long, Deque<MemorySegment>> FREE = new HashMap<>();

    private static final Cleaner CLEANER = Cleaner.create();

    private ArrayPages() {}

    /** Zeros, in memory that devices can copy. */
    public static FloatArray floats(int elements) {
        return array((long) elements * Float.BYTES, FloatArray::fromSegmentShallow);
    }

    /** As {@link #floats}. */
    public static IntArray ints(int elements) {
        return array((long) elements * Integer.BYTES, IntArray::fromSegmentShallow);
    }

    /**
     * An array in pages of its own, all zero.
     *
     * @param bytes of its elements
     * @param over makes the array of memory for a header and the elements, which is the array's as long as it is reachable
     */
    private static <A extends TornadoNativeArray> A array(long bytes, Function<MemorySegment, A> over) {
        MemorySegment memory = take(TornadoNativeArray.ARRAY_HEADER + bytes);
        A array = over.apply(memory);
        CLEANER.register(array, () -> giveBack(memory));
        return array;
    }

    private static synchronized MemorySegment take(long bytes) {
        Deque<MemorySegment> free = FREE.get(bytes);
        if (free == null || free.isEmpty()) {
            long pages = Math.ceilDiv(bytes, PAGE_BYTES) * PAGE_BYTES;
            return Arena.global().allocate(pages, PAGE_BYTES).asSlice(0, bytes);
        }
        return free.removeLast().fill((byte) 0);
    }

    private static synchronized void giveBack(MemorySegment memory) {
        FREE.computeIfAbsent(memory.byteSize(), any -> new ArrayDeque<>()).addLast(memory);
    }
}
