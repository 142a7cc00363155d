package org.tornadodit.scheduler.graph;

import java.util.function.IntToDoubleFunction;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.graph.Count.Launch;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;

/**
 * What a step of a mesh should take, by what its graphs launch: the tiles of products, operations, bytes, and what a launch costs
 * by itself.
 *
 * @param computing seconds of a rank's kernels
 * @param exchanging seconds that bytes are under way to other devices, and that signals take
 * @param sent bytes that a rank stores into other devices' memory
 * @param memory bytes of a rank, without the decoder
 */
public record MeshCost(double computing, double exchanging, long sent, long memory) {
    /** Cycles a second of a tile's model: an H100's clock under load. */
    private static final double CLOCK = 1.7e9;

    /** Operations a second of attention, three products for one: measured on an H200, docs/performance.md. */
    private static final double ATTENTION_FLOPS = 380e12;

    /** Of products without a model of their tiles: the portable kernels'. */
    private static final double PORTABLE_FLOPS = 30e12;

    /** Bytes a second between global memory and kernels. */
    private static final double MEMORY_BYTES = 3e12;

    /** Bytes a second that kernels store into a peer's memory. */
    private static final double LINK_BYTES = 350e9;

    /** Seconds from a kernel to the next. */
    private static final double LAUNCH = 2.5e-6;

    /** Seconds of an exchange besides its bytes: the signal, and that devices are not at the same place at once. */
    private static final double MEETING = 6e-6;

    /** Of the crew with the most samples of a batch. */
    public static MeshCost of(DitConfig config, Mesh mesh, int samples, boolean guided, Operations operations) {
        int most = Math.ceilDiv(samples, mesh.samples());
        Part part = mesh.part(config, most, guided, 0);
        Count count = Count.ofStep(config, part, operations);
        double seconds = 0;
        int exchanges = 0;
        for (Launch launch : count.launches()) {
            seconds += launch.times() * seconds(launch.work(), part, operations);
            exchanges += launch.work().operation().operation().equals(Exchanges.OPERATION) ? launch.times() : 0;
        }
        long sent = mesh.bytesSent(config, most, guided ? most : 0, operations.grain());
        return new MeshCost(seconds, sent / LINK_BYTES + exchanges * MEETING, sent, count.bytes());
    }

    private static double seconds(Work work, Part part, Operations operations) {
        IntToDoubleFunction cycles = work.cycles();
        double flops = operations.grain().elementBytes() == Float.BYTES && operations.reportsOverflow()
                ? ATTENTION_FLOPS / 3
                : ATTENTION_FLOPS;
        double computing = cycles != null
                ? cycles.applyAsDouble(part.passes()) / CLOCK
                : work.flops() / (operations.reportsOverflow() ? flops : PORTABLE_FLOPS);
        return LAUNCH + Math.max(computing, (work.weightBytes() + work.activationBytes()) / MEMORY_BYTES);
    }

    /** Of a step. */
    public double seconds() {
        return computing + exchanging;
    }
}
