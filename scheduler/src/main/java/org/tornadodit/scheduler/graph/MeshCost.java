package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.function.ToDoubleFunction;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.Count.Launch;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Link;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.MeshRequest;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.StepPlan;

/**
 * What a step of a mesh should take, by what its graphs launch: the tiles of products, operations, bytes, and what a launch costs
 * by itself.
 *
 * <p>Stages take as long as a micro-batch, or a patch, in each of them, and the others behind it in the slowest.
 *
 * @param computing seconds of a rank's kernels, and of others that it waits for
 * @param exchanging seconds that bytes are under way to other devices, and that signals take
 * @param sent bytes that a rank stores into other devices' memory, at most
 * @param memory bytes of a rank, without the decoder, at most
 */
public record MeshCost(double computing, double exchanging, long sent, long memory) {
    /** Cycles a second of a tile's model. */
    private static final double CLOCK = 1.7e9;

    /**
     * Share of what the models of single kernels say that whole steps reach, with three products for one and with one, of {@link
     * #FEW_ROWS}, and how much less of each doubling of the rows, since the clock falls under load; of three products' copies of fewer
     * rows the model thinks too little. Measured on an H200 with XL/2 at 512, 1 and 8 samples guided and 1 not, within 10 %.
     */
    private static final double SHARE_OF_THREE = 0.97;

    private static final double LESS_OF_THREE = 0.0675;
    private static final double LEAST_OF_THREE = 0.835;
    private static final double MOST_OF_THREE = 1.04;
    private static final double SHARE_OF_ONE = 0.93;
    private static final double LESS_OF_ONE = 0.033;
    private static final double LEAST_OF_ONE = 0.85;
    private static final int FEW_ROWS = 2048;

    /** Operations a second of attention, three products for one: measured on an H200, docs/performance.md. */
    private static final double ATTENTION_FLOPS = 380e12;

    /** Rows whose q, k and v are a tile for each multiprocessor, with one product: of XL's width. */
    private static final int ROWS_OF_WAVE = 1024;

    /** Of an H100 and an H200. */
    private static final int MULTIPROCESSORS = 132;

    /** Of products without a model of their tiles: the portable kernels'. */
    private static final double PORTABLE_FLOPS = 30e12;

    /** Bytes a second between global memory and kernels. */
    private static final double MEMORY_BYTES = 3e12;

    /** Seconds from a kernel to the next. */
    private static final double LAUNCH = 1e-6;

    /**
     * What a rank does.
     *
     * @param micro seconds of its kernels for a micro-batch
     * @param microExchanging seconds of a micro-batch's bytes and signals
     * @param end seconds of its kernels once all are done, and before the first patch
     */
    private record Rank(double micro, double microExchanging, double end, long memory) {
        static Rank of(
                DitConfig config, Mesh mesh, int most, boolean guided, int rank, Operations operations, Link link) {
            Part part = mesh.part(config, most, guided, rank);
            Count count = Count.ofStep(config, part, operations, link, false);
            double seconds = 0;
            double end = 0;
            int exchanges = 0;
            for (Launch launch : count.launches()) {
                String operation = launch.work().operation().operation();
                boolean exchange = operation.equals(Exchanges.OPERATION)
                        || operation.equals(Exchanges.HANDOVER)
                        || operation.equals(OwnedBlocks.OPERATION);
                exchanges += exchange ? launch.times() : 0;
                // What an exchange reads and writes here is done while its bytes are under way.
                double all = launch.times() * (exchange ? LAUNCH : MeshCost.seconds(launch.work(), part, operations));
                if (launch.graph().equals(DitGraphs.name(StepPlan.Stage.SAMPLE))
                        || (part.isPatched() && launch.graph().equals(DitGraphs.name(StepPlan.Stage.EMBED)))) {
                    end += all;
                } else {
                    seconds += all;
                }
            }
            double share = share(operations, (double) part.microPasses() * part.tokensAtOnce());
            long sent = mesh.bytesSent(config, most, guided ? most : 0, operations.grain(), rank);
            if (mesh.owners() > 1) {
                // Who meets others in each block waits for the one of them that sends the next.
                long alone = mesh.withOwners(1).bytesSent(config, most, guided ? most : 0, operations.grain(), rank);
                sent = alone + mesh.sendingInTurn() * (sent - alone);
            }
            int number = turns(mesh);
            long heads = DitBuffers.sends(config, part, operations, link)
                    ? mesh.headBytesSent(config, most, guided ? most : 0, operations.grain(), rank)
                    : 0;
            double exchanging = link.seconds(sent - heads, exchanges)
                    + link.secondsOfSending(heads, waves(part.productRows(), operations));
            return new Rank(seconds / share / number, exchanging / number, end / share, count.bytes());
        }

        double both() {
            return micro + microExchanging;
        }
    }

