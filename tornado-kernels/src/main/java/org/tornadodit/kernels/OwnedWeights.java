package org.tornadodit.kernels;

import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * Weights that devices share which all run all blocks (ZeRO's third stage, S. Rajbhandari et al., arXiv 1910.02054): each owns
 * some of the blocks, one in turn with the others, and stores the weights of its next one into the others' memory while these
 * are at the block before. There is no host between.
 *
 * <p>An array of weights has slots: one for each block that the device owns, and behind them rooms that others' blocks come to,
 * one after the other. Kernels of a block are given its slot. A room is stored into when its reader has told that it is done with
 * what was there.
 *
 * <p>Signals are counted: how many blocks a device is done with, and with which number a block has been sent. Links and states
 * are an {@link Exchange}'s with a part of their own behind.
 */
public final class OwnedWeights {
    /** Arrays of weights at most: of products, their biases, and norms of heads. */
    public static final int WEIGHTS = 9;
    /** Which array: modulations of a pass and a slot. */
    public static final int MODULATION = WEIGHTS;
    /** Which array: modulations of a pass, of any device, and an own block. */
    public static final int OWN_MODULATION = WEIGHTS + 1;

    static final int OWN_STATE = WEIGHTS + 2;
    private static final int ARRAYS = WEIGHTS + 3;
    private static final int MOST_ITEMS = WEIGHTS + 1;

    // Of a link, from its part on.
    private static final int IN_LINK = (Exchange.LINK + 1) / 2 * 2;
    private static final int OWNERS = IN_LINK;
    private static final int PLACE = IN_LINK + 1;
    private static final int DEPTH = IN_LINK + 2;
    private static final int OWN_SLOTS = IN_LINK + 3;
    private static final int ROOMS = IN_LINK + 4;
    private static final int ITEMS = IN_LINK + 5;
    private static final int SLACK = IN_LINK + 6;
    /** Of each place: 1, but 0 of the own. */
    private static final int OTHERS = IN_LINK + 8;

    static final int HALVES = OTHERS + Exchange.MOST;
    private static final int ITEM = HALVES + Exchange.MOST;
    private static final int ITEM_LENGTH = 10;
    private static final int ADDRESSES = ITEM + ITEM_LENGTH * MOST_ITEMS;
    /** Ints of a link. */
    public static final int LINK = ADDRESSES + 2 * ARRAYS * Exchange.MOST;

    // Of a state.
    private static final int IN_STATE = (Exchange.STATE + 1) / 2 * 2;
    private static final int OWN_ADDRESSES = IN_STATE;
    /** Blocks that have begun in all steps. */
    private static final int BEGUN = OWN_ADDRESSES + 2 * ARRAYS;

    private static final int DONE = BEGUN + 1;
    static final int SENT = DONE + Exchange.MOST;
    /** Ints of a state. */
    public static final int STATE = SENT + Exchange.MOST * Exchange.MOST_GROUPS;

    private OwnedWeights() {}

    /**
     * Who owns which blocks.
     *
     * @param owners devices that share the weights
     * @param place which of them a device is: block b is its own where {@code b % owners} is this
     * @param depth blocks
     */
    public record Ownership(int owners, int place, int depth) {
        /** Slots for own blocks: as many on each device. */
        public int ownSlots() {
            return Math.ceilDiv(depth, owners);
        }

        /** Slots for others' blocks. */
        public int rooms() {
            return owners == 1 ? 0 : 2;
        }

        /**
         * How many of the blocks before the one that runs a reader need not be done with for the next one to be stored: of two
         * devices each has one block in between of its own, so that its last other block is in the other room.
         */
        public int slack() {
            return owners == 2 ? 2 : 0;
        }

        public int slots() {
            return ownSlots() + rooms();
        }

        public boolean owns(int block) {
            return block % owners == place;
        }

        /** Blocks of the device. */
        public int own() {
            return (depth - place + owners - 1) / owners;
        }

        /** Where a block's weights are when it runs. */
        public int slot(int block) {
            return OwnedWeights.slot(block, place, owners, ownSlots(), rooms());
        }
    }

    /**
     * What is sent of a block: runs of 4-byte elements.
     *
     * @param source number of the array that they are in
     * @param target of that which they go to
     * @param fromHalf elements before those of a device that has the second half of guidance, where the source has both
     * @param fromRun elements from one run to the next
     * @param fromSlot from one slot to the next
     * @param toRun likewise in the target
     * @param toSlot likewise
     */
    public record Item(
            int source, int target, int runs, int run, int fromHalf, int fromRun, int fromSlot, int toRun, int toSlot) {

        /** One run a slot, of an array. */
        public Item(int array, int run) {
            this(array, array, 1, run, 0, 0, run, 0, run);
        }

        /** Elements of a block. */
        public int elements() {
            return runs * run;
        }

        private int unit() {
            return (run | fromHalf | fromRun | fromSlot | toRun | toSlot) % 4 == 0 ? 4 : 1;
        }
    }

    /** A launch of {@link #push}. */
    public static WorkerGrid grid(int owners, Groups groups) {
        return Launch.groups(owners * groups.groups(), groups.threads());
    }

    /** A launch of {@link #take}. */
    public static WorkerGrid waiting() {
        return Launch.groups(1, Exchange.MOST_GROUPS);
    }

    /** Writes who owns what, and what is sent of a block. */
    public static void describe(IntArray link, Ownership ownership, Item... items) {
        link.set(OWNERS, ownership.owners);
        link.set(PLACE, ownership.place);
        link.set(DEPTH, ownership.depth);
        link.set(OWN_SLOTS, ownership.ownSlots());
        link.set(ROOMS, ownership.rooms());
        link.set(ITEMS, items.length);
        link.set(SLACK, ownership.slack());
        for (int place = 0; place < ownership.owners; place++) {
            link.set(OTHERS + place, place == ownership.place ? 0 : 1);
        }
        for (int i = 0; i < items.length; i++) {
            Item item = items[i];
            int[] numbers = {
                item.source,
                item.target,
                item.runs,
                item.run / item.unit(),
                item.unit(),
                item.fromHalf,
                item.fromRun,
                item.fromSlot,
                item.toRun,
                item.toSlot
            };
            for (int number = 0; number < ITEM_LENGTH; number++) {
                link.set(ITEM + i * ITEM_LENGTH + number, numbers[number]);
            }
        }
    }

    /**
     * Writes where a device that shares the weights, or the own one, has its arrays.
     *
     * @param place of that device
     * @param half of guidance that it has, where the own modulations are those of both; else 0
     * @param state of that device, as the host has got it after a step that was not {@link Exchange#ACTIVE}
     */
    public static void connect(IntArray link, int place, int half, IntArray state) {
        link.set(HALVES + place, half);
        for (int array = 0; array < ARRAYS; array++) {
            PeerMemory.set(link, slotOf(place, array), address(state, array));
        }
    }

    /** Addresses of all arrays that others' blocks come to, as a device has told them. */
    public static long[] landings(IntArray state) {
        long[] landings = new long[MODULATION + 1];
        for (int array = 0; array < landings.length; array++) {
            landings[array] = address(state, array);
        }
        return landings;
    }

    private static long address(IntArray state, int array) {
        return PeerMemory.get(state, OWN_ADDRESSES / 2 + array);
    }

    static int slotOf(int place, int array) {
        return ADDRESSES / 2 + place * ARRAYS + array;
    }

    private static int slot(int block, int place, int owners, int ownSlots, int rooms) {
        return block % owners == place ? block / owners : room(block, place, owners, ownSlots, rooms);
    }

    /** Where another device's block comes to: rooms are taken in turn. */
    private static int room(int block, int place, int owners, int ownSlots, int rooms) {
        return ownSlots + (block - (block + owners - 1 - place) / owners) % rooms;
    }

    /**
     * Brings arrays into being that others store into, all zero where that matters. Launch: {@link Launch#elementwise} of
     * the conditioning.
     *
     * @param conditioning of all devices' passes
     * @param elements of it
     */
    public static void begin(
            KernelContext context,
            FloatArray conditioning,
            FloatArray modulation,
            FloatArray ownModulation,
            int elements) {
        int i = context.globalIdx;
        if (i < elements) {
            conditioning.set(i, 0f);
        }
        if (i == 0) {
            modulation.set(0, 0f);
            ownModulation.set(0, 0f);
        }
    }

    /**
     * Puts modulations of own blocks and passes in their slots. Launch: {@link Launch#elementwise} of all of these.
     *
     * @param own (passes of any device, blocks, columns)
     * @param modulation (passes, slots, columns)
     * @param first of the own passes among all
     * @param blocks that the device owns
     */
    public static void spread(
            KernelContext context,
            FloatArray own,
            FloatArray modulation,
            IntArray link,
            IntArray state,
            int first,
            int passes,
            int blocks,
            int slots,
            int columns) {
        int i = context.globalIdx;
        if (i < passes * blocks * columns) {
            int pass = i / (blocks * columns);
            int rest = i - pass * blocks * columns;
            modulation.set(pass * slots * columns + rest, own.get((first + pass) * blocks * columns + rest));
        }
        if (i == 0 && link.get(Exchange.ACTIVE) == 0) {
            PeerMemory.publish(modulation, state, OWN_ADDRESSES / 2 + MODULATION);
            PeerMemory.publish(own, state, OWN_ADDRESSES / 2 + OWN_MODULATION);
            PeerMemory.publish(state, state, OWN_ADDRESSES / 2 + OWN_STATE);
        }
    }

    /**
     * Tells the others that all blocks which have begun are done; who owns the one that comes then stores it into their rooms
     * once they have told so of what was there. Launch: {@link #grid}.
     *
     * @param ahead 0 before the first block of a step, 1 at the beginning of each block
     * @param groups for each device
     */
    public static void push(KernelContext context, IntArray link, IntArray state, int ahead, int groups) {
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        int owners = link.get(OWNERS);
        int place = link.get(PLACE);
        int depth = link.get(DEPTH);
        int begun = state.get(BEGUN);
        int block = begun % depth + ahead;
        // Products in place of conditions: TornadoVM would compute these where other branches do not come by.
        int tells = link.get(Exchange.ACTIVE) * link.get(OTHERS + peer);
        int sends = tells * (1 - link.get(OTHERS + block % owners)) * ((2 * depth - block - 1) / depth);
        if (context.localIdx == 0) {
            if (group < tells) {
                PeerMemory.signal(link, slotOf(peer, OWN_STATE), DONE + place, begun);
            }
        }
        if (context.localIdx < sends) {
            if (state.get(Exchange.FAILED) == 0
                    && Exchange.await(link, state, DONE + peer, begun - link.get(SLACK)) == 0) {
                state.set(Exchange.FAILED, 1);
            }
        }
        context.localBarrier();
        int from = block / owners;
        int to = room(block, peer, owners, link.get(OWN_SLOTS), link.get(ROOMS));
        int half = link.get(HALVES + peer);
        int items = sends * link.get(ITEMS);
        for (int item = 0; item < items; item++) {
            int at = ITEM + item * ITEM_LENGTH;
            int source = slotOf(place, link.get(at));
            int target = slotOf(peer, link.get(at + 1));
            int units = link.get(at + 3);
            int unit = link.get(at + 4);
            int first = half * link.get(at + 5) + from * link.get(at + 7);
            int fromRun = link.get(at + 6);
            int toRun = link.get(at + 8);
            int firstTo = to * link.get(at + 9);
            int count = link.get(at + 2) * units;
            for (int i = group * context.localGroupSizeX + context.localIdx;
                    i < count;
                    i += groups * context.localGroupSizeX) {
                int run = i / units;
                int within = (i - run * units) * unit;
                int sourceAt = first + run * fromRun + within;
                int targetAt = firstTo + run * toRun + within;
                if (unit == 4) {
                    PeerMemory.move4(link, source, sourceAt, target, targetAt);
                } else {
                    PeerMemory.move1(link, source, sourceAt, target, targetAt);
                }
            }
        }
        context.localBarrier();
        if (context.localIdx < sends) {
            PeerMemory.signal(
                    link, slotOf(peer, OWN_STATE), SENT + place * Exchange.MOST_GROUPS + group, begun + ahead + 1);
        }
    }

    /**
     * Begins the next block: waits for its weights where another device owns them, and says in which slot they are. Launch:
     * {@link #waiting}.
     *
     * @param before (1), gets the number before the slot's, which the block's first norm counts up
     * @param overflow flags of all slots, then of all blocks: those of a room go to the block that was there
     * @param groups of each device's push
     */
    public static void take(
            KernelContext context,
            IntArray link,
            IntArray state,
            IntArray before,
            IntArray overflow,
            TornadoNativeArray weights0,
            TornadoNativeArray weights1,
            TornadoNativeArray weights2,
            TornadoNativeArray weights3,
            FloatArray bias0,
            FloatArray bias1,
            FloatArray bias2,
            FloatArray bias3,
            FloatArray norms,
            int groups) {
        if (context.globalIdx == 0 && link.get(Exchange.ACTIVE) == 0) {
            PeerMemory.publish(weights0, state, OWN_ADDRESSES / 2);
            PeerMemory.publish(weights1, state, OWN_ADDRESSES / 2 + 1);
            PeerMemory.publish(weights2, state, OWN_ADDRESSES / 2 + 2);
            PeerMemory.publish(weights3, state, OWN_ADDRESSES / 2 + 3);
            PeerMemory.publish(bias0, state, OWN_ADDRESSES / 2 + 4);
            PeerMemory.publish(bias1, state, OWN_ADDRESSES / 2 + 5);
            PeerMemory.publish(bias2, state, OWN_ADDRESSES / 2 + 6);
            PeerMemory.publish(bias3, state, OWN_ADDRESSES / 2 + 7);
            PeerMemory.publish(norms, state, OWN_ADDRESSES / 2 + 8);
        }
        awaitBlock(context.localIdx, link, state, groups);
        context.localBarrier();
        if (context.localIdx == 0) {
            begin(link, state, before, overflow);
        }
    }

    /** A thread for each group of the owner's. */
    private static void awaitBlock(int thread, IntArray link, IntArray state, int groups) {
        int begun = state.get(BEGUN);
        int owner = begun % link.get(DEPTH) % link.get(OWNERS);
        if (link.get(Exchange.ACTIVE) != 0 && owner != link.get(PLACE) && thread < groups) {
            if (state.get(Exchange.FAILED) == 0
                    && Exchange.await(link, state, SENT + owner * Exchange.MOST_GROUPS + thread, begun + 1) == 0) {
                state.set(Exchange.FAILED, 1);
            }
        }
    }

    private static void begin(IntArray link, IntArray state, IntArray before, IntArray overflow) {
        int owners = link.get(OWNERS);
        int place = link.get(PLACE);
        int ownSlots = link.get(OWN_SLOTS);
        int rooms = link.get(ROOMS);
        int begun = state.get(BEGUN);
        int block = begun % link.get(DEPTH);
        int last = block - 1;
        if (last >= 0 && last % owners != place) {
            int room = slot(last, place, owners, ownSlots, rooms);
            for (int kind = 0; kind < Overflow.FINAL; kind++) {
                int at = (ownSlots + rooms + last) * Overflow.KINDS + kind;
                overflow.set(at, overflow.get(at) | overflow.get(room * Overflow.KINDS + kind));
                overflow.set(room * Overflow.KINDS + kind, 0);
            }
        }
        before.set(0, slot(block, place, owners, ownSlots, rooms) - 1);
        state.set(BEGUN, begun + 1);
    }
}
