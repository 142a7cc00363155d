package org.tornadodit.kernels;

import uk.ac.manchester.tornado.api.WorkerGrid;

/** How the work of {@link WarpgroupAttention} or {@link MmaAttention} is cut, constants of the kernel. */
public sealed interface AttentionTiling permits WarpgroupAttention.Tiling, MmaAttention.Tiling {

    /** Queries of a work group. */
    int queries();

    /** Threads of a work group. */
    int threads();

    /** Work groups that a multiprocessor has at a time. */
    int together();

    /** Shared memory of a work group. */
    int sharedBytes(int headSize, int planes);

    /** Throws an IllegalArgumentException where the parts do not go together. */
    void check(int planes);

    /** Work groups on a device of that many multiprocessors. */
    default int blocks(AttentionShape shape, int multiprocessors) {
        return Math.min(
                multiprocessors * together(),
                Math.multiplyExact(shape.samples() * shape.heads(), Launch.ceilDiv(shape.queries(), queries())));
    }

    /** The launch of {@code blocks} work groups. */
    default WorkerGrid grid(AttentionShape shape, int planes, int blocks) {
        int tokens = shape.tokens();
        if (tokens <= 0 || tokens % 8 != 0) {
            throw new IllegalArgumentException(tokens + " tokens: tensor attention needs a multiple of 8");
        }
        if (shape.firstQuery() % 8 != 0 || shape.queries() % 8 != 0) {
            throw new IllegalArgumentException(shape.queries() + " queries from " + shape.firstQuery()
                    + " on: tensor attention needs multiples of 8");
        }
        if (shape.hidden() % 16 != 0) {
            throw new IllegalArgumentException(
                    shape.heads() + " heads of " + shape.headSize() + ": not a multiple of 16 columns");
        }
        check(planes);
        int bytes = sharedBytes(shape.headSize(), planes);
        if (bytes > Pipeline.SHARED_BYTES) {
            throw new IllegalArgumentException(this + " needs " + bytes + " bytes of shared memory");
        }
        return Launch.groups(blocks, threads());
    }
}
