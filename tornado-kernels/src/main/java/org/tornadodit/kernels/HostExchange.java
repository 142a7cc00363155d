package org.tornadodit.kernels;

import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * An {@link Exchange} or {@link Handover} among devices that do not reach each other's memory: boxes and signals are stored
 * into memory of the host that all of them reach, boxes at the places that they have in the receiver's array, and a group that
 * has waited fetches its share from there. A link is an exchange's with a part of its own behind.
 */
public final class HostExchange {
    // Of a link, from its own part on: the address of the ints, laid out as a state, where others set this device's
    // flags.
    private static final int OWN_FLAGS = Exchange.LINK;
    /** Its slot. */
    static final int FLAGS = OWN_FLAGS / 2;

    private static final int OF_SITE = OWN_FLAGS + 2;
    // Of each site: how many passes to fetch at least; then of each device where its boxes begin, and how long their
    // runs are.
    private static final int PLACES = 1;
    private static final int RUNS = PLACES + Exchange.MOST;
    private static final int SITE = RUNS + Exchange.MOST;

    /** Ints of a link. */
    public static final int LINK = OF_SITE + Exchange.SITES * SITE;

    private HostExchange() {}

    /**
     * Writes what stands for another device's arrays, or for the own ones.
     *
     * @param peer number among the site's devices
     * @param other link of that device, described
     * @param landing address of what stands for the array that the site's boxes come to there
     * @param flags address of what stands for its state
     */
    public static void connect(IntArray link, int site, int peer, IntArray other, long landing, long flags) {
        int slot = Exchange.slot(site, peer);
        PeerMemory.set(link, slot, landing);
        PeerMemory.set(link, slot + 1, flags);
        int box = Exchange.site(site) + Exchange.BOX;
        link.set(OF_SITE + site * SITE + PLACES + peer, other.get(box + 7));
        link.set(OF_SITE + site * SITE + RUNS + peer, other.get(box + 2));
    }

    /** Writes where others set this device's flags. */
    public static void setFlags(IntArray link, long address) {
        PeerMemory.set(link, FLAGS, address);
    }

    /** Writes how many passes others may have sent of a site, which may be more than the device has itself. */
    public static void setLeastPasses(IntArray link, int site, int passes) {
        link.set(OF_SITE + site * SITE, passes);
    }

    private static int place(IntArray link, int site, int peer) {
        return link.get(OF_SITE + site * SITE + PLACES + peer);
    }

    private static int run(IntArray link, int site, int peer) {
        return link.get(OF_SITE + site * SITE + RUNS + peer);
    }

    /** Of how many passes another device's boxes are fetched. */
    private static int fetchedPasses(IntArray link, int site, int rank, int peer, int passes) {
        int others = peer == rank ? 0 : 1;
        return link.get(Exchange.ACTIVE) * others * Math.max(passes, link.get(OF_SITE + site * SITE));
    }

    private static int sentTo(IntArray link, int at, int peer) {
        return (link.get(at + Exchange.SENDERS) >> peer) & 1;
    }

    private static int await(IntArray link, int flag, int number) {
        return PeerMemory.awaitAt(link, FLAGS, flag, number, Exchange.patience(link));
    }

    /** Tells another device's group that the own box is there, and waits for its word. */
    private static void meet(IntArray link, IntArray state, int site, int rank, int peer, int group) {
        if (peer != rank) {
            int counter = Exchange.COUNTERS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group;
            int number = state.get(counter) + 1;
            state.set(counter, number);
            PeerMemory.signal(
                    link,
                    Exchange.slot(site, peer) + 1,
                    Exchange.SIGNALS + (site * Exchange.MOST + rank) * Exchange.MOST_GROUPS + group,
                    number);
            if (state.get(Exchange.FAILED) == 0
                    && await(
                                    link,
                                    Exchange.SIGNALS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group,
                                    number)
                            == 0) {
                state.set(Exchange.FAILED, 1);
            }
        }
    }

