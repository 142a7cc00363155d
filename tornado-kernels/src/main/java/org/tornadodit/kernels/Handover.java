package org.tornadodit.kernels;

import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * What stages of a pipeline hand on to others, a micro-batch at a time: unlike an {@link Exchange} who sends does not wait, and
 * goes on with the next micro-batch. What is sent has a place of its own for each pass, so that nothing is stored over that its
 * reader is not done with; between steps the devices meet on the host.
 *
 * <p>Signals are counted on both sides: those that a device has sent to another, and those that this one has waited for.
 */
public final class Handover {
    private Handover() {}

    /** A launch of {@link #await}. */
    public static WorkerGrid waiting(int ranks, Groups groups) {
        return Launch.groups(ranks * groups.groups(), 1);
    }

    /** A launch of {@link #next}. */
    public static WorkerGrid single() {
        return Launch.groups(1, Launch.ELEMENTWISE);
    }

    /**
     * Begins the next micro-batch.
     *
     * @param all micro-batches of a step, see {@link Batch#divide}
     * @param allFrequencies (passes of all, width)
     * @param allIntervals likewise; anything where {@code second} is 0
     * @param batch gets the micro-batch
     * @param frequencies (passes, width), get its rows
     * @param intervals likewise
     * @param state counts the micro-batches of a step, see {@link Exchange#MICRO_BATCH}
     * @param number of a step
     * @param length of a micro-batch's array
     * @param second 1 where there are intervals
     */
    public static void next(
            KernelContext context,
            IntArray all,
            FloatArray allFrequencies,
            FloatArray allIntervals,
            IntArray batch,
            FloatArray frequencies,
            FloatArray intervals,
            IntArray state,
            int number,
            int length,
            int width,
            int second) {
        int micro = state.get(Exchange.MICRO_BATCH);
        int at = micro * length;
        int first = all.get(at + Batch.FIRST) * width;
        int count = all.get(at + Batch.PASSES) * width;
        for (int i = context.localIdx; i < length; i += Launch.ELEMENTWISE) {
            batch.set(i, all.get(at + i));
        }
        for (int i = context.localIdx; i < count; i += Launch.ELEMENTWISE) {
            frequencies.set(i, allFrequencies.get(first + i));
            if (second == 1) {
                intervals.set(i, allIntervals.get(first + i));
            }
        }
        context.localBarrier();
        if (context.localIdx == 0) {
            state.set(Exchange.MICRO_BATCH, (micro + 1) % number);
        }
    }

    /**
     * Stores a micro-batch's box into the arrays of those who get it, behind those of the passes before, or a patch's behind those
     * of the patches before, and signals. Launch: {@link Exchange#grid}.
     *
     * @param source of the box
     * @param landing the own array where boxes come to, for who gets its own
     * @param site which of the link's
     * @param groups of each device's box
     */
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
        int count = gets * batch.get(Batch.PASSES) * run;
        int slot = Exchange.slot(site, peer);
        for (int i = group * context.localGroupSizeX + context.localIdx;
                i < count;
                i += groups * context.localGroupSizeX) {
            int pass = i / run;
            int source4 = pass * fromPass + i % run * 4;
            int target4 = to + (first + pass) * toPass + i % run * 4;
            if (peer == rank) {
                PeerMemory.copy4(source, source4, landing, target4);
            } else if (active != 0) {
                PeerMemory.send4(source, source4, link, slot, target4);
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
     * Waits for micro-batches of all who send them. Launch: {@link #waiting}.
     *
     * @param landing where they come to
     * @param site which of the link's
     * @param groups of each device's box
     * @param times that each has sent since the last wait
     */
    public static void await(
            KernelContext context, FloatArray landing, IntArray link, IntArray state, int site, int groups, int times) {
        int at = Exchange.site(site);
        int peer = context.groupIdx / groups;
        int group = context.groupIdx % groups;
        int active = link.get(Exchange.ACTIVE);
        int sends = (link.get(at + Exchange.SENDERS) >> peer) & 1;
        if (active == 0) {
            if (context.globalIdx == 0) {
                PeerMemory.publish(landing, state, Exchange.OWN_ADDRESSES / 2 + site);
                PeerMemory.publish(state, state, Exchange.OWN_ADDRESSES / 2 + Exchange.SITES);
            }
        } else if (sends != 0 && peer != link.get(at + Exchange.RANK)) {
            int counter = Exchange.COUNTERS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group;
            int number = state.get(counter) + times;
            state.set(counter, number);
            if (state.get(Exchange.FAILED) == 0
                    && Exchange.await(
                                    link,
                                    state,
                                    Exchange.SIGNALS + (site * Exchange.MOST + peer) * Exchange.MOST_GROUPS + group,
                                    number)
                            == 0) {
                state.set(Exchange.FAILED, 1);
            }
        }
    }

    /**
     * Copies what has come of a micro-batch to where its blocks have it. Launch: {@link Launch#elementwise} of all elements that
     * a micro-batch can have.
     *
     * @param landing (passes of all, elements)
     * @param target (passes, elements)
     * @param elements of a pass
     */
    public static void take(
            KernelContext context, IntArray batch, FloatArray landing, FloatArray target, int elements) {
        int i = context.globalIdx;
        if (i < batch.get(Batch.PASSES) * elements) {
            target.set(i, landing.get(batch.get(Batch.FIRST) * elements + i));
        }
    }
}
