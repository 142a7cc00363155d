package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.Cluster;
import org.tornadodit.kernels.ptx.MemoryBarrier;

/**
 * The ring of stages in shared memory that lies between the threads of a work group that copy and the warps that
 * multiply. A stage's full barrier counts the bytes that the copies bring, its empty barrier the warps that have read
 * them.
 *
 * <p>Stages are used one after the other, without end: use u is of stage {@code u % stages}, and is phase {@code u /
 * stages} of both of its barriers. A wait tells a phase from the next one only, by its parity; that is enough, since
 * nobody is two phases ahead. So a place in two rounds of the ring, {@code u % (2 * stages)}, says both, and is what the methods take:
 * it goes on by a comparison, where the assembler would divide for each stage.
 *
 * <p>Shared memory holds the barriers, {@link #HEADER_BYTES} with those that a kernel has besides, then the stages, then
 * what else a kernel keeps there. All is computed from ints that are constants of the compiled kernel: TornadoVM makes no
 * registers of an object's fields in time for its loops to be unrolled.
 */
final class Pipeline {
    /** Shared memory of a multiprocessor that one work group can have. */
    static final int SHARED_BYTES = 227 * 1024;

    /** For the barriers; a multiple of what a stage must be aligned to. */
    static final int HEADER_BYTES = 1024;

    /** Stages that there are barriers for. */
    static final int MOST_STAGES = 12;

    private static final int BARRIER_BYTES = 8;
    private static final int EMPTY = BARRIER_BYTES * MOST_STAGES;
    private static final int OTHERS = 2 * EMPTY;

    private Pipeline() {}

    /** Stages of that many bytes that fit, {@code most} at the most. */
    static int stages(int stageBytes, int most) {
        return stages(stageBytes, most, 0);
    }

    /** Stages that fit beside {@code other} bytes. */
    static int stages(int stageBytes, int most, int other) {
        return Math.min(most, (SHARED_BYTES - HEADER_BYTES - other) / stageBytes);
    }

    /** Bytes of the barriers and the stages. */
    static int bytes(int stages, int stageBytes) {
        return HEADER_BYTES + stages * stageBytes;
    }

    /** Address of the first stage. */
    static int ring(int shared) {
        return shared + HEADER_BYTES;
    }

    /**
     * Address of a barrier that a kernel has besides.
     *
     * @param index from 0
     */
    static int other(int shared, int index) {
        return shared + OTHERS + BARRIER_BYTES * index;
    }

    /**
     * Makes the stages' barriers; for one thread, before a fence and a barrier of the work group.
     *
     * @param readers warps that read a stage
     */
    static void initialize(int shared, int stages, int readers) {
        for (int stage = 0; stage < stages; stage++) {
            MemoryBarrier.initialize(full(shared, stage), 1);
            MemoryBarrier.initialize(empty(shared, stage), readers);
        }
    }

    /** Address of the barrier that copies into a stage arrive at. */
    static int full(int shared, int stage) {
        return shared + BARRIER_BYTES * stage;
    }

    private static int empty(int shared, int stage) {
        return shared + EMPTY + BARRIER_BYTES * stage;
    }

    /** The stage of a place. */
    static int stage(int place, int stages) {
        return place < stages ? place : place - stages;
    }

    /** The place after one. */
    static int next(int place, int stages) {
        return place == 2 * stages - 1 ? 0 : place + 1;
    }

    /** The place before one. */
    static int before(int place, int stages) {
        return place == 0 ? 2 * stages - 1 : place - 1;
    }

    /** The place {@code uses} after one; where their number is a constant, nothing is divided. */
    static int later(int place, int uses, int stages) {
        int later = place + uses % (2 * stages);
        return later < 2 * stages ? later : later - 2 * stages;
    }

    /** A reader waits for what the producer brings to a place. */
    static void awaitFull(int shared, int stages, int place) {
        MemoryBarrier.await(full(shared, stage(place, stages)), place < stages ? 0 : 1);
    }

    /** The producer waits until the stage of a place is free: at once in the first phase. */
    static void awaitEmpty(int shared, int stages, int place) {
        MemoryBarrier.await(empty(shared, stage(place, stages)), place < stages ? 1 : 0);
    }

    /**
     * A warp has read the stage of a place.
     *
     * @param lane of the thread; the one with 0 says so
     */
    static void leave(int shared, int stages, int place, int lane) {
        MemoryBarrier.arriveIfZero(empty(shared, stage(place, stages)), lane);
    }

    /**
     * A warp has read the stage of a place, which it tells all blocks of its cluster.
     *
     * @param lane of the thread; those below {@code blocks} say so, each to a block
     */
    static void leaveInCluster(int shared, int stages, int place, int lane, int blocks) {
        Cluster.arrive(empty(shared, stage(place, stages)), lane, blocks);
    }
}
