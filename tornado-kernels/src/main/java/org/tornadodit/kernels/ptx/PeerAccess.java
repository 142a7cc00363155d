package org.tornadodit.kernels.ptx;

import java.util.List;
import org.tornadodit.virtual.VirtualDevice;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Lets devices of one process store into each other's memory, see {@link PeerMemory}. Implemented by the module tornado-ptx. */
public interface PeerAccess {

    /** What devices reach. */
    enum Reach {
        /** Each the memory of each other. */
        PEERS,
        /** The host's memory, and not all the memory of all others. */
        HOST,
        /** Neither, as far as is known. */
        NOTHING
    }

    /**
     * What came of connecting devices.
     *
     * @param reason why it is less than each other's memory, in words
     */
    record Connection(Reach reach, String reason) {
        /** All reach each other's memory. */
        public static final Connection OF_PEERS = new Connection(Reach.PEERS, "");

        /** They reach the host's memory alone. */
        public static Connection throughHost(String reason) {
            return new Connection(Reach.HOST, reason);
        }

        /** Nothing connects them. */
        public static Connection none(String reason) {
            return new Connection(Reach.NOTHING, reason);
        }
    }

    /** Page-locked memory of the host, at the same address for all devices. It may be closed once none uses it any longer. */
    interface HostMemory extends AutoCloseable {
        /** By which kernels know it, as an array's of another device. */
        long address();

        /** Its size. */
        long bytes();

        /** Makes all of it zero. */
        void clear();

        /** Gives it back. */
        @Override
        void close();
    }

    /** Connects devices, each with each, for good: arrays that come later too. */
    Connection connect(List<TornadoDevice> devices);

    /**
     * Memory of the host for devices that do not reach each other's. What is in it at first is nothing to be read.
     *
     * @param elements of 4 bytes
     * @throws IllegalStateException when there is none, with the reason
     */
    HostMemory hostMemory(List<TornadoDevice> devices, int elements);

    /** What is on the class path; virtual devices are connected without. */
    static PeerAccess onClassPath(List<TornadoDevice> devices) {
        return devices.stream().allMatch(VirtualDevice.class::isInstance)
                ? new VirtualPeers()
                : PtxService.find(PeerAccess.class).orElseGet(NoPeers::new);
    }
}
