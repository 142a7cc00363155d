package org.tornadodit.scheduler.graph;

import java.util.List;
import java.util.Optional;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedLayerNorm;
import org.tornadodit.kernels.PackedRows;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorVariants;
import org.tornadodit.kernels.WarpgroupAttention;
import org.tornadodit.kernels.check.TransformerTunables;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.GraphScope;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Tier 3: Hopper's tensor cores. An operand is halves in one or two planes, see {@link Packed}, packed by the kernel that
 * makes it: LayerNorm, attention, or the product before.
 */
public final class TensorOperations implements Operations {

    /** Packed halves of (rows, columns), or of heads, in one plane or two. */
    private record PackedOperand(IntArray array, int planes) implements Operand {
        @Override
        public Object[] arrays() {
            return new Object[] {array};
        }
    }

    /**
     * Planes of what acts on the picture directly, in either precision; docs/numerics.md has the figures.
     *
     * <ul>
     *   <li>final_layer.linear: its error is the predicted noise's. With one plane it was most of {@code high}'s error, of 32
     *       columns only at patch size 2.
     *   <li>The modulation: an error in a shift, a scale or a gate is the same in all tokens of a sample.
     *   <li>The decoder's convolutions. With one plane XL/2's picture of 250 steps was off by 0.018 levels, as much as TF32's.
     * </ul>
     */
    private static final int FLOAT32_PLANES = 2;

    private final MatmulPrecision precision;
    private final int planes;
    private final int multiprocessors;
    private final Tuning tuning;
    private final KernelContext context = new KernelContext();
    /** Stand where an epilogue uses no array. */
    private final FloatArray noFloats = ArrayPages.floats(1);

    private final IntArray noHalves = ArrayPages.ints(1);

    TensorOperations(MatmulPrecision precision, int multiprocessors, Tuning tuning) {
        this.precision = precision;
        this.planes = precision == MatmulPrecision.HIGHEST ? 2 : 1;
        this.multiprocessors = multiprocessors;
        this.tuning = tuning;
    }

    @Override
    public Tuning tuning() {
        return tuning;
    }

    @Override
    public List<Tunable> tunables(TransformerTunables sizes) {
        return sizes.tensor(planes, multiprocessors);
    }

    /** Why the kernels cannot serve a model; empty if they can. */
    static Optional<String> refusal(DitConfig config) {
        int headSize = config.hiddenSize() / config.numHeads();
        if (config.hiddenSize() % 16 != 0 || config.mlpHidden() % 16 != 0) {
            return Optional.of(
                    "hidden sizes " + config.hiddenSize() + " and " + config.mlpHidden() + " are not multiples of 16");
        }
        if (headSize % 8 != 0 || headSize > WarpgroupAttention.MAX_HEAD_SIZE) {
            return Optional.of(
                    "head size " + headSize + " is not a multiple of 8 up to " + WarpgroupAttention.MAX_HEAD_SIZE);
        }
        if (config.tokens() % 8 != 0 || config.patchOutputs() % 8 != 0) {
            return Optional.of(
                    config.tokens() + " tokens of " + config.patchOutputs() + " outputs are not multiples of 8");
        }
        return Optional.empty();
    }

    /** The same for the decoder, if its sizes allow. */
    DecoderTier decoder(VaeConfig config) {
        return DecoderTier.tensorCores(config, FLOAT32_PLANES, multiprocessors);
    }

    @Override
    public String description() {
        return description(precision);
    }

    public static String description(MatmulPrecision precision) {
        return precision == MatmulPrecision.HIGHEST
                ? "tier 3, tensor cores, three FP16 products for FP32 accuracy"
                : "tier 3, tensor cores, one FP16 product";
    }

    @Override
    public Operand operand(int rows, int columns) {
        return operand(rows, columns, planes);
    }

    @Override
    public Operand float32Operand(int rows, int columns) {
        return operand(rows, columns, FLOAT32_PLANES);
    }

    private static Operand operand(int rows, int columns, int planes) {
        return new PackedOperand(ArrayPages.deviceInts(Packed.size(rows, columns, planes)), planes);
    }

    @Override
    public long operandBytes(long rows, long columns) {
        return operandBytes(rows, columns, planes);
    }

    @Override
    public long float32OperandBytes(long rows, long columns) {
        return operandBytes(rows, columns, FLOAT32_PLANES);
    }

