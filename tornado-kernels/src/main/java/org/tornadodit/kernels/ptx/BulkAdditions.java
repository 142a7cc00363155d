package org.tornadodit.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The bulk copies out of shared memory of one thread, in their groups. */
final class BulkAdditions {
    private List<BulkAddition> begun = new ArrayList<>();
    private final Deque<List<BulkAddition>> groups = new ArrayDeque<>();

    void add(BulkAddition addition) {
        begun.add(addition);
    }

    void commit() {
        groups.add(begun);
        begun = new ArrayList<>();
    }

    void awaitReads(int pending, SharedMemoryBytes memory) {
        while (groups.size() > pending) {
            groups.remove().forEach(addition -> addition.finish(memory));
        }
    }

    /** Throws when the thread has not awaited all reads. */
    void finish() {
        if (!begun.isEmpty() || !groups.isEmpty()) {
            throw new IllegalStateException("the block has ended while a thread's bulk copies are under way");
        }
    }
}
