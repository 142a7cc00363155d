package org.tornadodit.kernels.ptx;

import java.util.List;
import java.util.Optional;
import org.tornadodit.virtual.VirtualDevice;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** Lets devices of one process store into each other's memory, see {@link PeerMemory}. Implemented by the module tornado-ptx. */
public interface PeerAccess {

    /**
     * Connects devices, each with each, for good: arrays that come later too.
     *
     * @return why they cannot be connected, in words; empty when they are
     */
    Optional<String> connect(List<TornadoDevice> devices);

    /** What is on the class path; virtual devices are connected without. */
    static PeerAccess onClassPath() {
        return devices -> devices.stream().allMatch(VirtualDevice.class::isInstance)
                ? Optional.empty()
                : PtxService.find(PeerAccess.class)
                        .map(found -> found.connect(devices))
                        .orElse(Optional.of("tornado-ptx, which connects devices, is not on the class path"));
    }
}