    /** Of tiles of q, k and v: with three products a wave has half of the rows. */
    private static int waves(long rows, Operations operations) {
        int ofWave = operations.precision() == MatmulPrecision.HIGH ? ROWS_OF_WAVE : ROWS_OF_WAVE / 2;
        return (int) Math.max(1, rows / ofWave);
    }

    private static double share(Operations operations, double rows) {
        if (!operations.reportsOverflow()) {
            return 1;
        }
        double doublings = Math.log(rows / FEW_ROWS) / Math.log(2);
        return operations.precision() == MatmulPrecision.HIGH
                ? Math.clamp(SHARE_OF_ONE - LESS_OF_ONE * doublings, LEAST_OF_ONE, SHARE_OF_ONE)
                : Math.clamp(SHARE_OF_THREE - LESS_OF_THREE * doublings, LEAST_OF_THREE, MOST_OF_THREE);
    }

    /** Of the crew with the most samples of a batch. */
    public static MeshCost of(
            DitConfig config, Mesh mesh, int samples, boolean guided, Operations operations, Link link) {
        int most = Math.ceilDiv(samples, mesh.samples());
        List<Rank> stages = new ArrayList<>();
        for (int stage = 0; stage < mesh.stages(); stage++) {
            int rank = Integer.numberOfTrailingZeros(mesh.ranksAt(Axis.STAGES, stage));
            stages.add(Rank.of(config, mesh, most, guided, rank, operations, link));
        }
        double end = stages.stream().mapToDouble(Rank::end).max().orElse(0);
        double computing = throughStages(stages, turns(mesh), Rank::micro);
        double exchanging = throughStages(stages, turns(mesh), Rank::both) - computing;
        long sent = mesh.bytesSent(config, most, guided ? most : 0, operations.grain());
        long memory = stages.stream().mapToLong(Rank::memory).max().orElse(0);
        return new MeshCost(computing + end, exchanging, sent, memory);
    }

    /** What goes through the stages one behind the other. */
    private static int turns(Mesh mesh) {
        return mesh.microBatches() * mesh.patches();
    }

    private static double throughStages(List<Rank> stages, int microBatches, ToDoubleFunction<Rank> seconds) {
        double first = stages.stream().mapToDouble(seconds).sum();
        double slowest = stages.stream().mapToDouble(seconds).max().orElse(0);
        return first + (microBatches - 1) * slowest;
    }

    /**
     * Of all meshes that a model and a batch allow on so many H100s or H200s, each with the micro-batches that should take least, and
     * behind them those with patches in place of micro-batches.
     *
     * @param precision of products on tensor cores
     * @param link between the devices
     */
    public static Map<Mesh, MeshCost> ofHopper(
            DitConfig config, int samples, boolean guided, int devices, MatmulPrecision precision, Link link) {
        Operations operations = TensorOperations.refusal(config).isEmpty()
                ? new TensorOperations(precision, MULTIPROCESSORS, Tuning.NONE)
                : new PortableOperations(Tuning.NONE);
        Map<Mesh, MeshCost> costs = new LinkedHashMap<>();
        List<Mesh> meshes = MeshRequest.candidates(config, guided, samples, devices, operations.grain()).stream()
                .filter(mesh -> link.refusal(mesh).isEmpty())
                .toList();
        for (Mesh mesh : meshes) {
            fastest(mesh.divided(samples, guided), config, samples, guided, operations, link, costs);
        }
        for (Mesh mesh : meshes) {
            List<Mesh> patched = mesh.patched(config, guided, operations.grain()).stream()
                    .filter(each -> link.refusal(each).isEmpty())
                    .toList();
            fastest(patched, config, samples, guided, operations, link, costs);
        }
        return costs;
    }

    /** Notes the one of some meshes that should take least. */
    private static void fastest(
            List<Mesh> meshes,
            DitConfig config,
            int samples,
            boolean guided,
            Operations operations,
            Link link,
            Map<Mesh, MeshCost> costs) {
        Map<Mesh, MeshCost> each = new LinkedHashMap<>();
        meshes.forEach(mesh -> each.put(mesh, of(config, mesh, samples, guided, operations, link)));
        each.entrySet().stream()
                .min(Comparator.comparingDouble(one -> one.getValue().seconds()))
                .ifPresent(one -> costs.put(one.getKey(), one.getValue()));
    }

    private static double seconds(Work work, Part part, Operations operations) {
        IntToDoubleFunction cycles = work.cycles();
        double flops = !operations.reportsOverflow()
                ? PORTABLE_FLOPS
                : operations.precision() == MatmulPrecision.HIGH ? ATTENTION_FLOPS : ATTENTION_FLOPS / 3;
        double computing = cycles != null ? cycles.applyAsDouble(part.microPasses()) / CLOCK : work.flops() / flops;
        return LAUNCH + Math.max(computing, (work.weightBytes() + work.activationBytes()) / MEMORY_BYTES);
    }

    /** Of a step. */
    public double seconds() {
        return computing + exchanging;
    }
}
