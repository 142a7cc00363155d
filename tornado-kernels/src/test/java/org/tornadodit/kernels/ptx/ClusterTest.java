package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class ClusterTest {
    private static final int CLUSTER = 2;
    private static final int ROUNDS = 3;
    /** Behind 256 bytes: a barrier of the bytes that come, and one of the readers of all blocks. */
    private static final int FULL = 256;

    private static final int EMPTY = 264;

    private static IntArray numbers() {
        IntArray in = new IntArray(256);
        for (int i = 0; i < in.getSize(); i++) {
            in.set(i, i);
        }
        return in;
    }

    private static int begin(KernelContext context, int readers) {
        int memory = SharedMemory.dynamic(EMPTY + 8);
        SharedMemory.block(64, 1);
        Cluster.blocks(CLUSTER);
        if (context.localIdx == 0) {
            MemoryBarrier.initialize(memory + FULL, 1);
            MemoryBarrier.initialize(memory + EMPTY, readers);
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();
        Cluster.sync();
        return memory;
    }

    @Test
    void everyBlockGetsWhatAllOfThemBring() {
        float[] out = Blocks.run(
                4,
                64,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int rank = context.groupIdx % CLUSTER;
                    int memory = begin(context, CLUSTER);
                    for (int k = 0; k < ROUNDS; k++) {
                        if (t == 32) {
                            MemoryBarrier.await(memory + EMPTY, 1 - k % 2);
                            MemoryBarrier.arriveExpecting(memory + FULL, 256);
                            for (int i = 0; i < CLUSTER; i++) {
                                Cluster.copy(
                                        memory + 128 * i,
                                        in,
                                        64 * k + 32 * i,
                                        128,
                                        memory + FULL,
                                        (1 << CLUSTER) - 1,
                                        i == rank ? 1 : 0);
                            }
                        } else if (t < 32) {
                            MemoryBarrier.await(memory + FULL, k % 2);
                            int sum = SharedMemory.load(memory + 4 * t) + SharedMemory.load(memory + 128 + 4 * t);
                            o.set(32 * context.groupIdx + t, o.get(32 * context.groupIdx + t) + sum);
                            Cluster.arrive(memory + EMPTY, t, CLUSTER);
                        }
                    }
                    Cluster.sync();
                },
                numbers(),
                128);
        for (int i = 0; i < out.length; i++) {
            int expected = 0;
            for (int k = 0; k < ROUNDS; k++) {
                expected += 128 * k + 2 * (i % 32) + 32;
            }
            assertEquals(expected, out[i], "block " + i / 32 + ", thread " + i % 32);
        }
    }

    @Test
    void aReaderWhoTellsNoOtherBlockIsWaitedForInVain() {
        assertFails("arrivals", 64, (context, in, o) -> {
            int memory = begin(context, CLUSTER);
            if (context.localIdx < 32) {
                MemoryBarrier.arriveIfZero(memory + EMPTY, context.localIdx);
                MemoryBarrier.await(memory + EMPTY, 0);
            }
        });
    }
}