    private static long operandBytes(long rows, long columns, int planes) {
        return (rows + Packed.ROWS - 1) / Packed.ROWS * Packed.ROWS * columns * 2 * planes;
    }

    @Override
    public long weightBytes(DitConfig config) {
        long modulation = 6L * config.hiddenSize() * config.hiddenSize() * config.depth();
        long finalLinear = (long) config.patchOutputs() * config.hiddenSize();
        return config.parameters() * 2 * planes + (modulation + finalLinear) * 2 * (FLOAT32_PLANES - planes);
    }

    @Override
    public boolean reportsOverflow() {
        return true;
    }

    @Override
    public ProductWeights weights(List<org.tornadodit.model.Linear> layers) {
        return weights(layers, planes);
    }

    @Override
    public ProductWeights float32Weights(List<org.tornadodit.model.Linear> layers) {
        return weights(layers, FLOAT32_PLANES);
    }

    private static ProductWeights weights(List<org.tornadodit.model.Linear> layers, int planes) {
        int out = layers.getFirst().out();
        int in = layers.getFirst().in();
        PackedWeights packed = new PackedWeights(
                ArrayPages.ints(TensorLinear.weightSize(layers.size(), out, in, planes)),
                ArrayPages.floats(Math.multiplyExact(layers.size(), out + 1)));
        packed.fill(
                layers.stream().map(layer -> layer.weight().data()).toList(),
                layers.stream().map(layer -> layer.bias().data()).toList(),
                out,
                in,
                planes);
        return new ProductWeights(packed.weight(), packed.bias(), layers.size(), out, in);
    }

    @Override
    public ProductWeights weightsTogether(List<org.tornadodit.model.Linear> layers) {
        int out = layers.getFirst().out();
        int in = layers.getFirst().in();
        int all = Math.multiplyExact(layers.size(), out);
        PackedWeights packed = new PackedWeights(
                ArrayPages.ints(TensorLinear.weightSize(1, all, in, FLOAT32_PLANES)), ArrayPages.floats(all + 1));
        packed.fillTogether(
                layers.stream().map(layer -> layer.weight().data()).toList(),
                layers.stream().map(layer -> layer.bias().data()).toList(),
                out,
                in,
                FLOAT32_PLANES);
        return new ProductWeights(packed.weight(), packed.bias(), 1, all, in);
    }

    @Override
    public void modulation(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray conditioning,
            ProductWeights w,
            FloatArray out,
            Rows rows) {
        IntArray packed = ArrayPages.deviceInts(Packed.size(rows.passes(), w.in(), FLOAT32_PLANES));
        g.scratch(packed);
        g.graph()
                .task(
                        task + "_input",
                        PackedRows::pack,
                        context,
                        conditioning,
                        packed,
                        layer.index(),
                        rows.batch(),
                        layer.overflow(),
                        rows.passes(),
                        w.in(),
                        FLOAT32_PLANES,
                        Overflow.CONDITIONING);
        g.launch(task + "_input", PackedRows.grid(rows.passes(), w.in()));
        product(
                g,
                task,
                layer,
                packed,
                w,
                noFloats,
                out,
                noHalves,
                new Rows(rows.batch(), rows.passes(), 1),
                FLOAT32_PLANES,
                Epilogue.BIAS,
                0,
                0);
    }

    @Override
    public void normModulate(
            GraphScope g, String task, Advance advance, FloatArray x, Modulation modulation, Operand out, Rows rows) {
        int hidden = x.getSize() / rows.count();
        g.graph()
                .task(
                        task,
                        PackedLayerNorm::modulate,
                        context,
                        x,
                        modulation.array(),
                        halves(out),
                        advance.from().index(),
                        advance.to().index(),
                        rows.batch(),
                        advance.to().overflow(),
                        rows.count(),
                        hidden,
                        rows.tokens(),
                        modulation.shiftChunk() * hidden,
                        modulation.scaleChunk() * hidden,
                        modulation.chunks() * hidden,
                        advance.more(),
                        planes(out),
                        kind(modulation),
                        Overflow.KINDS,
                        PackedLayerNorm.warps(hidden));
        g.launch(task, PackedLayerNorm.grid(rows.count(), hidden));
    }

