package org.tornadodit.kernels.ptx;

import java.util.ArrayList;
import java.util.List;

/** One mbarrier: its phase, what the phase still waits for, and the copies that will report to it. */
final class BarrierState {
    private static final int MAX_ARRIVALS = (1 << 20) - 1;

    private final int address;
    private final int arrivals;
    private final List<AsyncCopy> copies = new ArrayList<>();
    private final List<ThreadCopies> threads = new ArrayList<>();
    private int phase;
    private int missingArrivals;
    private long missingBytes;

    BarrierState(int address, int arrivals) {
        if (arrivals < 1 || arrivals > MAX_ARRIVALS) {
            throw new IllegalArgumentException(
                    "an mbarrier counts 1 to " + MAX_ARRIVALS + " arrivals, not " + arrivals);
        }
        this.address = address;
        this.arrivals = arrivals;
        this.missingArrivals = arrivals;
    }

    void arrive() {
        if (missingArrivals == 0) {
            throw new IllegalStateException("too many arrivals at " + this);
        }
        missingArrivals--;
        endPhase();
    }

    void expect(int bytes) {
        if (bytes < 0) {
            throw new IllegalArgumentException(bytes + " bytes cannot be expected");
        }
        missingBytes += bytes;
    }

    /** Whether the phase with that parity, the current or the one before, is over. */
    boolean isOver(int parity) {
        return (phase & 1) != parity;
    }

    /** A bulk copy that will report to the barrier. */
    void add(AsyncCopy copy) {
        copies.add(copy);
    }

    /** A thread that will arrive when its copies so far are done. */
    void add(ThreadCopies thread) {
        threads.add(thread);
    }

    boolean hasCopies() {
        return !copies.isEmpty() || !threads.isEmpty();
    }

    /** All copies that report to the barrier arrive. */
    void advance(SharedMemoryBytes memory) {
        while (!copies.isEmpty()) {
            AsyncCopy copy = copies.removeLast();
            memory.end(copy);
            missingBytes -= copy.length();
            endPhase();
        }
        while (!threads.isEmpty()) {
            threads.getFirst().finish(this, memory);
        }
    }

    /** The thread's copies are done. */
    void arrive(ThreadCopies thread) {
        threads.remove(thread);
        arrive();
    }

    /** Throws when bulk copies are still under way. */
    void finish() {
        if (!copies.isEmpty()) {
            throw new IllegalStateException(
                    "the block has ended while bulk copies to " + this + " are under way: nobody waited for them");
        }
    }

    private void endPhase() {
        if (missingArrivals > 0 || missingBytes > 0) {
            return;
        }
        long tooMany = -missingBytes;
        for (AsyncCopy copy : copies) {
            tooMany += copy.length();
        }
        if (tooMany > 0) {
            throw new IllegalStateException(
                    this + " gets " + tooMany + " bytes more than the phase was told to expect");
        }
        phase++;
        missingArrivals = arrivals;
    }

    @Override
    public String toString() {
        return "phase " + phase + " (parity " + (phase & 1) + ") of the mbarrier at address " + address + ", where "
                + missingArrivals + " of " + arrivals + " arrivals and " + missingBytes + " bytes are missing";
    }
}
