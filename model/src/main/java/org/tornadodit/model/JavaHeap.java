package org.tornadodit.model;

import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;

/** What fits into Java's heap, to be asked before work begins that would end in the middle. */
public final class JavaHeap {
    /** What a run takes besides its arrays. */
    private static final long BASE = 16L << 20;

    private JavaHeap() {}

    /** Bytes of the largest part of the heap: with some collectors an array has to lie in the old generation. */
    public static long room() {
        long most = Runtime.getRuntime().maxMemory();
        long largest = ManagementFactory.getMemoryPoolMXBeans().stream()
                .filter(pool -> pool.getType() == MemoryType.HEAP)
                .mapToLong(JavaHeap::largest)
                .max()
                .orElse(most);
        return Math.min(most, largest);
    }

    private static long largest(MemoryPoolMXBean pool) {
        long bytes = pool.getUsage().getMax();
        return bytes < 0 ? Long.MAX_VALUE : bytes; // undefined
    }

    /** Whether arrays of so many bytes in all fit. */
    public static boolean holds(long bytes) {
        return withRest(bytes) <= room();
    }

    /**
     * The end of an error's line.
     *
     * @return for example {@code about 830 MB of heap, Java has 126 MB; give more with DIT_JVM_OPTS=-Xmx2g}
     */
    public static String shortage(long bytes) {
        double share = (double) Runtime.getRuntime().maxMemory() / room();
        long option = (long) (withRest(bytes) * share) / (1L << 30) + 1;
        return "about %s of heap, Java has %s; give more with DIT_JVM_OPTS=-Xmx%dg"
                .formatted(ByteCount.of(withRest(bytes)), ByteCount.of(room()), option);
    }

    /** What is thrown where it has ended after all: one line. */
    public static IllegalStateException tooSmall(OutOfMemoryError e) {
        return new IllegalStateException(
                "Java's heap is too small (" + e.getMessage() + "); give more with DIT_JVM_OPTS=-Xmx...", e);
    }

    /** Besides arrays, and a collector's loss at their ends. */
    private static long withRest(long bytes) {
        return bytes + bytes / 16 + BASE;
    }
}
