package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Launch;
import org.tornadodit.model.Linear;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.dit.DitWeights.Block;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.GraphScope;
import org.tornadodit.scheduler.graph.Operations.Advance;
import org.tornadodit.scheduler.graph.Operations.Gate;
import org.tornadodit.scheduler.graph.Operations.Modulation;
import org.tornadodit.scheduler.graph.Operations.Rows;
import org.tornadodit.scheduler.graph.PortableOperations.Patches;
import org.tornadodit.scheduler.plan.Part;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * DiT's denoising step as task graphs that hand their arrays on on the device (Peebles and Xie, arXiv 2212.09748,
 * figure 3):
 *
 * <pre>
 *   start                      z from the host becomes the latents, once a batch
 *   embed                      patches, positions, timestep and label        each step
 *   block, depth times         attention and MLP of block 0, 1, ...          each step
 *   last                       final layer, guidance, sampler, noise         each step
 * </pre>
 *
 * One graph serves all blocks: it finds its weights, stacked for all blocks, by a layer number that its two norms hand on
 * and count up on the device. Each task of a graph is compiled for itself, so that 28 graphs would take 28 times as long
 * to compile. A block's graph sends and returns nothing, so that the host need not wait for one before the next.
 */
public final class DitGraphs {
    public static final int START = 0;
    public static final int EMBED = 1;
    public static final int BLOCK = 2;
    public static final int LAST = 3;

    private static final int SHIFT_MSA = 0;
    private static final int SCALE_MSA = 1;
    private static final int GATE_MSA = 2;
    private static final int SHIFT_MLP = 3;
    private static final int SCALE_MLP = 4;
    private static final int GATE_MLP = 5;

    private final DitConfig config;
    private final DitDeviceWeights weights;
    private final DitBuffers buffers;
    private final Operations operations;
    /** For what is small, or comes before the first block: FP32 on any tier. */
    private final PortableOperations portable;

    private final GridScheduler grids;
    private final String prefix;
    private final Part part;
    private final Rows rows;
    private final KernelContext context = new KernelContext();

    /** @param prefix makes the graphs' names unique in the process */
    public DitGraphs(
            String prefix,
            DitConfig config,
            DitDeviceWeights weights,
            DitBuffers buffers,
            Part part,
            Operations operations,
            GridScheduler grids) {
        this.prefix = prefix;
        this.config = config;
        this.weights = weights;
        this.buffers = buffers;
        this.part = part;
        this.operations = operations;
        this.portable = new PortableOperations(operations.tuning());
        this.grids = grids;
        this.rows = new Rows(buffers.batch, part.passes(), part.tokens().count());
    }

    /**
     * All graphs, in the order of {@link #START} to {@link #LAST}.
     *
     * @param hostNoise whether a step's noise comes from the host, or is drawn on the device
     */
    public List<ImmutableTaskGraph> build(boolean hostNoise) {
        return List.of(start(), embed(), block(), last(hostNoise));
    }

    private ImmutableTaskGraph start() {
        GraphScope g = scope("start");
        DitBuffers b = buffers;
        g.graph().transferToDevice(DataTransferMode.EVERY_EXECUTION, b.noise);
        g.graph().task("latents", Embedding::copy, context, b.noise, b.latents, b.latents.getSize());
        g.launch("latents", Launch.elementwise(b.latents.getSize()));
        g.graph().task("overflow", Embedding::fill, context, b.overflow, b.overflow.getSize(), 0);
        g.launch("overflow", Launch.elementwise(b.overflow.getSize()));
        g.graph().persistOnDevice(b.latents, b.overflow);
        return g.graph().snapshot();
    }

