package org.tornadodit.scheduler.graph;

import java.util.List;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.Linear;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.TransformerTunables;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.GraphScope;
import org.tornadodit.scheduler.engine.Tuning;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;

/**
 * Tier 1: plain FP32 on any device. An operand is a row-major float array, a product the SIMT kernel. Also what is too small
 * for any other tier: the embeddings.
 */
public final class PortableOperations implements Operations {

    /** (rows, columns), row major. */
    private record FloatOperand(FloatArray array) implements Operand {
        @Override
        public Object[] arrays() {
            return new Object[] {array};
        }
    }

    /** What a product does to its sum, and with which arrays; see {@link Epilogue}. */
    private record After(int epilogue, FloatArray residual, FloatArray gate, int offset, int stride) {}

    /** How latents are cut: channels C, size H = W, patch P. */
    record Patches(int channels, int size, int patch) {}

    private final Tuning tuning;
    private final KernelContext context = new KernelContext();
    /** Stands where an epilogue reads no array. */
    private final FloatArray none = ArrayPages.floats(1);

    /** @param tuning variants of kernels; the defaults where it says nothing */
    public PortableOperations(Tuning tuning) {
        this.tuning = tuning;
    }

    @Override
    public Tuning tuning() {
        return tuning;
    }

    @Override
    public List<Tunable> tunables(TransformerTunables sizes) {
        return sizes.portable();
    }

    @Override
    public String description() {
        return "tier 1, portable FP32 kernels";
    }

    @Override
    public Operand operand(int rows, int columns) {
        return new FloatOperand(ArrayPages.deviceFloats(Math.multiplyExact(rows, columns)));
    }

    @Override
    public long operandBytes(long rows, long columns) {
        return rows * columns * Float.BYTES;
    }

    /** The same: all products are FP32's. */
    @Override
    public Operand float32Operand(int rows, int columns) {
        return operand(rows, columns);
    }

    @Override
    public long float32OperandBytes(long rows, long columns) {
        return operandBytes(rows, columns);
    }

    @Override
    public ProductWeights float32Weights(List<org.tornadodit.model.Linear> layers) {
        return weights(layers);
    }

    @Override
    public long weightBytes(DitConfig config) {
        return config.parameters() * Float.BYTES;
    }

    @Override
    public boolean reportsOverflow() {
        return false;
    }

    @Override
    public ProductWeights weights(List<org.tornadodit.model.Linear> layers) {
        return new ProductWeights(
                DeviceArrays.stacked(
                        layers.stream().map(org.tornadodit.model.Linear::weight).toList()),
                DeviceArrays.stacked(
                        layers.stream().map(org.tornadodit.model.Linear::bias).toList()),
                layers.size(),
                layers.getFirst().out(),
                layers.getFirst().in());
    }

    @Override
    public ProductWeights weightsTogether(List<org.tornadodit.model.Linear> layers) {
        return weights(layers);
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
        fewRows(g, task, layer, conditioning, w, out, rows, false);
    }

    @Override
    public void normModulate(
            GraphScope g, String task, Advance advance, FloatArray x, Modulation modulation, Operand out, Rows rows) {
        FloatArray target = floats(out);
        int hidden = x.getSize() / rows.count();
        Variant variant = tuning.choose(LayerNorm.operation(rows.passes(), rows.tokens(), hidden), LayerNorm.VARIANTS);
        g.graph()
                .task(
                        task,
                        LayerNorm::modulate,
                        context,
                        advance.from().index(),
                        advance.to().index(),
                        rows.batch(),
                        x,
                        modulation.array(),
                        target,
                        hidden,
                        rows.tokens(),
                        modulation.shiftChunk() * hidden,
                        modulation.scaleChunk() * hidden,
                        modulation.chunks() * hidden,
                        advance.more(),
                        variant.get(LayerNorm.ROWS));
        g.launch(task, LayerNorm.grid(rows.count(), variant));
    }

    @Override
    public void linearHeads(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows, int heads) {
        linear(g, task, layer, x, w, floats(out), rows);
    }

