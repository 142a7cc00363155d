package org.tornadodit.scheduler.device;

import java.util.List;
import org.tornadodit.kernels.ptx.PeerAccess;
import org.tornadodit.kernels.ptx.PeerAccess.Connection;
import org.tornadodit.kernels.ptx.PeerAccess.HostMemory;
import org.tornadodit.kernels.ptx.PeerAccess.Reach;
import org.tornadodit.scheduler.plan.Link;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** What devices that compute a picture together reach of each other's memory. */
public final class DeviceLink {
    private final List<TornadoDevice> devices;
    private final PeerAccess access;
    private final Connection connection;

    private DeviceLink(List<TornadoDevice> devices, PeerAccess access, Connection connection) {
        this.devices = devices;
        this.access = access;
        this.connection = connection;
    }

    /** Connects devices, each with each, as well as it is possible. */
    public static DeviceLink of(List<ListedDevice> listed) {
        List<TornadoDevice> devices = listed.stream().map(ListedDevice::device).toList();
        PeerAccess access = PeerAccess.onClassPath(devices);
        Connection connection = TornadoProperties.peersThroughHost()
                ? Connection.throughHost(
                        "-D%s is %s".formatted(TornadoProperties.PEERS, TornadoProperties.THROUGH_HOST))
                : access.connect(devices);
        return new DeviceLink(devices, access, connection);
    }

    /** Whether they can exchange anything within a step. */
    public boolean exists() {
        return connection.reach() != Reach.NOTHING;
    }

    /** What exchanges cost, where there is one. */
    public Link link() {
        return connection.reach() == Reach.PEERS ? Link.PEERS : Link.HOST;
    }

    /** Why they do not reach each other's memory. */
    public String reason() {
        return connection.reason();
    }

    /**
     * Memory of the host that all of them reach.
     *
     * @param elements of 4 bytes
     * @throws DeviceUnavailableException when there is none
     */
    public HostMemory hostMemory(int elements) {
        try {
            return access.hostMemory(devices, elements);
        } catch (IllegalStateException refused) {
            throw new DeviceUnavailableException("%s, and %s".formatted(reason(), refused.getMessage()));
        }
    }
}