    private ImmutableTaskGraph embed() {
        GraphScope g = scope("embed");
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;
        g.graph()
                .consumeFromDevice(prefix + "start", b.latents, b.overflow)
                .consumeFromDevice(prefix + "last", b.latents, b.overflow)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, b.frequencies, b.batch)
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, b.single.index(), w.positions(), w.labelTable());
        upload(g, w.patchEmbedding(), w.timestepIn(), w.timestepOut(), w.modulation());
        g.scratch(b.patches, b.timestepHidden, b.timestep);

        Patches patches = new Patches(config.inChannels(), config.inputSize(), config.patchSize());
        portable.patchify(g, "patches", b.latents, b.patches, rows, patches); // (N, T, C P P)
        portable.linearAddTable(g, "x_embedder", b.single, b.patches, w.patchEmbedding(), w.positions(), b.x, rows);
        portable.fewRows(g, "t_embedder_mlp_0", b.single, b.frequencies, w.timestepIn(), b.timestepHidden, rows, true);
        portable.fewRows(g, "t_embedder_mlp_2", b.single, b.timestepHidden, w.timestepOut(), b.timestep, rows, false);
        g.graph()
                .task(
                        "y_embedder",
                        Embedding::condition,
                        context,
                        b.batch,
                        b.timestep,
                        w.labelTable(),
                        b.conditioning,
                        rows.passes(),
                        config.hiddenSize()); // (N, D)
        g.launch("y_embedder", Launch.elementwise(b.conditioning.getSize()));
        operations.modulation(
                g, "adaLN_modulation", b.single, b.conditioning, w.modulation(), b.modulation, rows); // (N, depth, 6 D)
        g.graph().task("layer", Embedding::fill, context, b.mlp.index(), 1, -1);
        g.launch("layer", Launch.elementwise(1));
        // In this order: releasing a plan stops at what the graph before has released, here the last two.
        g.graph().persistOnDevice(b.x, b.conditioning, b.modulation, b.mlp.index(), b.batch, b.overflow, b.latents);
        return g.graph().snapshot();
    }

    /** {@code x + gate * attn(modulate(norm1(x)))}, then {@code x + gate * mlp(modulate(norm2(x)))}. */
    private ImmutableTaskGraph block() {
        GraphScope g = scope("block");
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;
        g.graph().consumeFromDevice(prefix + "embed", carried()).consumeFromDevice(prefix + "block", carried());
        upload(g, w.qkv(), w.projection(), w.fc1(), w.fc2());
        g.scratch(b.attention.index());
        for (Operand operand : List.of(b.normed, b.qkv, b.attended, b.hidden)) {
            g.scratch(operand.arrays());
        }

        int chunks = 6 * part.layers().of();
        int heads = part.heads().count();
        Modulation msa = new Modulation(b.modulation, SHIFT_MSA, SCALE_MSA, chunks);
        operations.normModulate(g, "norm1", new Advance(b.mlp, 1, b.attention), b.x, msa, b.normed, rows); // (N, T, D)
        operations.linearHeads(g, "attn_qkv", b.attention, b.normed, w.qkv(), b.qkv, rows, heads); // (N, T, 3 D)
        operations.attention(g, "attn", b.attention, b.qkv, b.attended, rows, heads); // (N, T, D)
        Gate gateMsa = new Gate(b.modulation, GATE_MSA, chunks);
        operations.linearGateResidual(g, "attn_proj", b.attention, b.attended, w.projection(), gateMsa, b.x, rows);

        Modulation mlp = new Modulation(b.modulation, SHIFT_MLP, SCALE_MLP, chunks);
        operations.normModulate(g, "norm2", new Advance(b.attention, 0, b.mlp), b.x, mlp, b.normed, rows); // (N, T, D)
        operations.linearGelu(g, "mlp_fc1", b.mlp, b.normed, w.fc1(), b.hidden, rows); // (N, T, M)
        Gate gateMlp = new Gate(b.modulation, GATE_MLP, chunks);
        operations.linearGateResidual(g, "mlp_fc2", b.mlp, b.hidden, w.fc2(), gateMlp, b.x, rows);

        g.graph().persistOnDevice(carried());
        return g.graph().snapshot();
    }

    /** What the graphs of a step hand on to the blocks, and they to one another. */
    private Object[] carried() {
        DitBuffers b = buffers;
        return new Object[] {b.latents, b.x, b.conditioning, b.modulation, b.batch, b.overflow, b.mlp.index()};
    }

    private ImmutableTaskGraph last(boolean hostNoise) {
        GraphScope g = scope("last");
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;
        FloatArray noise = hostNoise ? b.noise : b.noNoise;
        g.graph()
                .consumeFromDevice(prefix + "block", b.latents, b.x, b.conditioning, b.batch, b.overflow)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, b.coefficients, b.draw)
                .transferToDevice(DataTransferMode.EVERY_EXECUTION, noise)
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, b.single.index());
        upload(g, w.finalModulation(), w.finalLinear());
        g.scratch(b.finalModulation, b.end.index(), b.prediction);
        g.scratch(b.finalNormed.arrays());

        portable.fewRows(
                g,
                "final_layer_adaLN_modulation",
                b.single,
                b.conditioning,
                w.finalModulation(),
                b.finalModulation,
                rows,
                false);
        Modulation modulation = new Modulation(b.finalModulation, SHIFT_MSA, SCALE_MSA, 2);
        operations.normModulate(
                g,
                "final_layer_norm",
                new Advance(b.single, 0, b.end),
                b.x,
                modulation,
                b.finalNormed,
                rows); // (N, T, D)
        operations.linear(g, "final_layer_linear", b.single, b.finalNormed, w.finalLinear(), b.prediction, rows);
        g.graph()
                .task(
                        "step",
                        DenoiseStep::denoise,
                        context,
                        b.batch,
                        b.prediction,
                        b.latents,
                        b.coefficients,
                        b.draw,
                        noise,
                        rows.passes(),
                        config.inChannels(),
                        config.inputSize(),
                        config.patchSize(),
                        config.outChannels(),
                        hostNoise ? DenoiseStep.NOISE_ARRAY : DenoiseStep.NOISE_PHILOX);
        g.launch("step", Launch.elementwise(b.latents.getSize()));
        g.graph().persistOnDevice(b.latents, b.overflow);
        return g.graph().snapshot();
    }

    private GraphScope scope(String name) {
        return new GraphScope(prefix + name, grids);
    }

    private static void upload(GraphScope g, ProductWeights... weights) {
        for (ProductWeights w : weights) {
            g.graph().transferToDevice(DataTransferMode.FIRST_EXECUTION, w.arrays());
        }
    }

    /** The denoiser's weights as device arrays; those of the blocks stacked. */
    public record DitDeviceWeights(
            ProductWeights patchEmbedding,
            FloatArray positions,
            ProductWeights timestepIn,
            ProductWeights timestepOut,
            FloatArray labelTable,
            ProductWeights modulation,
            ProductWeights qkv,
            ProductWeights projection,
            ProductWeights fc1,
            ProductWeights fc2,
            ProductWeights finalModulation,
            ProductWeights finalLinear) {

        public static DitDeviceWeights of(DitWeights weights, Operations operations) {
            PortableOperations portable = new PortableOperations(operations.tuning());
            return new DitDeviceWeights(
                    portable.weights(List.of(weights.patchEmbedding())),
                    DeviceArrays.of(weights.positionEmbedding()),
                    portable.weights(List.of(weights.timestepIn())),
                    portable.weights(List.of(weights.timestepOut())),
                    DeviceArrays.of(weights.labelTable()),
                    operations.weightsTogether(ofBlocks(weights, Block::modulation)),
                    operations.weights(ofBlocks(weights, Block::qkv)),
                    operations.weights(ofBlocks(weights, Block::projection)),
                    operations.weights(ofBlocks(weights, Block::fc1)),
                    operations.weights(ofBlocks(weights, Block::fc2)),
                    portable.weights(List.of(weights.finalModulation())),
                    operations.float32Weights(List.of(weights.finalLinear())));
        }

        private static List<Linear> ofBlocks(DitWeights weights, Function<Block, Linear> layer) {
            List<Linear> layers = new ArrayList<>();
            weights.blocks().forEach(block -> layers.add(layer.apply(block)));
            return layers;
        }
    }
}
