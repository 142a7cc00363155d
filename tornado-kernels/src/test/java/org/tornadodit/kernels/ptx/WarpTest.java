package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class WarpTest {
    @Test
    void lanesExchangeAcross() {
        float[] out = Blocks.run(
                1,
                64,
                (context, in, o) -> {
                    float sum = context.localIdx;
                    for (int mask = 16; mask > 0; mask /= 2) {
                        sum += Warp.shuffleXor(sum, mask);
                    }
                    o.set(context.localIdx, sum + Warp.shuffleXor((float) context.localIdx, 5) / 1024);
                },
                new IntArray(1),
                64);
        assertEquals(496 + 6 / 1024f, out[3]);
        assertEquals(496 + 1024 + 58 / 1024f, out[63]);
        assertFails("shfl.bfly 1 (all 32 lanes", 32, (c, in, o) -> Warp.shuffleXor(1, c.localIdx < 31 ? 1 : 2));
        assertFails("16 have ended; 16 wait for shfl.bfly 4", 32, (c, in, o) -> {
            SharedMemory.fixed(16);
            if (c.localIdx % 2 == 0) {
                Warp.shuffleXor(1, 4);
            }
        });
    }

    @Test
    void allLanesKnowOfAnyThatReachesALimit() {
        for (float value : new float[] {0.5f, 2, 3, Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] out = Blocks.run(
                    1,
                    64,
                    (context, in, o) -> {
                        int t = context.localIdx;
                        o.set(t, Warp.anyNotBelow(t == 37 ? value : -t, 2));
                    },
                    new IntArray(1),
                    64);
            for (int t = 0; t < 64; t++) {
                assertEquals(t >= 32 && value != 0.5f ? 1 : 0, out[t], "lane " + t + ", " + value);
            }
        }
    }

    @Test
    void oneLaneOfEachWarpIsElected() {
        float[] out = Blocks.run(
                1,
                64,
                (context, in, o) -> {
                    SharedMemory.fixed(16);
                    o.set(context.localIdx, Warp.elect());
                },
                new IntArray(1),
                64);
        for (int warp = 0; warp < 2; warp++) {
            float elected = 0;
            for (int lane = 0; lane < 32; lane++) {
                elected += out[32 * warp + lane];
            }
            assertEquals(1, elected, "warp " + warp);
        }
        assertFails("wait for elect.sync", 32, (c, in, o) -> {
            SharedMemory.fixed(16);
            if (c.localIdx % 2 == 0) {
                Warp.elect();
            }
        });
    }

    @Test
    void aLaneTakesAnyLanesValue() {
        float[] out = Blocks.run(
                1,
                64,
                (context, in, o) -> {
                    int t = context.localIdx;
                    o.set(t, Warp.shuffle(t + 0.5f, t % 32 * 7 % 32));
                },
                new IntArray(1),
                64);
        for (int t = 0; t < 64; t++) {
            assertEquals(t / 32 * 32 + t % 32 * 7 % 32 + 0.5f, out[t], "lane " + t);
        }
    }

    /** Warps 0 and 1, and 2 and 3, hand numbers over; each pair has a barrier of its own. */
    @Test
    void someWarpsWaitForEachOther() {
        float[] out = Blocks.run(
                1,
                128,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int memory = SharedMemory.fixed(512);
                    for (int k = 0; k < 5; k++) {
                        SharedMemory.store(memory + 4 * t, t * (k + 1));
                        Warp.barrier(1 + t / 64, 64);
                        o.set(t, o.get(t) + SharedMemory.load(memory + 4 * (t ^ 32)));
                        Warp.barrier(3 + t / 64, 64);
                    }
                },
                new IntArray(1),
                128);
        for (int t = 0; t < 128; t++) {
            assertEquals(15 * (t ^ 32), out[t]);
        }
    }

    @Test
    void barriersThatDoNotFillAreErrors() {
        assertFails("64 wait for barrier 3 of 96 threads, to which 64 have come", 128, (c, in, o) -> {
            if (c.localIdx >= 32 && c.localIdx < 96) {
                Warp.barrier(3, 96);
            } else {
                SharedMemory.fixed(16);
            }
        });
        assertFails("whole warps of the block's 64", 64, (c, in, o) -> Warp.barrier(1, 48));
        assertFails("whole warps of the block's 64", 64, (c, in, o) -> Warp.barrier(1, 128));
        assertFails("1 to 15, not 0", 64, (c, in, o) -> Warp.barrier(0, 64));
        assertFails("elsewhere", 96, (c, in, o) -> Warp.barrier(1, c.localIdx < 40 ? 64 : 96));
        assertFails("of a warp only", 64, (c, in, o) -> {
            SharedMemory.fixed(16);
            if (c.localIdx % 2 == 0) {
                Warp.barrier(1, 32);
            }
        });
    }
}
