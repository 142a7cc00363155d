package org.tornadodit.model;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * What a reader may cost a fuzz target: a second of processor time, and heap in proportion to its input. Time and bytes
 * are the thread's own, so that a busy machine fails nothing.
 */
public final class FuzzBounds {

    /** CPU time of one input, nanoseconds; the second one of the same input counts, as compilers and caches are cold. */
    private static final long MOST_NANOSECONDS = 1_000_000_000L;

    /** Bytes that one input may have allocated, however small it is. */
    private static final long MOST_BYTES = 192L << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private FuzzBounds() {}

    /**
     * Runs a target within the bounds.
     *
     * @param target refuses in one printable line, by an exception of {@code refusal}
     * @throws AssertionError when it takes longer, allocates more, or refuses in another way
     */
    public static void check(Class<? extends RuntimeException> refusal, Runnable target) {
        if (run(refusal, target)) {
            return;
        }
        if (!run(refusal, target)) {
            throw new AssertionError("more than a second of processor time");
        }
    }

    private static boolean run(Class<? extends RuntimeException> refusal, Runnable target) {
        long time = THREADS.getCurrentThreadCpuTime();
        long bytes = THREADS.getCurrentThreadAllocatedBytes();
        try {
            target.run();
        } catch (RuntimeException e) {
            if (!refusal.isInstance(e)) {
                throw e;
            }
            requireOneLine(String.valueOf(e.getMessage()));
        }
        long allocated = THREADS.getCurrentThreadAllocatedBytes() - bytes;
        if (allocated > MOST_BYTES) {
            throw new AssertionError("allocated " + allocated + " bytes");
        }
        return THREADS.getCurrentThreadCpuTime() - time <= MOST_NANOSECONDS;
    }

    private static void requireOneLine(String message) {
        if (message.length() > 1000 || message.chars().anyMatch(Character::isISOControl)) {
            throw new AssertionError("not one printable line: " + message);
        }
        if (message.contains("com.google.gson")
                || message.contains("net.razorvine")
                || message.contains("JsonReader.")) {
            throw new AssertionError("speaks of classes: " + message);
        }
    }
}
