package org.tornadodit.kernels;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;
import org.tornadodit.kernels.ptx.PinnedPages;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Host memory for arrays of devices: whole pages, used again but never given back. A page that nobody writes takes no
 * memory.
 *
 * <p>TornadoVM's PTX backend pins the memory of each array, which the driver does by pages, and takes an array whose
 * pages are pinned in part for pinned: a copy that crosses the border then fails with a line in the log and nothing
 * else. So arrays share no page. It also leaves arrays pinned that live on the device only, when their plan is closed,
 * so that memory given back could come again half pinned: pages serve again for arrays of the same size only.
 *
 * <p>An array that lives on the device only has the same bytes on the host, for TornadoVM knows no other, and pinning
 * would give each of them memory. Of such an array the first page alone is pinned, before TornadoVM comes.
 */
public final class ArrayPages {
    static final long PAGE_BYTES = 4096;

    /** Of the process, as what is pinned is: memory that no array uses. */
    private static final Map<Kind, Deque<MemorySegment>> FREE = new HashMap<>();

    private static final Cleaner CLEANER = Cleaner.create();

    /** Memory that may serve again for the same. */
    private record Kind(long bytes, boolean deviceOnly) {}

    private ArrayPages() {}

    /** Zeros, in memory that devices can copy. */
    public static FloatArray floats(int elements) {
        return array(elements, false, FloatArray::fromSegmentShallow);
    }

    /** As {@link #floats}. */
    public static IntArray ints(int elements) {
        return array(elements, false, IntArray::fromSegmentShallow);
    }

    /**
     * An array that kernels write and read, and that is never copied to or from the host. To be called on a thread that
     * has a device's context, where there is one.
     */
    public static FloatArray deviceFloats(int elements) {
        return array(elements, true, FloatArray::fromSegmentShallow);
    }

    /** As {@link #deviceFloats}. */
    public static IntArray deviceInts(int elements) {
        return array(elements, true, IntArray::fromSegmentShallow);
    }

    /**
     * An array in pages of its own.
     *
     * @param over makes the array of memory for a header and the elements, which is the array's as long as it is reachable
     */
    private static <A extends TornadoNativeArray> A array(
            int elements, boolean deviceOnly, Function<MemorySegment, A> over) {
        Kind kind = new Kind(TornadoNativeArray.ARRAY_HEADER + (long) elements * Float.BYTES, deviceOnly);
        MemorySegment memory = take(kind);
        A array = over.apply(memory);
        CLEANER.register(array, () -> giveBack(kind, memory));
        return array;
    }

    private static synchronized MemorySegment take(Kind kind) {
        Deque<MemorySegment> free = FREE.get(kind);
        if (free != null && !free.isEmpty()) {
            MemorySegment used = free.removeLast();
            return kind.deviceOnly() ? used : used.fill((byte) 0);
        }
        long pages = Math.ceilDiv(kind.bytes(), PAGE_BYTES) * PAGE_BYTES;
        MemorySegment memory = UntouchedMemory.allocate(pages, PAGE_BYTES);
        if (kind.deviceOnly() && pages > PAGE_BYTES) {
            PinnedPages.onClassPath().pin(memory.asSlice(0, PAGE_BYTES));
        }
        return memory.asSlice(0, kind.bytes());
    }

    private static synchronized void giveBack(Kind kind, MemorySegment memory) {
        FREE.computeIfAbsent(kind, any -> new ArrayDeque<>()).addLast(memory);
    }
}
