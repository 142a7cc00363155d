package org.tornadodit.kernels;

import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** One device as several that send to one another: by which kernels that are {@link Sending} are checked and timed by themselves. */
public final class SendingLoop {
    private SendingLoop() {}

    /** Describes the sites of a link whose addresses {@link #connect} writes. */
    public static void describe(IntArray link, int ranks, int rank) {
        Place anywhere = new Place(0, 0, 0, 0);
        Box none = new Box(0, 0, 0, anywhere, anywhere);
        Exchange.describe(link, Exchange.HEADS, rank, none);
        Exchange.describe(link, Exchange.TOKENS, rank, none);
        link.set(Exchange.ACTIVE, 1);
    }

    /**
     * Writes a device's addresses into a link, as one of its peers, or as the own. Launch: {@link Sending#single}.
     *
     * @param landing of both sites, of which one sends
     */
    public static void connect(KernelContext context, IntArray landing, IntArray state, IntArray link, int peer) {
        // What is only written would not be copied to the device before.
        if (context.globalIdx == 0 && link.get(Exchange.ACTIVE) == 1) {
            int heads = Exchange.slot(Exchange.HEADS, peer);
            PeerMemory.publish(landing, link, heads);
            PeerMemory.publish(state, link, heads + 1);
            int tokens = Exchange.slot(Exchange.TOKENS, peer);
            PeerMemory.publish(landing, link, tokens);
            PeerMemory.publish(state, link, tokens + 1);
        }
    }

    /** Waits for what all others have sent. Launch: {@link Sending#single}. */
    public static void await(KernelContext context, IntArray link, int site, int ranks) {
        if (context.globalIdx == 0) {
            Sending.await(link, site, ranks);
        }
    }
}
