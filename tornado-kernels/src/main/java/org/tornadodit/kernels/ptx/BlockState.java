package org.tornadodit.kernels.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;
import org.tornadodit.virtual.GroupState;
import org.tornadodit.virtual.WorkItem;

/**
 * What the instructions of one block share on the host: memory, barriers, copies and products under way. Copies that
 * end by themselves do so as late as possible, when no thread can go on, and in an order that is random but repeats.
 */
final class BlockState implements GroupState {
    private static final int WARPGROUP = 128;
    private static final long SEED = 20261123;

    private final SharedMemoryBytes memory;
    private final List<BarrierState> barriers = new ArrayList<>();
    private final @Nullable NamedBarrier[] named = new NamedBarrier[16];
    private final @Nullable ThreadCopies[] copies;
    private final @Nullable BulkAdditions[] additions;
    private final @Nullable WarpgroupProducts[] products;
    private final RegisterPool registers;
    private final SplittableRandom order = new SplittableRandom(SEED);

    private BlockState(int threads) {
        memory = new SharedMemoryBytes(threads);
        copies = new ThreadCopies[threads];
        additions = new BulkAdditions[threads];
        products = new WarpgroupProducts[threads / WARPGROUP];
        registers = new RegisterPool(threads);
    }

    /** The memory of the block that the calling thread is in. */
    static SharedMemoryBytes currentMemory() {
        return of(WorkItem.current()).memory;
    }

    /** The state of the block that {@code item} is a thread of. */
    static BlockState of(WorkItem item) {
        return item.groupState(BlockState.class, () -> new BlockState(item.groupSize()));
    }

    SharedMemoryBytes memory() {
        return memory;
    }

    void initializeBarrier(int address, int arrivals) {
        BarrierState barrier = new BarrierState(address, arrivals);
        memory.setBarrier(address, barrier);
        barriers.add(barrier);
    }

    NamedBarrier namedBarrier(int id) {
        if (id < 1 || id >= named.length) {
            throw new IllegalArgumentException("a barrier's number is 1 to " + (named.length - 1) + ", not " + id);
        }
        NamedBarrier barrier = named[id];
        if (barrier == null) {
            barrier = new NamedBarrier(id);
            named[id] = barrier;
        }
        return barrier;
    }

    RegisterPool registers() {
        return registers;
    }

    /** The copies of the calling thread. */
    ThreadCopies copies(WorkItem item) {
        ThreadCopies own = copies[item.index()];
        if (own == null) {
            own = new ThreadCopies();
            copies[item.index()] = own;
        }
        return own;
    }

    /** The bulk copies out of shared memory of the calling thread. */
    BulkAdditions additions(WorkItem item) {
        BulkAdditions own = additions[item.index()];
        if (own == null) {
            own = new BulkAdditions();
            additions[item.index()] = own;
        }
        return own;
    }

    /** The products of the calling thread's warpgroup. */
    WarpgroupProducts products(WorkItem item) {
        int warpgroup = item.index() / WARPGROUP;
        if (warpgroup >= products.length) {
            throw new IllegalStateException(
                    "wgmma takes 128 threads; the block's last warpgroup has " + item.groupSize() % WARPGROUP);
        }
        WarpgroupProducts own = products[warpgroup];
        if (own == null) {
            own = new WarpgroupProducts(memory);
            products[warpgroup] = own;
        }
        return own;
    }

    @Override
    public boolean advance() {
        List<BarrierState> ready =
                barriers.stream().filter(BarrierState::hasCopies).toList();
        if (ready.isEmpty()) {
            return false;
        }
        ready.get(order.nextInt(ready.size())).advance(memory);
        return true;
    }

    @Override
    public void finish() {
        barriers.forEach(BarrierState::finish);
        for (WarpgroupProducts own : products) {
            if (own != null) {
                own.finish();
            }
        }
        for (BulkAdditions own : additions) {
            if (own != null) {
                own.finish();
            }
        }
    }
}
