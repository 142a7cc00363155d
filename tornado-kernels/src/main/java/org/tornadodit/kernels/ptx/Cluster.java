package org.tornadodit.kernels.ptx;

import org.tornadodit.virtual.WorkItem;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Blocks that run at the same time on neighbouring multiprocessors and share what they read (sm_90): a piece that all of them
 * need comes from the second-level cache once, brought by one of them. Their number is a constant; block b of the grid has
 * rank {@code b % blocks}.
 *
 * <p>On the host blocks run one after the other, each as if the others did just what it does: it brings itself what another
 * one would bring, and arrives for the others at its own barriers. So all blocks of a cluster must make the same copies to
 * the same places in the same order, and use barriers at the same addresses alike.
 */
public final class Cluster {

    private Cluster() {}

    /** Says that {@code blocks} follow each other in a cluster, a constant; the grid is a multiple. With {@link SharedMemory#dynamic} only. */
    @Instruction("//!entry .reqnctapercluster $0, 1, 1")
    public static void blocks(int blocks) {}

    /**
     * Waits for all threads of all blocks, a warp's together: after barriers are made, before another block's are used. A block must
     * not end, either, before the others have done what they do to its memory.
     */
    @Instruction("//!barrier.cluster.arrive.release; barrier.cluster.wait.acquire;")
    public static void sync() {}

    /**
     * Copies {@code bytes}, a multiple of 16, to the same place in the shared memory of some blocks, where they are reported to
     * the barrier at the same place. All blocks call it; those with {@code here} 1 copy.
     *
     * @param ranks a bit for each block that gets it
     * @param here 1 in one of these blocks, 0 in the others
     */
    @Instruction(
            value = "//!{ .reg .b64 %ga; .reg .b16 %m; .reg .pred %p; setp.ne.s32 %p, $6, 0; cvt.u16.u32 %m, $5;"
                    + " mul.wide.s32 %ga, $2, 4; add.s64 %ga, %ga, $1; add.s64 %ga, %ga, $H+$c2;"
                    + " @%p cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes.multicast::cluster"
                    + " [$0], [%ga], $3, [$4], %m; }",
            reads = 1)
    public static void copy(int address, IntArray source, int index, int bytes, int barrier, int ranks, int here) {
        if (bytes > 0) {
            MemoryBarrier.copy(address, source, index, bytes, barrier);
        }
    }

    /**
     * Arrives at the barrier at the same place in block {@code rank}, if there is such a block: one lane for each of them.
     *
     * @param blocks of the cluster, a constant
     */
    @Instruction("//!{ .reg .pred %p; .reg .b32 %ra; setp.lt.s32 %p, $1, $2;"
            + " @%p mapa.shared::cluster.u32 %ra, $0, $1;"
            + " @%p mbarrier.arrive.shared::cluster.b64 _, [%ra]; }")
    public static void arrive(int barrier, int rank, int blocks) {
        if (rank < blocks) {
            BlockState.of(WorkItem.current()).memory().barrier(barrier).arrive();
        }
    }
}
