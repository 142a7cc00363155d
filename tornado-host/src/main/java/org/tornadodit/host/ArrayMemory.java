package org.tornadodit.host;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;
import uk.ac.manchester.tornado.api.exceptions.TornadoRuntimeException;

/**
 * The memory of one native array, on the host or in a device's buffer, and what is known of its contents.
 *
 * <p>Arrays ask {@link #beforeRead()} and {@link #beforeWrite()} at every access; both are one comparison as long as
 * there is nothing to say. The state is a plain field: work items of several groups may write it at once, and all of
 * them write the same value.
 */
public final class ArrayMemory {
    /** Byte that fills memory nobody has written: floats and halves read NaN, integers -1. */
    static final byte POISON = (byte) 0xFF;

    /** Number of bytes in front of the first element. */
    public static final long HEADER_BYTES = 16;

    /** What may be done with the contents. The order matters: from {@link #UPLOADED} on, writes are to be noted. */
    private static final int CURRENT = 0;

    /** Host: a device has a copy. Device: the same as on the host. */
    private static final int UPLOADED = 1;

    /** From here on, reads are errors. Device: allocated, never written. */
    private static final int UNDEFINED = 2;

    /** Host: a kernel has written the device's copy, and it has not been transferred since. */
    private static final int STALE = 3;

    /** Device: the buffer has been freed. */
    private static final int FREED = 4;

    /** Bytes before and after a device's array that nobody may write. */
    private static final long GUARD_BYTES = 256;

    private static final byte GUARD = (byte) 0xA5;

    private final MemorySegment whole;
    private final MemorySegment data;
    private final @Nullable Guards guards;
    private int state = CURRENT;
    private int version;
    private String label = "";

    private ArrayMemory(MemorySegment whole, @Nullable Guards guards) {
        this.whole = whole;
        this.data = whole.asSlice(HEADER_BYTES);
        this.guards = guards;
    }

    /** What lies before a device's elements, header included, and behind them, and what it has to be. */
    private record Guards(MemorySegment before, MemorySegment after, byte[] beforeWas, byte[] afterWas) {
        static Guards of(MemorySegment before, MemorySegment after) {
            return new Guards(
                    before, after, before.toArray(ValueLayout.JAVA_BYTE), after.toArray(ValueLayout.JAVA_BYTE));
        }

        /** The first byte that has changed, counted from the first element; empty when none has. */
        OptionalLong changed(long dataBytes) {
            long at = before.mismatch(MemorySegment.ofArray(beforeWas));
            if (at >= 0) {
                return OptionalLong.of(at - before.byteSize());
            }
            at = after.mismatch(MemorySegment.ofArray(afterWas));
            return at >= 0 ? OptionalLong.of(dataBytes + at) : OptionalLong.empty();
        }
    }

    /** Zeroed memory for that many elements. */
    public static ArrayMemory allocate(int elements, int elementBytes) {
        if (elements < 0) {
            throw new IllegalArgumentException("an array cannot have " + elements + " elements");
        }
        MemorySegment segment = Arena.ofAuto().allocate(HEADER_BYTES + (long) elements * elementBytes, 16);
        segment.set(ValueLayout.JAVA_INT, 0, elements);
        return new ArrayMemory(segment, null);
    }

    /** Memory of a device between two guards, see {@link #checkGuards}. */
    static ArrayMemory allocateOnDevice(int elements, int elementBytes) {
        long bytes = HEADER_BYTES + (long) elements * elementBytes;
        MemorySegment all = Arena.ofAuto().allocate(GUARD_BYTES + bytes + GUARD_BYTES, 16);
        all.asSlice(0, GUARD_BYTES).fill(GUARD);
        all.asSlice(GUARD_BYTES + bytes).fill(GUARD);
        all.set(ValueLayout.JAVA_INT, GUARD_BYTES, elements);
        Guards guards = Guards.of(all.asSlice(0, GUARD_BYTES + HEADER_BYTES), all.asSlice(GUARD_BYTES + bytes));
        return new ArrayMemory(all.asSlice(GUARD_BYTES, bytes), guards);
    }

