package org.tornadodit.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** The bulk copies out of shared memory of one thread, in their groups. */
final class BulkAdditions {
    private List<BulkAddition> begun = new ArrayList<>();
    private final Deque<List<BulkAddition>> groups = new ArrayDeque<>();
    private boolean awaited = true;

    void add(BulkAddition addition) {
        begun.add(addition);
        awaited = false;
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

    void await(SharedMemoryBytes memory) {
        awaitReads(0, memory);
        awaited = begun.isEmpty();
    }

    /** Throws when the thread has not awaited all. */
    void finish() {
        if (!awaited) {
            throw new IllegalStateException("the block has ended while a thread's bulk copies are under way");
        }
    }
}
