package org.tornadodit.kernels;

import org.tornadodit.kernels.OwnedWeights.Item;
import org.tornadodit.kernels.OwnedWeights.Ownership;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One device as owner and reader at once: by which {@link OwnedWeights#push} is checked and timed by itself. Of two blocks the
 * first is sent, from slot 0 to the only room.
 */
public final class OwnedWeightsLoop {
    /** Owner is place 0, reader place 1. */
    private static final Ownership OWNER = new Ownership(2, 0, 2);

    private OwnedWeightsLoop() {}

    /** Writes the owner's link but for the addresses. */
    public static void describe(IntArray link, Item item, int half) {
        OwnedWeights.describe(link, OWNER, item);
        link.set(Exchange.ACTIVE, 1);
        link.set(OwnedWeights.HALVES + 1, half);
    }

    /**
     * Writes the addresses. Launch: a work item.
     *
     * @param readerState gets the signals
     * @param from number of the source among the arrays
     * @param to of the target
     */
    public static void connect(
            KernelContext context,
            FloatArray source,
            FloatArray target,
            IntArray link,
            IntArray readerState,
            int from,
            int to) {
        // The link is read too: TornadoVM would not send what a task writes alone.
        if (context.globalIdx == 0 && link.get(Exchange.ACTIVE) == 1) {
            PeerMemory.publish(source, link, OwnedWeights.slotOf(0, from));
            PeerMemory.publish(target, link, OwnedWeights.slotOf(1, to));
            PeerMemory.publish(readerState, link, OwnedWeights.slotOf(1, OwnedWeights.OWN_STATE));
        }
    }

    /** Waits for the block. Launch: {@link OwnedWeights#waiting}. */
    public static void arrive(KernelContext context, IntArray readerState, IntArray arrived, int groups) {
        if (context.localIdx < groups) {
            arrived.set(
                    context.localIdx,
                    PeerMemory.await(readerState, OwnedWeights.SENT + context.localIdx, 1, Exchange.LEAST_PATIENCE));
        }
    }

    /** What an element of the target should be: index of the source's, or -1 where it stays as it is. */
    public static int sourceOf(Item item, int half, int target) {
        int within = target - OWNER.ownSlots() * item.toSlot();
        int run = item.runs() == 1 ? 0 : Math.floorDiv(within, item.toRun());
        int at = within - run * item.toRun();
        return within < 0 || run >= item.runs() || at < 0 || at >= item.run()
                ? -1
                : half * item.fromHalf() + run * item.fromRun() + at;
    }
}
