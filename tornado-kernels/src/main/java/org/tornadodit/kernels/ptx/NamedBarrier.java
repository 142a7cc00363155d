package org.tornadodit.kernels.ptx;

import java.util.Arrays;
import org.tornadodit.virtual.WorkItem;

/** A barrier of some of a block's warps. */
final class NamedBarrier {
    private static final int WARP = 32;

    private final int id;
    private final int[] arrivedOfWarp = new int[32];
    private int threads;
    private int arrived;
    private int generation;

    NamedBarrier(int id) {
        this.id = id;
    }

    void await(WorkItem item, int expected) {
        if (expected < WARP || expected % WARP != 0 || expected > item.groupSize()) {
            throw new IllegalArgumentException("barrier " + id + " of " + expected
                    + " threads: it takes whole warps of the block's " + item.groupSize() + " threads");
        }
        if (arrived > 0 && threads != expected) {
            throw new IllegalStateException(
                    "barrier " + id + " is for " + expected + " threads here and for " + threads + " elsewhere");
        }
        threads = expected;
        arrivedOfWarp[item.index() / WARP]++;
        arrived++;
        if (arrived == threads) {
            open();
        } else {
            int own = generation;
            item.await(
                    () -> generation != own,
                    () -> "barrier " + id + " of " + threads + " threads, to which " + arrived + " have come");
        }
    }

    private void open() {
        for (int count : arrivedOfWarp) {
            if (count % WARP != 0) {
                throw new IllegalStateException("of a warp only " + count + " lanes have come to barrier " + id + " of "
                        + threads + " threads, which is full");
            }
        }
        Arrays.fill(arrivedOfWarp, 0);
        arrived = 0;
        generation++;
    }
}
