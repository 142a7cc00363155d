package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class SharedMemoryTest {
    private static final IntArray NUMBERS = new IntArray(1024);

    static {
        for (int i = 0; i < NUMBERS.getSize(); i++) {
            NUMBERS.set(i, Float.floatToIntBits(i));
        }
    }

    @Test
    void bytesStoredAreBytesLoaded() {
        float[] out = Blocks.run(
                2,
                32,
                (context, in, o) -> {
                    int memory = SharedMemory.fixed(1024);
                    int t = context.localIdx;
                    SharedMemory.store(memory + 16 * t, t, 2 * t, 3 * t, Float.floatToIntBits(0.5f * t));
                    context.localBarrier();
                    int other = 31 - t;
                    float sum =
                            SharedMemory.load(memory + 16 * other + 8) + SharedMemory.loadFloat(memory + 16 * t + 12);
                    SharedMemory.store(memory + 512 + 4 * t, sum);
                    o.set(context.globalIdx, SharedMemory.loadFloat(memory + 512 + 4 * t));
                },
                NUMBERS,
                64);
        assertEquals(3 * 26 + 2.5f, out[5]);
        assertEquals(3 * 26 + 2.5f, out[37]);
    }

    @Test
    void everyBlockBeginsWithNaN() {
        float[] out = Blocks.run(
                2,
                32,
                (context, in, o) -> {
                    int address = SharedMemory.dynamic(232448) + 4 * context.localIdx;
                    float before = SharedMemory.loadFloat(address);
                    float half = Halves.second(SharedMemory.load(address));
                    SharedMemory.store(address, 1f);
                    o.set(context.globalIdx, Float.isNaN(before) && Float.isNaN(half) ? 1 : 0);
                },
                NUMBERS,
                64);
        assertEquals(1, out[0]);
        assertEquals(1, out[63]);
    }

    @Test
    void addressesAreChecked() {
        assertFails("outside the block's 64 bytes", 32, (c, in, o) -> SharedMemory.load(SharedMemory.fixed(64) + 64));
        assertFails("outside the block's 64 bytes", 32, (c, in, o) -> SharedMemory.load(SharedMemory.fixed(64) - 4));
        assertFails("misaligned", 32, (c, in, o) -> SharedMemory.load(SharedMemory.fixed(64) + 2));
        assertFails("misaligned", 32, (c, in, o) -> SharedMemory.store(SharedMemory.fixed(64) + 8, 1, 2, 3, 4));
        assertFails("1 to 49152", 32, (c, in, o) -> SharedMemory.fixed(49153));
        assertFails("1 to 232448", 32, (c, in, o) -> SharedMemory.dynamic(232449));
        assertFails("a kernel makes one such call", 32, (c, in, o) -> SharedMemory.fixed(64 + 64 * c.localIdx));
        assertFails("launched with 32", 32, (c, in, o) -> SharedMemory.block(64, 1));
    }

    @Test
    void wideGlobalAccessesAreChecked() {
        assertFails("misaligned", 32, (c, in, o) -> GlobalMemory.store4(o, 2, 0, 0, 0, 0));
        assertFails("misaligned", 32, (c, in, o) -> GlobalMemory.store2(o, 1, 0, 0));
        assertFails("misaligned", 32, (c, in, o) -> GlobalMemory.load4(in, 6, Registers.ints(4), 0));
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int[] x = Registers.ints(4);
                    GlobalMemory.load4(in, 4 * context.localIdx, x, 0);
                    GlobalMemory.store2(
                            o, 4 * context.localIdx, Float.intBitsToFloat(x[3]), Float.intBitsToFloat(x[2]));
                    GlobalMemory.store2(
                            o, 4 * context.localIdx + 2, Float.intBitsToFloat(x[1]), Float.intBitsToFloat(x[0]));
                },
                NUMBERS,
                128);
        assertEquals(7, out[4]);
        assertEquals(124, out[127]);
    }

    /** Thread t copies four floats, twice; sums what has come after awaiting all but {@code pending} groups. */
    private static float[] copies(int pending) {
        return Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int t = context.localIdx;
                    int memory = SharedMemory.fixed(2048) + 16 * t;
                    SharedMemory.copyAsync(memory, in, 4 * t);
                    SharedMemory.commitCopies();
                    SharedMemory.copyAsync(memory + 1024, in, 4 * t, 8);
                    SharedMemory.commitCopies();
                    SharedMemory.awaitCopies(pending);
                    o.set(2 * t, SharedMemory.loadFloat(memory + 12));
                    o.set(2 * t + 1, SharedMemory.loadFloat(memory + 1028) + SharedMemory.loadFloat(memory + 1032));
                },
                NUMBERS,
                64);
    }

    @Test
    void asyncCopiesArriveWhenTheirGroupIsAwaited() {
        float[] all = copies(0);
        assertEquals(23, all[10]);
        assertEquals(21, all[11], "the last 8 bytes are zero");
        float[] first = copies(1);
        assertEquals(23, first[10]);
        assertTrue(Float.isNaN(first[11]), "not awaited");
        assertTrue(Float.isNaN(copies(2)[10]), "not awaited");
    }

    @Test
    void aCopyMakesItsTargetUndefinedAtOnce() {
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int memory = SharedMemory.fixed(512) + 16 * context.localIdx;
                    SharedMemory.store(memory, 7f);
                    SharedMemory.copyAsync(memory, in, 0);
                    o.set(context.localIdx, SharedMemory.loadFloat(memory));
                },
                NUMBERS,
                32);
        assertTrue(Float.isNaN(out[3]));
    }

    @Test
    void copiesOutsideOrMisalignedAreErrors() {
        assertFails(
                "index 4096 is outside", 32, (c, in, o) -> SharedMemory.copyAsync(SharedMemory.fixed(64), in, 4096));
        assertFails("misaligned", 32, (c, in, o) -> SharedMemory.copyAsync(SharedMemory.fixed(64), in, 6));
        assertFails("misaligned", 32, (c, in, o) -> SharedMemory.copyAsync(SharedMemory.fixed(64) + 8, in, 4));
        assertFails(
                "outside the block's", 32, (c, in, o) -> SharedMemory.copyAsync(SharedMemory.fixed(64) + 64, in, 4));
        assertFails("multiple of 16", 32, (c, in, o) -> SharedMemory.copyAsync(SharedMemory.fixed(64), in, 4, 17));
        FloatArray zeros = new FloatArray(4);
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int memory = SharedMemory.fixed(64);
                    if (context.localIdx == 0) {
                        SharedMemory.copyAsync(memory, in, 8000, 0);
                        SharedMemory.copyAsync(memory + 16, o, 0);
                        SharedMemory.commitCopies();
                        SharedMemory.awaitCopies(0);
                        o.set(0, SharedMemory.load(memory) + SharedMemory.loadFloat(memory + 16));
                    }
                },
                NUMBERS,
                zeros.getSize());
        assertEquals(0, out[0], "nothing is read outside for 0 bytes");
    }

    @Test
    void whatIsOutsideIsNotStored() {
        float[] out = Blocks.run(
                1,
                32,
                (context, in, o) -> {
                    int t = context.localIdx;
                    GlobalMemory.store2IfNegative(
                            o, t < 8 ? 2 * t : 1 << 20, t, GlobalMemory.load(o, 2 * t) - t, t - 8);
                },
                NUMBERS,
                64);
        for (int i = 0; i < out.length; i++) {
            assertEquals(i >= 16 ? 0 : i % 2 == 0 ? i / 2 : -(i / 2), out[i], "number " + i);
        }
    }

    @Test
    void aPrefetchStaysInItsArray() {
        assertFails("misaligned", 32, (c, in, o) -> GlobalMemory.prefetch(o, 2, 16));
        assertFails("misaligned", 32, (c, in, o) -> GlobalMemory.prefetch(o, 4, 8));
        assertFails("index 1027", 32, (c, in, o) -> GlobalMemory.prefetch(o, 1020, 32));
        assertFails("index 1024", 32, (c, in, o) -> GlobalMemory.prefetchIfNegative(o, 1024, -1));
    }
}
