package org.tornadodit.model;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * What a reader may cost a fuzz target: a second of processor time, and heap in proportion to its input. Time and bytes
 * are the thread's own, so that a busy machine fails nothing, and those of the second of two runs: in the first one, classes
 * may be loaded and instrumented.
 */
public final class FuzzBounds {

    /** CPU time of one input, nanoseconds. */
    private static final long MOST_NANOSECONDS = 1_000_000_000L;

    /** Bytes that one input may have allocated, however small it is. */
    private static final long MOST_BYTES = 192L << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /** What one run took. */
    private record Cost(long nanoseconds, long bytes) {
        boolean isBounded() {
            return nanoseconds <= MOST_NANOSECONDS && bytes <= MOST_BYTES;
        }
    }

    private FuzzBounds() {}

    /**
     * Runs a target within the bounds.
     *
     * @param target refuses in one printable line, by an exception of {@code refusal}
     * @throws AssertionError when it takes longer, allocates more, or refuses in another way
     */
    public static void check(Class<? extends RuntimeException> refusal, Runnable target) {
        Cost cold = run(refusal, target);
        if (!cold.isBounded()) {
            Cost warm = run(refusal, target);
            if (!warm.isBounded()) {
                throw new AssertionError("not in proportion: " + warm);
            }
        }
    }

    private static Cost run(Class<? extends RuntimeException> refusal, Runnable target) {
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
        return new Cost(THREADS.getCurrentThreadCpuTime() - time, THREADS.getCurrentThreadAllocatedBytes() - bytes);
    }

    private static void requireOneLine(String message) {
        if (message.length() > 1000 || message.chars().anyMatch(Character::isISOControl)) {
            throw new AssertionError("not one printable line: " + message);
        }
    }
}
