package org.tornadodit.kernels.ptx;

import java.util.Optional;
import uk.ac.manchester.tornado.api.common.TornadoDevice;

/** A GPU's memory as its driver knows it, which TornadoVM does not ask. Implemented by the module tornado-ptx. */
public interface DriverMemory {

    /**
     * Bytes of a whole GPU, other processes' included.
     *
     * @param free that can be allocated
     * @param total of the GPU
     */
    record Bytes(long free, long total) {}

    /**
     * The memory of a device of the PTX backend.
     *
     * @return nothing where the driver has no such function, or TornadoVM no such device
     * @throws IllegalStateException when the driver fails to tell, as it does of a context that is broken
     */
    Optional<Bytes> of(TornadoDevice device);

    /** What is on the class path; without tornado-ptx nothing is known of any device. */
    static DriverMemory onClassPath() {
        return PtxService.find(DriverMemory.class).orElse(device -> Optional.empty());
    }
}
