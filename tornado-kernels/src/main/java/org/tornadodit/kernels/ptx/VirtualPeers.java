package org.tornadodit.kernels.ptx;

import java.util.List;
import org.tornadodit.virtual.VirtualLink;
import uk.ac.manchester.tornado.api.common.TornadoDevice;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Virtual devices, which reach each other's memory unless {@link VirtualLink#setPeerAccess} says otherwise. */
final class VirtualPeers implements PeerAccess {

    @Override
    public Connection connect(List<TornadoDevice> devices) {
        return VirtualLink.peerAccess()
                ? Connection.OF_PEERS
                : Connection.throughHost("virtual devices without peer access");
    }

    @Override
    public HostMemory hostMemory(List<TornadoDevice> devices, int elements) {
        IntArray memory = VirtualLink.hostMemory(elements);
        return new HostMemory() {
            @Override
            public long address() {
                return VirtualLink.address(memory);
            }

            @Override
            public long bytes() {
                return (long) Integer.BYTES * memory.getSize();
            }

            @Override
            public void clear() {
                memory.init(0);
            }

            @Override
            public void close() {
                VirtualLink.releaseHostMemory(memory);
            }
        };
    }
}
