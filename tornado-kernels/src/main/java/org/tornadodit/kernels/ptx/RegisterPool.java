package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;

/** The registers of a block on the host: who asks for more than others have given back waits for ever, as on a GPU. */
final class RegisterPool {
    private static final int OF_MULTIPROCESSOR = 65536;
    private static final int MOST = 255;
    private static final int GRANULARITY = 8;

    private final int launched;
    private int left;

    /** A kernel of so many threads is compiled for all registers that there are, for each thread the same number. */
    RegisterPool(int threads) {
        launched = Math.min(MOST, OF_MULTIPROCESSOR / threads / GRANULARITY * GRANULARITY);
    }

    /** A thread takes what it lacks. */
    void increase(WorkItem item, int registers) {
        int more = Math.max(0, registers - launched);
        while (left < more) { // several are let go on by what one gives back
            item.await(() -> left >= more, () -> more + " more registers; " + left + " are left");
        }
        left -= more;
    }

    /** A thread gives back what it does not need. */
    void decrease(int registers) {
        left += Math.max(0, launched - registers);
    }
}
