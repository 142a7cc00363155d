package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class MemoryBarrierTest {
    private static final int ROUNDS = 7;

    /** Address of the memory; its first barrier, initialised for {@code arrivals}, lies behind {@code bytes}. */
    private static int initialized(KernelContext context, int bytes, int arrivals) {
        int memory = SharedMemory.dynamic(bytes + 16);
        if (context.localIdx == 0) {
            MemoryBarrier.initialize(memory + bytes, arrivals);
            MemoryBarrier.initialize(memory + bytes + 8, 32);
            MemoryBarrier.fenceInitialization();
        }
        context.localBarrier();
        return memory;
    }

    private static IntArray numbers() {
        IntArray in = new IntArray(1024);
        for (int i = 0; i < 1024; i++) {
            in.set(i, i);
        }
        return in;
    }

    @Test
    void phasesHandABufferBackAndForth() {
        float[] out = Blocks.run(
                1,
                64,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int memory = initialized(context, 256, 1);
                    for (int k = 0; k < ROUNDS; k++) {
                        if (t == 32) {
                            MemoryBarrier.await(memory + 264, 1 - k % 2);
                            MemoryBarrier.arriveExpecting(memory + 256, 256);
                            MemoryBarrier.copy(memory, in, 64 * k, 128, memory + 256);
                            MemoryBarrier.copy(memory + 128, in, 64 * k + 32, 128, memory + 256);
                        } else if (t < 32) {
                            MemoryBarrier.await(memory + 256, k % 2);
                            o.set(
                                    t,
                                    o.get(t)
                                            + SharedMemory.load(memory + 4 * t)
                                            + SharedMemory.load(memory + 128 + 4 * t));
                            MemoryBarrier.arriveIfZero(memory + 264, 0);
                        }
                    }
                },
                numbers(),
                32);
        for (int t = 0; t < 32; t++) {
            int expected = 0;
            for (int k = 0; k < ROUNDS; k++) {
                expected += 128 * k + 2 * t + 32;
            }
            assertEquals(expected, out[t]);
        }
    }

    @Test
    void bulkCopiesComeLate() {
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int memory = initialized(context, 128, 1);
                    if (context.localIdx == 0) {
                        MemoryBarrier.arriveExpecting(memory + 128, 128);
                        MemoryBarrier.copy(memory, in, 32, 128, memory + 128);
                    }
                    float early = SharedMemory.loadFloat(memory + 64);
                    MemoryBarrier.await(memory + 128, 0);
                    o.set(
                            context.localIdx,
                            Float.isNaN(early) || context.localIdx > 0 ? SharedMemory.load(memory + 64) : -1);
                },
                numbers(),
                32);
        assertEquals(48, out[0]);
        assertEquals(48, out[31]);
    }

    @Test
    void aThreadArrivesAfterItsCopies() {
        float[] out = Blocks.run(
                1,
                64,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int memory = initialized(context, 1024, 32);
                    if (t < 32) {
                        SharedMemory.copyAsync(memory + 16 * t, in, 4 * t);
                        MemoryBarrier.arriveAfterCopies(memory + 1024);
                    } else {
                        float early = SharedMemory.loadFloat(memory + 16 * (t - 32));
                        MemoryBarrier.await(memory + 1024, 0);
                        o.set(t - 32, Float.isNaN(early) ? SharedMemory.load(memory + 16 * (t - 32)) : -1);
                    }
                },
                numbers(),
                32);
        assertEquals(0, out[0]);
        assertEquals(124, out[31]);
    }

    @Test
    void theOtherParityIsOverAtFirst() {
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    MemoryBarrier.await(initialized(context, 64, 1) + 64, 1);
                    o.set(context.localIdx, 1);
                },
                numbers(),
                32);
        assertEquals(1, out[31]);
    }

    @Test
    void whoeverWaitsForEverIsNamed() {
        assertFails("1 of 1 arrivals and 0 bytes are missing", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            MemoryBarrier.await(memory + 64, 0);
        });
        assertFails("0 of 1 arrivals and 64 bytes are missing", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            if (c.localIdx == 0) {
                MemoryBarrier.arriveExpecting(memory + 64, 128);
                MemoryBarrier.copy(memory, in, 0, 64, memory + 64);
            }
            MemoryBarrier.await(memory + 64, 0);
        });
        assertFails(
                "32 wait for the end of parity 0 at phase 0 (parity 0) of the mbarrier at address 1088",
                32,
                (c, in, o) -> MemoryBarrier.await(initialized(c, 64, 2) + 64, 0));
    }

    @Test
    void countsAreExact() {
        assertFails("too many arrivals", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 2);
            if (c.localIdx == 0) {
                MemoryBarrier.arriveExpecting(memory + 64, 16);
                MemoryBarrier.arriveIfZero(memory + 64, 0);
                MemoryBarrier.arriveIfZero(memory + 64, 1);
                MemoryBarrier.arriveIfZero(memory + 64, 0);
            }
            c.localBarrier();
        });
        assertFails("gets 32 bytes more", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            if (c.localIdx == 0) {
                MemoryBarrier.arriveExpecting(memory + 64, 32);
                MemoryBarrier.copy(memory, in, 0, 32, memory + 64);
                MemoryBarrier.copy(memory + 32, in, 8, 32, memory + 64);
            }
            MemoryBarrier.await(memory + 64, 0);
        });
        assertFails("bulk copies to phase 0", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            if (c.localIdx == 0) {
                MemoryBarrier.copy(memory, in, 0, 64, memory + 64);
            }
        });
    }

    @Test
    void barriersAreInitialisedOnceAndLeftAlone() {
        assertFails(
                "no initialised mbarrier at address 1024",
                32,
                (c, in, o) -> MemoryBarrier.await(SharedMemory.dynamic(64), 0));
        assertFails("a second time", 32, (c, in, o) -> MemoryBarrier.initialize(SharedMemory.dynamic(64), 1));
        assertFails("misaligned", 32, (c, in, o) -> MemoryBarrier.initialize(SharedMemory.dynamic(64) + 4, 1));
        assertFails("arrivals, not 0", 32, (c, in, o) -> MemoryBarrier.initialize(SharedMemory.dynamic(64), 0));
        assertFails("where the mbarrier at 1088 lies", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            SharedMemory.store(memory + 68, 1);
        });
        assertFails("multiple of 16", 32, (c, in, o) -> {
            int memory = initialized(c, 64, 1);
            MemoryBarrier.copy(memory, in, 0, 24, memory + 64);
        });
    }

    @Test
    void manyBuffersComeInAnyOrderAndTheSameEveryTime() {
        Blocks.Kernel kernel = (context, in, o) -> {
            int memory = SharedMemory.dynamic(1024 + 64);
            int t = context.localIdx;
            if (t == 0) {
                for (int s = 0; s < 8; s++) {
                    MemoryBarrier.initialize(memory + 1024 + 8 * s, 1);
                }
                for (int s = 0; s < 8; s++) {
                    MemoryBarrier.arriveExpecting(memory + 1024 + 8 * s, 128);
                    MemoryBarrier.copy(memory + 128 * s, in, 32 * s, 128, memory + 1024 + 8 * s);
                }
            }
            context.localBarrier();
            MemoryBarrier.await(memory + 1024 + 56, 0);
            int there = 0;
            for (int s = 0; s < 8; s++) {
                there += SharedMemory.load(memory + 128 * s) == 32 * s ? 1 : 0;
            }
            o.set(t, there);
            for (int s = 0; s < 8; s++) {
                MemoryBarrier.await(memory + 1024 + 8 * s, 0);
            }
        };
        float[] there = Blocks.run(1, 32, kernel, numbers(), 32);
        assertTrue(there[0] >= 1 && there[0] < 8, "some of the others are still under way: " + there[0]);
        assertEquals(there[0], Blocks.run(1, 32, kernel, numbers(), 32)[0]);
    }
}
