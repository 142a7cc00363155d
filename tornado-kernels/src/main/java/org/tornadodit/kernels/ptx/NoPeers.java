package org.tornadodit.kernels.ptx;

import java.util.List;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Nothing on the class path connects devices. */
final class NoPeers implements PeerAccess {
    private static final String REASON = "tornado-ptx, which connects devices, is not on the class path";

    @Override
    public Connection connect(List<TornadoDevice> devices) {
        return Connection.none(REASON);
    }

    @Override
    public HostMemory hostMemory(List<TornadoDevice> devices, int elements) {
        throw new IllegalStateException(REASON);
    }
}
