package org.tornadodit.scheduler.run;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.ptx.PeerAccess.HostMemory;
import org.tornadodit.scheduler.device.DeviceLink;
import org.tornadodit.scheduler.graph.HostLanding;

/** Memory of the host that other devices of a crew store into for one that they do not reach. */
final class HostLandings implements AutoCloseable {
    private final List<HostMemory> memory = new ArrayList<>();
    private final HostLanding denoiser;
    private final HostLanding decoder;
    private final HostMemory flags;

    /**
     * @param denoiser elements of the array that the boxes of each site come to, see {@link Exchange}
     * @param decoder likewise; none where a device decodes by itself
     * @throws org.tornadodit.scheduler.device.DeviceUnavailableException when there is not so much
     */
    HostLandings(DeviceLink link, int[] denoiser, int[] decoder) {
        try {
            flags = allocatedFlags(link);
            this.denoiser = landing(link, denoiser, flags);
            this.decoder = decoder.length == 0 ? HostLanding.NONE : landing(link, decoder, allocatedFlags(link));
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private HostMemory allocatedFlags(DeviceLink link) {
        HostMemory made = allocated(link, Exchange.STATE);
        made.clear();
        return made;
    }

    private HostLanding landing(DeviceLink link, int[] elements, HostMemory ofSignals) {
        long[] sites = Arrays.stream(elements)
                .mapToLong(size -> size == 0 ? 0 : allocated(link, size).address())
                .toArray();
        return new HostLanding(sites, ofSignals.address());
    }

    private HostMemory allocated(DeviceLink link, int elements) {
        HostMemory made = link.hostMemory(elements);
        memory.add(made);
        return made;
    }

    /** What stands for the arrays of a step. */
    HostLanding denoiser() {
        return denoiser;
    }

    /** And for those of a picture that is decoded together. */
    HostLanding decoder() {
        return decoder;
    }

    /** No signal of a step has come: those are counted anew when samples begin. */
    void clearFlags() {
        flags.clear();
    }

    long bytes() {
        return memory.stream().mapToLong(HostMemory::bytes).sum();
    }

    /** Gives it back, once no device's kernels can use it any longer. */
    @Override
    public void close() {
        memory.forEach(HostMemory::close);
        memory.clear();
    }
}