    /** Which norm it is: the final layer's modulation has two chunks, a block's norms differ by theirs. */
    private static int kind(Modulation modulation) {
        if (modulation.chunks() == 2) {
            return Overflow.FINAL;
        }
        return modulation.shiftChunk() == 0 ? Overflow.NORM1 : Overflow.NORM2;
    }

    @Override
    public void linearHeads(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows, int heads) {
        product(
                g,
                task,
                layer,
                halves(x),
                w,
                noFloats,
                noFloats,
                halves(out),
                rows,
                planes,
                Epilogue.BIAS_HEADS,
                heads,
                rows.passes());
    }

    @Override
    public void linear(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, FloatArray out, Rows rows) {
        product(g, task, layer, halves(x), w, noFloats, out, noHalves, rows, planes(x), Epilogue.BIAS, 0, 0);
    }

    @Override
    public void linearGelu(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows) {
        product(g, task, layer, halves(x), w, noFloats, noFloats, halves(out), rows, planes, Epilogue.BIAS_GELU, 0, 0);
    }

    @Override
    public void linearGateResidual(
            GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, FloatArray x, Rows rows) {
        product(
                g,
                task,
                layer,
                halves(in),
                w,
                gate.array(),
                x,
                noHalves,
                rows,
                planes,
                Epilogue.GATE_RESIDUAL,
                gate.chunk(),
                gate.chunks());
    }

    private void product(
            GraphScope g,
            String task,
            Layer layer,
            IntArray x,
            ProductWeights w,
            FloatArray gate,
            FloatArray target,
            IntArray packed,
            Rows rows,
            int planes,
            int epilogue,
            int b,
            int c) {
        TensorLinear.Tile tile = TensorVariants.tile(tuning.choose(
                TensorVariants.linearOperation(rows.count(), w.out(), w.in(), epilogue, planes),
                TensorVariants.linear(rows.count(), w.out(), w.in(), planes, multiprocessors)));
        int blocks = TensorLinear.blocks(rows.count(), w.out(), tile, multiprocessors);
        if (gate == noFloats || target == noFloats) {
            g.scratch(noFloats);
        }
        if (packed == noHalves) {
            g.scratch(noHalves);
        }
        g.graph()
                .task(
                        task,
                        TensorLinear::linear,
                        context,
                        layer.index(),
                        rows.batch(),
                        x,
                        w.packed(),
                        w.bias(),
                        gate,
                        target,
                        packed,
                        layer.overflow(),
                        rows.count(),
                        w.out(),
                        w.in(),
                        planes,
                        tile.code(),
                        blocks,
                        epilogue,
                        rows.tokens(),
                        b,
                        c);
        g.launch(task, TensorLinear.grid(blocks));
    }

    @Override
    public void attention(GraphScope g, String task, Layer layer, Operand qkv, Operand out, Rows rows, int heads) {
        int headSize = halves(qkv).getSize() * 2 / planes / Packed.paddedRows(rows.count()) / 3 / heads;
        WarpgroupAttention.Tiling tiling = TensorVariants.attentionTiling(tuning.choose(
                TensorVariants.attentionOperation(rows.passes(), rows.tokens(), heads, headSize, planes),
                TensorVariants.attention(headSize, planes, rows.tokens())));
        int blocks = WarpgroupAttention.blocks(rows.passes(), rows.tokens(), heads, tiling, multiprocessors);
        g.graph()
                .task(
                        task,
                        WarpgroupAttention::attention,
                        context,
                        halves(qkv),
                        halves(out),
                        layer.index(),
                        rows.batch(),
                        layer.overflow(),
                        rows.passes(),
                        rows.tokens(),
                        heads,
                        headSize,
                        planes,
                        Overflow.ATTENTION,
                        Overflow.KINDS,
                        tiling.consumers(),
                        tiling.keys(),
                        tiling.stages(),
                        tiling.held(),
                        tiling.turns(),
                        blocks);
        g.launch(task, WarpgroupAttention.grid(rows.tokens(), heads, headSize, planes, tiling, blocks));
    }

    private static IntArray halves(Operand operand) {
        return packed(operand).array();
    }

    private static int planes(Operand operand) {
        return packed(operand).planes();
    }

    private static PackedOperand packed(Operand operand) {
        if (operand instanceof PackedOperand packed) {
            return packed;
        }
        throw new IllegalArgumentException("an operand of another tier: " + operand);
    }
}
