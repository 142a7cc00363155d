package org.tornadodit.scheduler.graph;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.Count.Launch;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;
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
    /** Cycles a second of a tile's model. */
    private static final double CLOCK = 1.7e9;

    /**
     * Share of what the models of single kernels say that whole steps reach, with three products for one and with one: measured on
     * an H200 with 1, 2 and 8 guided samples of XL/2 at 512, within 7 %. The clock falls under load.
     */
    private static final double SHARE_OF_THREE = 0.69;

    private static final double SHARE_OF_ONE = 0.57;

    /** Operations a second of attention, three products for one: measured on an H200, docs/performance.md. */
    private static final double ATTENTION_FLOPS = 380e12;

    /** Of an H100 and an H200. */
    private static final int MULTIPROCESSORS = 132;

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
            boolean exchange = launch.work().operation().operation().equals(Exchanges.OPERATION);
            exchanges += exchange ? launch.times() : 0;
            // What an exchange reads and writes here is done while its bytes are under way.
            seconds += launch.times() * (exchange ? LAUNCH : seconds(launch.work(), part, operations));
        }
        long sent = mesh.bytesSent(config, most, guided ? most : 0, operations.grain());
        double share = !operations.reportsOverflow()
                ? 1
                : operations.precision() == MatmulPrecision.HIGHEST ? SHARE_OF_THREE : SHARE_OF_ONE;
        return new MeshCost(seconds / share, sent / LINK_BYTES + exchanges * MEETING, sent, count.bytes());
    }

    /**
     * Of all meshes that a model and a batch allow on so many H100s or H200s.
     *
     * @param precision of products on tensor cores
     */
    public static Map<Mesh, MeshCost> ofHopper(
            DitConfig config, int samples, boolean guided, int devices, MatmulPrecision precision) {
        Operations operations = TensorOperations.refusal(config).isEmpty()
                ? new TensorOperations(precision, MULTIPROCESSORS, Tuning.NONE)
                : new PortableOperations(Tuning.NONE);
        Map<Mesh, MeshCost> costs = new LinkedHashMap<>();
        MeshRequest.candidates(config, guided, samples, devices, operations.grain())
                .forEach(mesh -> costs.put(mesh, of(config, mesh, samples, guided, operations)));
        return costs;
    }

    private static double seconds(Work work, Part part, Operations operations) {
        IntToDoubleFunction cycles = work.cycles();
        double flops = !operations.reportsOverflow()
                ? PORTABLE_FLOPS
                : operations.precision() == MatmulPrecision.HIGHEST ? ATTENTION_FLOPS / 3 : ATTENTION_FLOPS;
        double computing = cycles != null ? cycles.applyAsDouble(part.passes()) / CLOCK : work.flops() / flops;
        return LAUNCH + Math.max(computing, (work.weightBytes() + work.activationBytes()) / MEMORY_BYTES);
    }

    /** Of a step. */
    public double seconds() {
        return computing + exchanging;
    }
}
