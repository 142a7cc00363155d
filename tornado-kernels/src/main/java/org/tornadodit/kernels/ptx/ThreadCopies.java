package org.tornadodit.kernels.ptx;

import java.util.ArrayDeque;
import java.util.Deque;

/** The cp.async copies of one thread: they arrive in order, when it waits for their group or a barrier needs them. */
final class ThreadCopies {
    private final Deque<AsyncCopy> underWay = new ArrayDeque<>();
    private final Deque<Integer> groups = new ArrayDeque<>();
    private final Deque<Report> reports = new ArrayDeque<>();
    private int begun;
    private int done;

    /** An arrival at a barrier once as many copies are done. */
    private record Report(BarrierState barrier, int copies) {}

    void add(AsyncCopy copy) {
        underWay.add(copy);
        begun++;
    }

    void commit() {
        groups.add(begun);
    }

    /** Copies of all groups but the last {@code pending} arrive. */
    void await(int pending, SharedMemoryBytes memory) {
        while (groups.size() > pending) {
            finish(groups.remove(), memory);
        }
    }

    /** Arrives at the barrier when the copies so far are done. */
    void report(BarrierState barrier) {
        if (done == begun) {
            barrier.arrive();
        } else {
            reports.add(new Report(barrier, begun));
            barrier.add(this);
        }
    }

    /** The copies arrive that the thread's next report to the barrier needs. */
    void finish(BarrierState barrier, SharedMemoryBytes memory) {
        for (Report report : reports) {
            if (report.barrier == barrier) {
                finish(report.copies, memory);
                return;
            }
        }
        throw new IllegalStateException("no report to " + barrier);
    }

    private void finish(int copies, SharedMemoryBytes memory) {
        while (done < copies) {
            memory.end(underWay.remove());
            done++;
        }
        while (!reports.isEmpty() && reports.getFirst().copies <= done) {
            reports.remove().barrier.arrive(this);
        }
    }
}
