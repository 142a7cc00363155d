package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.Test;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

class BulkStoreTest {
    private static final int BYTES = 512;

    /** All lanes of a warp write four floats each, and lane 0 adds a row of them, twice, in the same place of shared memory. */
    private static Blocks.Kernel rows(boolean fenced, int pending, boolean awaited) {
        return (context, in, o) -> {
            int memory = SharedMemory.fixed(BYTES);
            int lane = context.localIdx;
            for (int row = 0; row < 2; row++) {
                BulkStore.awaitReads(row * pending);
                Warp.sync();
                SharedMemory.store2(memory + 16 * lane, 4 * lane + row, 4 * lane + 1);
                SharedMemory.store2(memory + 16 * lane + 8, 4 * lane + 2, 4 * lane + 3);
                if (fenced) {
                    SharedMemory.fenceAsync();
                }
                Warp.sync();
                BulkStore.addIfNegative(o, 4, memory, BYTES, lane - 1);
                BulkStore.commit();
            }
            if (awaited) {
                BulkStore.awaitReads(0);
            }
        };
    }

    @Test
    void rowsAreAddedWhereTheyLie() {
        float[] out = Blocks.run(1, 32, rows(true, 0, true), new IntArray(1), 136);
        for (int i = 0; i < out.length; i++) {
            int column = i - 4;
            float expected = i < 4 || column >= BYTES / 4 ? 0 : 2 * column + (column % 4 == 0 ? 1 : 0);
            assertEquals(expected, out[i], "number " + i);
        }
    }

    @Test
    void whatIsReadMustBeThereAndStay() {
        assertFails("without fenceAsync", 32, rows(false, 0, true));
        assertFails("overwritten while a bulk copy", 32, rows(true, 1, true));
        assertFails("bulk copies are under way", 32, rows(true, 0, false));
    }

    @Test
    void placesAndSizesAreChecked() {
        assertFails("misaligned", 1, one(2, 0, 16));
        assertFails("misaligned", 1, one(0, 8, 16));
        assertFails("multiple of 16", 1, one(0, 0, 24));
        assertFails("index 1027", 1, one(1020, 0, 32));
        assertFails("outside the block's", 1, one(0, 48, 32));
    }

    private static Blocks.Kernel one(int index, int offset, int bytes) {
        return (context, in, o) -> BulkStore.addIfNegative(o, index, SharedMemory.fixed(64) + offset, bytes, -1);
    }

    @Test
    void sumsAreRoundedOnceAndDenormalOnesAreZero() {
        float tiny = Float.MIN_NORMAL;
        float[] out = Blocks.run(
                1,
                1,
                (context, in, o) -> {
                    int memory = SharedMemory.fixed(16);
                    o.set(0, 1f);
                    o.set(1, 1.5f * tiny);
                    o.set(2, 0.5f * tiny);
                    SharedMemory.store2(memory, 0x1p-24f, -tiny);
                    SharedMemory.store2(memory + 8, -2 * tiny, -0.5f * tiny);
                    SharedMemory.fenceAsync();
                    BulkStore.addIfNegative(o, 0, memory, 16, -1);
                    BulkStore.commit();
                    BulkStore.awaitReads(0);
                },
                new IntArray(1),
                4);
        assertEquals(1f, out[0], "a tie to even");
        assertEquals(0f, out[1]);
        assertEquals(-2 * tiny, out[2], "a denormal term is zero");
        assertEquals(0f, out[3]);
    }
}
