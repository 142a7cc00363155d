package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * An exchange among devices that compute a step together: each stores a box of an array of its own into an array of each of
 * the others and into its own, and ends when all boxes for it have come. There is no host between.
 *
 * <p>A work group has a share of one other device's box. It stores it, signals, and waits for the group of the other side that
 * has the same share: all of a device's groups have to be resident, for the others wait for each. A signal is a number that
 * both sides count up at each exchange, so that the same launch serves every block and step.
 *
 * <p>A device that waits in vain notes it, and from then on waits for nobody.
 */
public final class Exchange {
    /** Devices of an exchange at most. */
    public static final int MOST = 8;

    /** Work groups of a device's box at most. */
    public static final int MOST_GROUPS = 64;

    /** Runs of a box are a multiple of this. */
    public static final int GRAIN = 4;

    /** Which exchange: of predictions. */
    public static final int PREDICTION = 0;
    /** Of attention's input. */
    public static final int HEADS = 1;
    /** Of attention's output. */
    public static final int TOKENS = 2;
    /** Of the input of products whose weights are divided. */
    public static final int NORMED = 3;
    /** Of parts of sums. */
    public static final int SUMS = 4;
    /** Of hidden states, from stage to stage: see {@link Handover}. */
    public static final int HIDDEN = 5;
    /** Of what modulations are made of. */
    public static final int CONDITIONING = 6;

    public static final int SITES = 7;

    /** Seconds that any signal may take. */
    public static final int LEAST_PATIENCE = 10;

    /** Index into a link: 1 when the devices are connected; else a device has its own box alone, and tells its addresses. */
    public static final int ACTIVE = 0;

    /** Index into a link: seconds that a signal may take beside {@link #LEAST_PATIENCE}. */
    private static final int MORE_PATIENCE = 1;

    private static final int LINK_HEADER = 2;
    private static final int SITE = 18 + 4 * MOST;

    // Within a site of a link: behind an int that is not used the own number among its devices, and the box, see Box.
    static final int RANK = 1;
    static final int BOX = 2;
    // Of a handover: bits of who gets boxes from this device, and of who sends it some.
    static final int RECEIVERS = 15;
    static final int SENDERS = 16;
    private static final int ADDRESSES = 18;

    /** Index into a state: 1 when a signal has not come. */
    public static final int FAILED = 0;

    /** Index into a state: which micro-batch of a step comes next. */
    static final int MICRO_BATCH = 1;

    static final int OWN_ADDRESSES = 2;
    // For each site, device and group: exchanges, or waits of a handover; signals that have come; a handover's that
    // were sent.
    static final int COUNTERS = OWN_ADDRESSES + 2 * (SITES + 1);
    static final int SIGNALS = COUNTERS + SITES * MOST * MOST_GROUPS;
    static final int SENT = SIGNALS + SITES * MOST * MOST_GROUPS;
    /** Ints of a state. */
    public static final int STATE = SENT + SITES * MOST * MOST_GROUPS;
    /** Ints of a link. */
    public static final int LINK = LINK_HEADER + SITES * SITE;

    private Exchange() {}

    /**
     * What goes to another device: for each pass of the model, {@code a b} runs of 4-byte elements, a multiple of {@link #GRAIN} each.
     *
     * @param from where the box of device 0 begins, and how far it is from there to the next device's, pass, a and b
     * @param to likewise; where it begins does not depend on the receiver
     * @param near devices that follow one another and get different boxes; the same ones go to those of the next so many
     * @param kept of a, the first ones: they go to no others than the near ones
     */
    public record Box(int a, int b, int run, Place from, Place to, int near, int kept) {

        /** Elements from one to the next; {@code base} is each receiver's distance for a source, the sender's offset for a target. */
        public record Place(int base, int pass, int a, int b) {}

        public Box {
            for (int size : new int[] {run, from.base, from.pass, from.a, from.b, to.base, to.pass, to.a, to.b}) {
                if (size % GRAIN != 0) {
                    throw new IllegalArgumentException("a box of runs of " + run + " elements from " + from + " to "
                            + to + ": an exchange copies four at a time");
                }
            }
        }

        /** A box for each device. */
        public Box(int a, int b, int run, Place from, Place to) {
            this(a, b, run, from, to, MOST, 0);
        }

        /** Elements of a pass. */
        public int elements() {
            return a * b * run;
        }
    }

    /** Work groups of a device's box, and threads of each. */
    public record Groups(int groups, int threads) {
        /** On a GPU: enough stores under way for the link, and all groups of all devices' boxes resident. */
        public static Groups ofGpu(int ranks) {
            return new Groups(Math.min(MOST_GROUPS, 256 / ranks), 512);
        }

        /** On a virtual device, where threads cost. */
        public static final Groups VIRTUAL = new Groups(2, 16);
    }

    /** A launch. */
    public static WorkerGrid grid(int ranks, Groups groups) {
        return Launch.groups(ranks * groups.groups(), groups.threads());
    }

    /** Writes how many seconds a signal may take: {@link #LEAST_PATIENCE} where nothing is written. */
    public static void setPatience(IntArray link, int seconds) {
        link.set(MORE_PATIENCE, Math.max(0, seconds - LEAST_PATIENCE));
    }

    /** How many seconds a signal may take. */
    public static int patience(IntArray link) {
        return LEAST_PATIENCE + link.get(MORE_PATIENCE);
    }