    /** As {@link Exchange#exchange}. */
    public static void exchange(
            KernelContext context,
            IntArray batch,
            TornadoNativeArray source,
            TornadoNativeArray landing,
            IntArray link,
            IntArray state,
            int site,
            int groups) {
        int at = Exchange.site(site);
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        int active = link.get(Exchange.ACTIVE);
        int rank = link.get(at + Exchange.RANK);
        int a = link.get(at + Exchange.BOX);
        int b = link.get(at + Exchange.BOX + 1);
        int run = link.get(at + Exchange.BOX + 2) / 4;
        int near = link.get(at + Exchange.BOX + 11);
        int kept = peer / near == rank / near ? 0 : link.get(at + Exchange.BOX + 12);
        int sent = a - kept;
        int from = peer % near * link.get(at + Exchange.BOX + 3);
        int fromPass = link.get(at + Exchange.BOX + 4);
        int fromA = link.get(at + Exchange.BOX + 5);
        int fromB = link.get(at + Exchange.BOX + 6);
        int to = link.get(at + Exchange.BOX + 7);
        int toPass = link.get(at + Exchange.BOX + 8);
        int toA = link.get(at + Exchange.BOX + 9);
        int toB = link.get(at + Exchange.BOX + 10);
        int passes = batch.get(Batch.PASSES);
        int count = passes * sent * b * run;
        int slot = Exchange.slot(site, peer);
        int otherRun = run(link, site, peer) / 4;
        int otherTo = place(link, site, peer);
        int fetched = fetchedPasses(link, site, rank, peer, passes) * sent * b * otherRun;
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
                PeerMemory.publish(landing, state, Exchange.OWN_ADDRESSES / 2 + site);
                PeerMemory.publish(state, state, Exchange.OWN_ADDRESSES / 2 + Exchange.SITES);
            }
        }
        context.localBarrier();
        int ownSlot = Exchange.slot(site, rank);
        for (int i = group * context.localGroupSizeX + context.localIdx;
                i < fetched;
                i += groups * context.localGroupSizeX) {
            int y = i / otherRun % b;
            int x = i / otherRun / b % sent + kept;
            int pass = i / otherRun / b / sent;
            int place4 = otherTo + pass * toPass + x * toA + y * toB + i % otherRun * 4;
            PeerMemory.fetch4(link, ownSlot, place4, landing, place4);
        }
    }

    /** As {@link Handover#send}. */
    public static void send(
            KernelContext context,
            IntArray batch,
            FloatArray source,
            FloatArray landing,
            IntArray link,
            IntArray state,
            int site,
            int groups) {
        int at = Exchange.site(site);
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        int active = link.get(Exchange.ACTIVE);
        int rank = link.get(at + Exchange.RANK);
        int run = link.get(at + Exchange.BOX + 2) / 4;
        int fromPass = link.get(at + Exchange.BOX + 4);
        int toPass = link.get(at + Exchange.BOX + 8);
        int gets = (link.get(at + Exchange.RECEIVERS) >> peer) & 1;
        int first = batch.get(Batch.FIRST);
        int to = link.get(at + Exchange.BOX + 7) + batch.get(Batch.PATCH) * link.get(at + Exchange.BOX + 9);
        int passes = gets * batch.get(Batch.PASSES);
        int slot = Exchange.slot(site, peer);
        // A group has the same share of each pass, whatever the others of a micro-batch are: see await.
        for (int pass = 0; pass < passes; pass++) {
            for (int i = group * context.localGroupSizeX + context.localIdx;
                    i < run;
                    i += groups * context.localGroupSizeX) {
                int source4 = pass * fromPass + i * 4;
                int target4 = to + (first + pass) * toPass + i * 4;
                if (peer == rank) {
                    PeerMemory.copy4(source, source4, landing, target4);
                } else if (active != 0) {
                    PeerMemory.send4(source, source4, link, slot, target4);
                }
            }
        }
        context.localBarrier();
        if (context.localIdx == 0 && gets * active != 0 && peer != rank) {
            int counter = Exchange.SENT + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group;
            int number = state.get(counter) + 1;
            state.set(counter, number);
            PeerMemory.signal(
                    link,
                    slot + 1,
                    Exchange.SIGNALS + (site * Exchange.MOST + rank) * Exchange.MOST_GROUPS + group,
                    number);
        }
    }

    /**
     * Waits for a micro-batch of all who send one. Launch: {@link Exchange#grid}.
     *
     * @param batch the micro-batch, as who sends has it
     * @param landing where they come to
     */
    public static void await(
            KernelContext context,
            IntArray batch,
            FloatArray landing,
            IntArray link,
            IntArray state,
            int site,
            int groups) {
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        if (context.localIdx == 0) {
            awaitOne(context.groupIdx, landing, link, state, site, peer, group, 1);
        }
        context.localBarrier();
        int at = Exchange.site(site);
        int first = batch.get(Batch.FIRST);
        int passes = sentTo(link, at, peer)
                * fetchedPasses(link, site, link.get(at + Exchange.RANK), peer, batch.get(Batch.PASSES));
        int run = link.get(at + Exchange.BOX + 2) / 4;
        int toPass = link.get(at + Exchange.BOX + 8);
        int to = place(link, site, peer) + first * toPass;
        int slot = Exchange.slot(site, link.get(at + Exchange.RANK));
        for (int pass = 0; pass < passes; pass++) {
            for (int i = group * context.localGroupSizeX + context.localIdx;
                    i < run;
                    i += groups * context.localGroupSizeX) {
                int place4 = to + pass * toPass + i * 4;
                PeerMemory.fetch4(link, slot, place4, landing, place4);
            }
        }
    }

    /** As {@link Handover#await}, for all micro-batches. Launch: {@link Exchange#grid}. */
    public static void awaitAll(
            KernelContext context, FloatArray landing, IntArray link, IntArray state, int site, int groups, int times) {
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        if (context.localIdx == 0) {
            awaitOne(context.groupIdx, landing, link, state, site, peer, group, times);
        }
        context.localBarrier();
        int at = Exchange.site(site);
        int passes = sentTo(link, at, peer) * fetchedPasses(link, site, link.get(at + Exchange.RANK), peer, 0);
        int run = link.get(at + Exchange.BOX + 2) / 4;
        int toPass = link.get(at + Exchange.BOX + 8);
        int to = place(link, site, peer);
        int slot = Exchange.slot(site, link.get(at + Exchange.RANK));
        for (int pass = 0; pass < passes; pass++) {
            for (int i = group * context.localGroupSizeX + context.localIdx;
                    i < run;
                    i += groups * context.localGroupSizeX) {
                int place4 = to + pass * toPass + i * 4;
                PeerMemory.fetch4(link, slot, place4, landing, place4);
            }
        }
    }

    /** A group, by its first work item, waits for the one with the same share; unconnected it tells the addresses. */
    private static void awaitOne(
            int number, FloatArray landing, IntArray link, IntArray state, int site, int peer, int group, int times) {
        int at = Exchange.site(site);
        int active = link.get(Exchange.ACTIVE);
        int sends = (link.get(at + Exchange.SENDERS) >> peer) & 1;
        if (active == 0) {
            if (number == 0) {
                PeerMemory.publish(landing, state, Exchange.OWN_ADDRESSES / 2 + site);
                PeerMemory.publish(state, state, Exchange.OWN_ADDRESSES / 2 + Exchange.SITES);
            }
        } else if (sends != 0 && peer != link.get(at + Exchange.RANK)) {
            int counter = Exchange.COUNTERS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group;
            int signals = state.get(counter) + times;
            state.set(counter, signals);
            if (state.get(Exchange.FAILED) == 0
                    && await(
                                    link,
                                    Exchange.SIGNALS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group,
                                    signals)
                            == 0) {
                state.set(Exchange.FAILED, 1);
            }
        }
    }
}
