package org.tornadodit.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.tornadodit.kernels.ptx.Blocks.assertFails;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.virtual.VirtualLink;
import uk.ac.manchester.tornado.api.types.arrays.ByteArray;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Blocks stand for devices: one stores into the array of the other. */
class PeerMemoryTest {
    private static final int TARGET = 8;
    private static final int FLAGS = 9;
    private static final int OTHER = 10;
    private static final int FLAG = 100;

    @AfterEach
    void patience() {
        VirtualLink.setPatience(null);
    }

    private static IntArray numbers() {
        IntArray in = new IntArray(4096);
        for (int i = 0; i < 4; i++) {
            in.set(i, Float.floatToRawIntBits(2.5f + i));
        }
        return in;
    }

    /** What is stored is not there before it is signalled and waited for, and then it is. */
    @Test
    void whatIsStoredArrivesWithItsSignal() {
        float[] out = Blocks.run(
                HostRuntime.Order.FORWARD,
                2,
                1,
                (context, in, o) -> {
                    if (context.groupIdx == 0) {
                        PeerMemory.publish(o, in, TARGET);
                        PeerMemory.publish(in, in, FLAGS);
                        PeerMemory.send4(in, 0, in, TARGET, 4);
                        o.set(0, o.get(4));
                        PeerMemory.signal(in, FLAGS, FLAG, 3);
                    } else {
                        o.set(1, PeerMemory.await(in, FLAG, 3, 10));
                        o.set(2, o.get(4));
                        o.set(3, o.get(7));
                    }
                },
                numbers(),
                8);
        assertEquals(0, out[0]);
        assertEquals(1, out[1]);
        assertEquals(2.5f, out[2]);
        assertEquals(5.5f, out[3]);
    }

    /** Both arrays by their addresses: four numbers, and one that is out of line. */
    @Test
    void whatIsMovedArrivesWithItsSignal() {
        float[] out = Blocks.run(
                HostRuntime.Order.FORWARD,
                1,
                1,
                (context, in, o) -> {
                    PeerMemory.publish(o, in, TARGET);
                    PeerMemory.publish(in, in, FLAGS);
                    PeerMemory.move4(in, FLAGS, 0, TARGET, 4);
                    PeerMemory.move1(in, FLAGS, 1, TARGET, 1);
                    PeerMemory.signal(in, FLAGS, FLAG, 3);
                    PeerMemory.await(in, FLAG, 3, 10);
                },
                numbers(),
                8);
        assertArrayEquals(new float[] {0, 3.5f, 0, 0, 2.5f, 3.5f, 4.5f, 5.5f}, out);
    }

    /** By two groups, into two arrays: each arrives with what is added for its own, once both have added. */
    @Test
    void whatManySendArrivesWhenAllHaveAdded() {
        IntArray other = new IntArray(16);
        float[] out = Blocks.run(
                HostRuntime.Order.FORWARD,
                3,
                1,
                (context, in, o) -> {
                    int group = context.groupIdx;
                    if (group < 2) {
                        PeerMemory.publish(o, in, TARGET);
                        PeerMemory.publish(in, in, FLAGS);
                        PeerMemory.publish(other, in, OTHER);
                        PeerMemory.sendIfNegative(in, TARGET, 4 + group, in.get(group), -1);
                        PeerMemory.sendIfNegative(in, TARGET, 6, in.get(group), 0);
                        PeerMemory.sendHalfIfNegative(in, OTHER, 0, group, 0x1234 + group, -1);
                        PeerMemory.add(in, TARGET, FLAGS, FLAG, 1);
                        PeerMemory.add(in, OTHER, FLAGS, FLAG + 1, Integer.MAX_VALUE);
                    } else {
                        PeerMemory.awaitAt(in, FLAGS, FLAG, 2, 10);
                        o.set(0, o.get(4));
                        o.set(1, o.get(5));
                        o.set(2, o.get(6));
                        o.set(3, other.get(0));
                        PeerMemory.awaitAt(in, FLAGS, FLAG + 1, -2, 10); // counted beyond the largest int
                        o.set(7, other.get(0));
                    }
                },
                numbers(),
                8);
        assertArrayEquals(new float[] {2.5f, 3.5f, 0, 0, 2.5f, 3.5f, 0, 0x12351234}, out);
    }