    /** Memory given by the user, header included; the header's first int becomes the number of elements. */
    public static ArrayMemory over(MemorySegment segment, int elementBytes) {
        long bytes = segment.byteSize() - HEADER_BYTES;
        if (bytes < 0 || bytes % elementBytes != 0 || bytes / elementBytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("a segment of " + segment.byteSize() + " bytes is not " + HEADER_BYTES
                    + " bytes of header and a whole number of elements of " + elementBytes + " bytes");
        }
        segment.set(ValueLayout.JAVA_INT_UNALIGNED, 0, (int) (bytes / elementBytes));
        return new ArrayMemory(segment, null);
    }

    /** Header and elements. */
    public MemorySegment whole() {
        return whole;
    }

    /** The elements alone; the caller goes on to read or write them unchecked, see {@link #escaping()}. */
    public MemorySegment data() {
        return data;
    }

    /** To be called before an element is read. */
    public void beforeRead() {
        if (state >= UNDEFINED) {
            throw unreadable();
        }
    }

    /** To be called before an element is written. */
    public void beforeWrite() {
        if (state != CURRENT) {
            noteWrite();
        }
    }

    /**
     * To be called before the segment itself is handed out. Nobody sees what is done with it, so a stale array is
     * filled with NaN (-1) first: whoever reads finds no plausible picture, whoever writes all of it loses nothing.
     */
    public void escaping() {
        if (state == STALE) {
            noteWrite();
        } else if (state == FREED) {
            throw unreadable();
        }
    }

    /** To be called before all elements are written: nothing old is left that could be read by mistake. */
    public void markAllWritten() {
        if (state == STALE) {
            state = CURRENT;
        }
        beforeWrite();
    }

    private void noteWrite() {
        switch (state) {
            case STALE -> data.fill(POISON);
            case UPLOADED -> version++;
            case FREED -> throw unreadable();
            default -> {}
        }
        state = CURRENT;
    }

    private TornadoRuntimeException unreadable() {
        return new TornadoRuntimeException(
                switch (state) {
                    case STALE -> "stale read on the host: " + label + "; transfer it to the host before reading it";
                    case FREED -> "use of freed device memory: " + label;
                    default ->
                        "read of undefined device memory: " + label
                                + " was neither transferred nor written by a task of this execution";
                });
    }

    /** Host side: marks the elements as older than the device's. */
    void markStale(String why) {
        label = why;
        state = STALE;
    }

    /** Host side: the elements are the newest there are. */
    void markCurrent() {
        state = CURRENT;
    }

    /** Host side: the elements have been copied to a device; the next change makes a new {@link #version()}. */
    int noteUpload() {
        if (state == CURRENT) {
            state = UPLOADED;
        }
        return version;
    }

    /** Host side: counts the changes after uploads, as far as they are seen. */
    int version() {
        return version;
    }

    /** The name of a device's array, for errors; empty for an array of the host. */
    public String deviceName() {
        return guards == null ? "" : label;
    }

    /**
     * Device side: throws when something was written beside the elements.
     *
     * @param task that ran last
     * @param elementBytes to count the index by
     */
    void checkGuards(String task, int elementBytes) {
        OptionalLong changed = guards == null ? OptionalLong.empty() : guards.changed(data.byteSize());
        if (changed.isPresent()) {
            throw new TornadoRuntimeException(
                    "task " + task + ": index " + Math.floorDiv(changed.getAsLong(), elementBytes) + " is outside "
                            + label + ", and was written past all checks");
        }
    }

    /** Device side: contents undefined, all bytes poisoned. */
    void markUndefined(String name) {
        data.fill(POISON);
        label = name;
        state = UNDEFINED;
    }

    /** Device side: contents are defined, and the next write is to be noticed. */
    void markSynchronized(String name) {
        label = name;
        state = UPLOADED;
    }

    void markFreed(String why) {
        label = why;
        state = FREED;
    }

    /** Device side: some element was written since {@link #markSynchronized}. */
    boolean isNewerThanHost() {
        return state == CURRENT;
    }

    boolean isUndefined() {
        return state == UNDEFINED;
    }
}
