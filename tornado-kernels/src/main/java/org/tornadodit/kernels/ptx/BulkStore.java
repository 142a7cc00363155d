package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Bulk copies out of shared memory (sm_90), which the copy engine makes while the thread goes on. A thread's copies since its
 * last {@link #commit} are a group. What they read has been made visible by {@link SharedMemory#fenceAsync}, and stays as it is until
 * {@link #awaitReads}: a thread awaits the reads of all before it ends. Sums are there when the kernel has ended.
 */
public final class BulkStore {

    private BulkStore() {}

    /**
     * Adds {@code bytes} of floats at {@code address} to those from {@code index} on, if {@code condition} is negative: each sum is
     * rounded to nearest, denormal numbers are zero. Address, index and bytes are multiples of 16 bytes.
     */
    @Instruction(
            value = "{ .reg .b64 %ga; .reg .pred %p; setp.lt.s32 %p, $4, 0;"
                    + " mul.wide.s32 %ga, $1, 4; add.s64 %ga, %ga, $0; add.s64 %ga, %ga, $H+$c1;"
                    + " @%p cp.reduce.async.bulk.global.shared::cta.bulk_group.add.f32 [%ga], [$2], $3; }",
            writes = 0)
    public static void addIfNegative(FloatArray target, int index, int address, int bytes, int condition) {
        if (condition < 0) {
            WorkItem item = WorkItem.current();
            BlockState block = BlockState.of(item);
            block.additions(item).add(BulkAddition.of(block.memory(), item.index(), target, index, address, bytes));
        }
    }

    /** Makes a group of the thread's copies since the last one. */
    @Instruction("cp.async.bulk.commit_group;")
    public static void commit() {
        WorkItem item = WorkItem.current();
        BlockState.of(item).additions(item).commit();
    }

    /** Waits until all but the thread's last {@code pending} groups, a constant, have read shared memory. */
    @Instruction("cp.async.bulk.wait_group.read $0;")
    public static void awaitReads(int pending) {
        WorkItem item = WorkItem.current();
        BlockState block = BlockState.of(item);
        block.additions(item).awaitReads(pending, block.memory());
    }
}