    @Override
    public void linear(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, FloatArray out, Rows rows) {
        product(g, task, layer, x, w, out, rows, new After(Epilogue.BIAS, none, none, 0, 0));
    }

    /** {@code x W^T + b + table}, the table's rows repeating every T rows. */
    void linearAddTable(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray x,
            ProductWeights w,
            FloatArray table,
            FloatArray out,
            Rows rows) {
        product(g, task, layer, new FloatOperand(x), w, out, rows, new After(Epilogue.ADD_TABLE, table, none, 0, 0));
    }

    @Override
    public void linearGelu(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows) {
        product(g, task, layer, x, w, floats(out), rows, new After(Epilogue.BIAS_GELU, none, none, 0, 0));
    }

    @Override
    public void linearGateResidual(
            GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, FloatArray x, Rows rows) {
        After after =
                new After(Epilogue.GATE_RESIDUAL, x, gate.array(), gate.chunk() * w.out(), gate.chunks() * w.out());
        product(g, task, layer, in, w, x, rows, after);
    }

    private void product(
            GraphScope g,
            String task,
            Layer layer,
            Operand x,
            ProductWeights w,
            FloatArray out,
            Rows rows,
            After after) {
        if (after.residual() == none || after.gate() == none) {
            g.scratch(none);
        }
        g.graph()
                .task(
                        task,
                        Linear::linear,
                        context,
                        layer.index(),
                        rows.batch(),
                        floats(x),
                        w.floats(),
                        w.bias(),
                        after.residual(),
                        after.gate(),
                        out,
                        rows.count(),
                        w.out(),
                        w.in(),
                        after.epilogue(),
                        rows.tokens(),
                        after.offset(),
                        after.stride(),
                        0,
                        0,
                        0);
        g.launch(task, Linear.grid(rows.count(), w.out(), 1));
    }

    @Override
    public void attention(GraphScope g, String task, Layer layer, Operand qkv, Operand out, Rows rows, int heads) {
        FloatArray array = floats(qkv);
        int headSize = array.getSize() / rows.count() / 3 / heads;
        g.graph()
                .task(
                        task,
                        Attention::attention,
                        context,
                        rows.batch(),
                        array,
                        floats(out),
                        rows.tokens(),
                        heads,
                        headSize);
        g.launch(task, Attention.grid(rows.passes(), rows.tokens(), heads));
    }

    /** {@code x W^T + b} of the few rows of the conditioning (N, D), for all layers next to each other. */
    void fewRows(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray x,
            ProductWeights w,
            FloatArray out,
            Rows rows,
            boolean silu) {
        int features = w.layers() * w.out();
        int epilogue = silu ? Epilogue.BIAS_SILU : Epilogue.BIAS;
        Variant variant = tuning.choose(
                LinearFewRows.operation(rows.passes(), features, w.in(), epilogue), LinearFewRows.VARIANTS);
        g.graph()
                .task(
                        task,
                        LinearFewRows::linear,
                        context,
                        layer.index(),
                        rows.batch(),
                        x,
                        w.floats(),
                        w.bias(),
                        out,
                        features,
                        w.in(),
                        epilogue,
                        variant.get(LinearFewRows.WARPS),
                        variant.get(LinearFewRows.TOGETHER));
        g.launch(task, LinearFewRows.grid(rows.passes(), features, variant));
    }

    /** Patches of the latents, (N, T, C P P). */
    void patchify(GraphScope g, String task, FloatArray latents, FloatArray target, Rows rows, Patches patches) {
        Variant variant = tuning.choose(
                Embedding.patchifyOperation(rows.passes(), patches.channels(), patches.size(), patches.patch()),
                Launch.ELEMENTWISE_VARIANTS);
        g.graph()
                .task(
                        task,
                        Embedding::patchify,
                        context,
                        rows.batch(),
                        latents,
                        target,
                        patches.channels(),
                        patches.size(),
                        patches.patch());
        g.launch(task, Launch.elementwise(target.getSize(), variant));
    }

    private static FloatArray floats(Operand operand) {
        if (operand instanceof FloatOperand(FloatArray array)) {
            return array;
        }
        throw new IllegalArgumentException("an operand of another tier: " + operand);
    }
}