    /** Writes who exchanges what. */
    public static void describe(IntArray link, int site, int rank, Box box) {
        int at = site(site);
        link.set(at + RANK, rank);
        int[] sizes = {
            box.a,
            box.b,
            box.run,
            box.from.base,
            box.from.pass,
            box.from.a,
            box.from.b,
            box.to.base,
            box.to.pass,
            box.to.a,
            box.to.b,
            box.near,
            box.kept
        };
        for (int i = 0; i < sizes.length; i++) {
            link.set(at + BOX + i, sizes[i]);
        }
    }

    /**
     * Writes who hands boxes to whom, of an exchange that is described: each has one run for each pass.
     *
     * @param receivers of the boxes from here, a bit for each device of the exchange, also the own
     * @param senders of boxes that come here, likewise
     */
    public static void handOver(IntArray link, int site, int receivers, int senders) {
        int at = site(site);
        if (link.get(at + BOX) * link.get(at + BOX + 1) != 1) {
            throw new IllegalArgumentException("a handover of several runs a pass");
        }
        link.set(at + RECEIVERS, receivers);
        link.set(at + SENDERS, senders);
    }

    /**
     * Writes where another device of an exchange, or the own one, has its arrays.
     *
     * @param peer number among the site's devices
     * @param state of that device, as the host has got it after an exchange that was not {@link #ACTIVE}
     */
    public static void connect(IntArray link, int site, int peer, IntArray state) {
        int slot = slot(site, peer);
        PeerMemory.set(link, slot, landing(state, site));
        PeerMemory.set(link, slot + 1, address(state));
    }

    /** Address of the array that a site's boxes come to, as a device has told it. */
    public static long landing(IntArray state, int site) {
        return PeerMemory.get(state, OWN_ADDRESSES / 2 + site);
    }

    /** Address of a device's state, likewise. */
    public static long address(IntArray state) {
        return PeerMemory.get(state, OWN_ADDRESSES / 2 + SITES);
    }

    static int site(int site) {
        return LINK_HEADER + site * SITE;
    }

    static int slot(int site, int peer) {
        return (LINK_HEADER + site * SITE + ADDRESSES) / 2 + 2 * peer;
    }

    /**
     * Exchanges packed numbers or floats. Launch: {@link #grid}.
     *
     * @param batch see {@link Batch}
     * @param source of the own boxes, ints or floats
     * @param landing where the others' boxes come to, and the own
     * @param link {@link #LINK}: who exchanges what, and where
     * @param state {@link #STATE}, zero in the beginning
     * @param site which of the link's
     * @param groups of each device's box
     */
    public static void exchange(
            KernelContext context,
            IntArray batch,
            TornadoNativeArray source,
            TornadoNativeArray landing,
            IntArray link,
            IntArray state,
            int site,
            int groups) {
        int at = site(site);
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        int active = link.get(ACTIVE);
        int rank = link.get(at + RANK);
        int a = link.get(at + BOX);
        int b = link.get(at + BOX + 1);
        int run = link.get(at + BOX + 2) / 4;
        int near = link.get(at + BOX + 11);
        int kept = peer / near == rank / near ? 0 : link.get(at + BOX + 12);
        int sent = a - kept;
        int from = peer % near * link.get(at + BOX + 3);
        int fromPass = link.get(at + BOX + 4);
        int fromA = link.get(at + BOX + 5);
        int fromB = link.get(at + BOX + 6);
        int to = link.get(at + BOX + 7);
        int toPass = link.get(at + BOX + 8);
        int toA = link.get(at + BOX + 9);
        int toB = link.get(at + BOX + 10);
        int count = batch.get(Batch.PASSES) * sent * b * run;
        int slot = slot(site, peer);
        for (int i = group * context.localGroupSizeX + context.localIdx;
                i < count;
                i += groups * context.localGroupSizeX) {
            int y = i / run % b;
            int x = i / run / b % sent + kept;
            int pass = i / run / b / sent;
            int source4 = from + pass * fromPass + x * fromA + y * fromB + i % run * 4;
            int target4 = to + pass * toPass + x * toA + y * toB + i % run * 4;
            if (peer == rank) {
                PeerMemory.copy4(source, source4, landing, target4);
            } else if (active != 0) {
                PeerMemory.send4(source, source4, link, slot, target4);
            }
        }
        context.localBarrier();
        if (context.localIdx == 0) {
            if (active != 0) {
                meet(link, state, site, rank, peer, group);
            } else if (context.groupIdx == 0) {
                PeerMemory.publish(landing, state, OWN_ADDRESSES / 2 + site);
                PeerMemory.publish(state, state, OWN_ADDRESSES / 2 + SITES);
            }
        }
    }

    /** As {@link PeerMemory#await}, as long as the link says. */
    static int await(IntArray link, IntArray state, int flag, int number) {
        return PeerMemory.await(state, flag, number, patience(link));
    }

    /** Tells another device's group that the own box is there, and waits for its word. */
    private static void meet(IntArray link, IntArray state, int site, int rank, int peer, int group) {
        if (peer != rank) {
            int counter = COUNTERS + (site * MOST + peer) * MOST_GROUPS + group;
            int number = state.get(counter) + 1;
            state.set(counter, number);
            PeerMemory.signal(link, slot(site, peer) + 1, SIGNALS + (site * MOST + rank) * MOST_GROUPS + group, number);
            if (state.get(FAILED) == 0
                    && await(link, state, SIGNALS + (site * MOST + peer) * MOST_GROUPS + group, number) == 0) {
                state.set(FAILED, 1);
            }
        }
    }
}
