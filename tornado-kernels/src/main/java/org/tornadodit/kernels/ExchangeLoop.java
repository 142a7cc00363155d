package org.tornadodit.kernels;

import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.ptx.PeerMemory;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * One device as two that exchange through memory between them: by which {@link HostExchange} is checked and timed by themselves.
 * Device 0 sends, and is done; then device 1 has waited, and has fetched.
 */
public final class ExchangeLoop {
    /** Of both. */
    public static final int SITE = Exchange.HIDDEN;

    private ExchangeLoop() {}

    /** Writes both links but for the addresses, and into the flags of device 0 that device 1 is done too. */
    public static void describe(IntArray sender, IntArray receiver, IntArray senderFlags, Box from0, Box from1) {
        Exchange.describe(sender, SITE, 0, from0);
        Exchange.describe(receiver, SITE, 1, from1);
        Exchange.handOver(sender, SITE, 1 << 1, 0);
        Exchange.handOver(receiver, SITE, 0, 1);
        for (IntArray link : new IntArray[] {sender, receiver}) {
            HostExchange.connect(link, SITE, 0, sender, 0, 0);
            HostExchange.connect(link, SITE, 1, receiver, 0, 0);
            link.set(Exchange.ACTIVE, 1);
        }
        for (int group = 0; group < Exchange.MOST_GROUPS; group++) {
            senderFlags.set(Exchange.SIGNALS + (SITE * Exchange.MOST + 1) * Exchange.MOST_GROUPS + group, 1);
        }
    }

    /**
     * Writes the addresses. Launch: a work item.
     *
     * @param between what boxes for either are stored into
     */
    public static void connect(
            KernelContext context,
            FloatArray between,
            IntArray sender,
            IntArray receiver,
            IntArray senderFlags,
            IntArray receiverFlags) {
        // What is only written would not be copied to the device before.
        if (context.globalIdx == 0 && sender.get(Exchange.ACTIVE) + receiver.get(Exchange.ACTIVE) == 2) {
            connect(between, sender, senderFlags, receiverFlags);
            PeerMemory.publish(senderFlags, sender, HostExchange.FLAGS);
            connect(between, receiver, senderFlags, receiverFlags);
            PeerMemory.publish(receiverFlags, receiver, HostExchange.FLAGS);
        }
    }

    private static void connect(FloatArray between, IntArray link, IntArray senderFlags, IntArray receiverFlags) {
        PeerMemory.publish(between, link, Exchange.slot(SITE, 0));
        PeerMemory.publish(senderFlags, link, Exchange.slot(SITE, 0) + 1);
        PeerMemory.publish(between, link, Exchange.slot(SITE, 1));
        PeerMemory.publish(receiverFlags, link, Exchange.slot(SITE, 1) + 1);
    }

    /** A launch of either device. */
    public static WorkerGrid grid(Groups groups) {
        return Exchange.grid(2, groups);
    }
}
