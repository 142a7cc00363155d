package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * mbarriers (sm_90): 8 bytes of shared memory that count arrivals and copied bytes. A phase ends when as many threads have
 * arrived as {@link #initialize} said and all expected bytes have come; the next one begins at once. Also the bulk copies
 * that report to them.
 */
public final class MemoryBarrier {

    private MemoryBarrier() {}

    /** One thread, once, before {@link #fenceInitialization} and a block barrier. */
    @Instruction("mbarrier.init.shared.b64 [$0], $1;")
    public static void initialize(int barrier, int arrivals) {
        BlockState.of(WorkItem.current()).initializeBarrier(barrier, arrivals);
    }

    /** Makes initialised barriers visible to bulk copies. */
    @Instruction("fence.mbarrier_init.release.cluster;")
    public static void fenceInitialization() {}

    /** Arrives, and makes the phase wait for {@code bytes} more. */
    @Instruction("mbarrier.arrive.expect_tx.shared.b64 _, [$0], $1;")
    public static void arriveExpecting(int barrier, int bytes) {
        BarrierState state = BlockState.currentMemory().barrier(barrier);
        state.expect(bytes);
        state.arrive();
    }

    /** Arrives if {@code condition} is zero: without a branch, which wgmma does not bear well. */
    @Instruction("{ .reg .pred %p; setp.eq.s32 %p, $1, 0; @%p mbarrier.arrive.shared.b64 _, [$0]; }")
    public static void arriveIfZero(int barrier, int condition) {
        BarrierState state = BlockState.currentMemory().barrier(barrier);
        if (condition == 0) {
            state.arrive();
        }
    }

    /** Waits for the end of the phase with the given parity: 0 for the first, 1 for the second, 0 again ...; 1 returns at once in the first. */
    @Instruction("{ .reg .pred %p; $L: mbarrier.try_wait.parity.shared.b64 %p, [$0], $1; @!%p bra $L; }")
    public static void await(int barrier, int parity) {
        WorkItem item = WorkItem.current();
        BarrierState state = BlockState.of(item).memory().barrier(barrier);
        item.await(() -> state.isOver(parity), () -> "the end of parity " + parity + " at " + state);
    }

    /** Copies {@code bytes}, a multiple of 16, to shared memory, and reports them to the barrier. One thread. */
    @Instruction(
            value = "{ .reg .b64 %ga; mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1; add.s64 %ga, %ga, $H+$c2;"
                    + " cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [%ga], $3, [$4]; }",
            reads = 1)
    public static void copy(int address, IntArray source, int index, int bytes, int barrier) {
        SharedMemoryBytes memory = BlockState.currentMemory();
        memory.barrier(barrier).add(AsyncCopy.of(memory, address, source, index, bytes, bytes, AsyncCopy.BULK));
    }

    /** The thread's cp.async copies so far count as one arrival when they are done; the phase's count includes it. */
    @Instruction("cp.async.mbarrier.arrive.noinc.shared.b64 [$0];")
    public static void arriveAfterCopies(int barrier) {
        WorkItem item = WorkItem.current();
        BlockState block = BlockState.of(item);
        block.copies(item).report(block.memory().barrier(barrier));
    }
}