    /** More groups than threads can run at once, and in each a work item that waits before another one signals. */
    @Test
    void groupsAndTheirWorkItemsWaitForEachOther() {
        int groups = Runtime.getRuntime().availableProcessors() + 2;
        float[] out = Blocks.run(
                HostRuntime.Order.FORWARD,
                groups,
                2,
                (context, in, o) -> {
                    PeerMemory.publish(in, in, FLAGS);
                    PeerMemory.publish(o, in, TARGET);
                    context.localBarrier();
                    if (context.localIdx == 0) {
                        PeerMemory.awaitAt(in, FLAGS, FLAG, groups, 10);
                    } else {
                        PeerMemory.sendIfNegative(in, TARGET, context.groupIdx, in.get(1), -1);
                        PeerMemory.add(in, TARGET, FLAGS, FLAG, 1);
                    }
                },
                numbers(),
                groups);
        for (float each : out) {
            assertEquals(3.5f, each);
        }
    }

    /** What is stored by its address into an own array needs no signal, and does not count as sent. */
    @Test
    void whatIsKeptIsThere() {
        IntArray own = new IntArray(16);
        Blocks.run(
                HostRuntime.Order.FORWARD,
                1,
                1,
                (context, in, o) -> {
                    PeerMemory.publish(own, in, TARGET);
                    PeerMemory.sendIfNegative(in, TARGET, 1, 5, -1);
                    PeerMemory.keep(in, TARGET);
                    PeerMemory.store(in, TARGET, 2, 1 + PeerMemory.load(in, TARGET, 1));
                },
                numbers(),
                8);
        assertEquals(5, own.get(1));
        assertEquals(6, own.get(2));
        assertEquals(0, VirtualLink.storedBytes(VirtualLink.address(own)));
    }

    @Test
    void aStoreWithoutASignalIsAnError() {
        assertFails("4 words were stored into another device's array and never signalled", 1, (context, in, o) -> {
            PeerMemory.publish(o, in, TARGET);
            PeerMemory.send4(in, 0, in, TARGET, 0);
        });
    }

    @Test
    void aWaitWithoutASignalNamesWhoWaits() {
        VirtualLink.setPatience(50L);
        assertFails(
                "no signal from another device for 50 ms: work item global (0, 0, 0), local (0, 0, 0), group (0, 0, 0)"
                        + " waits for 1 in flag 100, which is 0",
                1,
                (context, in, o) -> PeerMemory.await(in, FLAG, 1, 10));
    }

    /** Copies are of bits, whatever the elements are; of those that are not 4 bytes none is made. */
    @Test
    void bitsAreCopiedBetweenIntsAndFloats() {
        IntArray ints = numbers();
        FloatArray floats = new FloatArray(8);
        PeerMemory.copy4(ints, 0, floats, 4);
        assertEquals(5.5f, floats.get(7));
        PeerMemory.copy4(floats, 4, ints, 8);
        assertEquals(Float.floatToRawIntBits(2.5f), ints.get(8));
        ByteArray bytes = new ByteArray(16);
        IllegalArgumentException e =
                assertThrows(IllegalArgumentException.class, () -> PeerMemory.copy4(ints, 0, bytes, 0));
        assertEquals("ByteArray has neither ints nor floats", e.getMessage());
    }

    @Test
    void aStoreBesideAnArrayOrOutOfLineIsAnError() {
        assertFails("a store of 4 words at 4096 into an array of 4096", 1, (context, in, o) -> {
            PeerMemory.publish(in, in, TARGET);
            PeerMemory.send4(in, 0, in, TARGET, 4096);
        });
        assertFails("index 2 is not a multiple of 4", 1, (context, in, o) -> PeerMemory.copy4(in, 2, in, 0));
        assertFails("a load at 4096 of an array of 4096", 1, (context, in, o) -> {
            PeerMemory.publish(in, in, TARGET);
            PeerMemory.move1(in, TARGET, 4096, TARGET, 0);
        });
        assertFails("no array of a device has the address 7", 1, (context, in, o) -> {
            PeerMemory.set(in, TARGET, 7);
            PeerMemory.signal(in, TARGET, FLAG, 1);
        });
    }
}
