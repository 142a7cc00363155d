package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.AttentionArguments;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.HeadNorm;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNormArguments;
import org.tornadodit.kernels.LayerNormArguments.LayerStep;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.LinearArguments.After;
import org.tornadodit.kernels.LinearArguments.Stack;
import org.tornadodit.kernels.LinearFewRowsArguments;
import org.tornadodit.kernels.PatchEmbedding;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.SumOfParts;
import org.tornadodit.kernels.TokenPatches;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.kernels.check.TunableOperations;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.DitBuffers.Tables;
import org.tornadodit.scheduler.graph.StagedWeights.Floats;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * {@link Tier#PORTABLE}: plain FP32 on any device. An operand is a row-major float array, a product the SIMT kernel. Also what is too small
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

    /** How latents are cut: channels C, size H = W, patch P; and the first of the patches that are wanted. */
    record Patches(int channels, int size, int patch, int first) {}

    /** S samples that take N passes: as many more as are guided. */
    record Passes(int samples, int passes) {
        int guided() {
            return passes - samples;
        }
    }

    /** What an operand is of that nobody reads. */
    private static final Operand NOTHING = () -> new Object[0];

    private final Tuning tuning;
    private final ArraySource arrays;
    private final KernelContext context = new KernelContext();
    /** Stands where an epilogue reads no array. */
    private final FloatArray none;

    /** @param tuning variants of kernels; the defaults where it says nothing */
    public PortableOperations(Tuning tuning) {
        this(tuning, ArraySource.PAGES);
    }

    PortableOperations(Tuning tuning, ArraySource arrays) {
        this.tuning = tuning;
        this.arrays = arrays;
        this.none = arrays.floats(1);
    }

    @Override
    public Tuning tuning() {
        return tuning;
    }

    @Override
    public ArraySource arrays() {
        return arrays;
    }

    @Override
    public PortableOperations with(ArraySource source) {
        return new PortableOperations(tuning, source);
    }

    @Override
    public PortableOperations portable() {
        return this;
    }

    @Override
    public String description() {
        return tier().word() + ", FP32";
    }

    @Override
    public Tier tier() {
        return Tier.PORTABLE;
    }

    /** Whatever was asked for. */
    @Override
    public MatmulPrecision precision() {
        return MatmulPrecision.HIGHEST;
    }

    @Override
    public DecoderTier decoder(VaeConfig config) {
        return DecoderTier.PORTABLE;
    }

    @Override
    public Operand operand(long rows, int columns) {
        return new FloatOperand(arrays.deviceFloats(rows * columns));
    }

    /** The same: all products are FP32's. */
    @Override
    public Operand float32Operand(long rows, int columns) {
        return operand(rows, columns);
    }

    /** Each row takes time of its own. */
    @Override
    public int modulationRows(int passes) {
        return passes;
    }

    @Override
    public Operand modulationOperand(long rows, int columns) {
        return NOTHING;
    }

    /** The same: all products are FP32's. */
    @Override
    public ProductWeights float32Weights(List<org.tornadodit.model.Linear> layers) {
        return weights(layers);
    }

    @Override
    public boolean reportsOverflow() {
        return false;
    }

    @Override
    public ProductWeights weightShares(List<LayerShare> layers, int slots) {
        int out = layers.getFirst().out();
        int in = layers.getFirst().in();
        long room = Math.max(slots, layers.size());
        FloatArray weight = arrays.weightFloats(room * out * in);
        FloatArray bias = arrays.weightFloats(room * out);
        List<StagedWeights> staged = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            staged.add(new Floats(weight, i * out * in, layers.get(i).weight()));
            staged.add(new Floats(bias, i * out, layers.get(i).bias()));
        }
        return new ProductWeights(weight, bias, layers.size(), out, in, staged);
    }

    @Override
    public ProductWeights weightsTogether(
            List<org.tornadodit.model.Linear> layers, List<org.tornadodit.model.Linear> elsewhere) {
        return weights(layers);
    }

    @Override
    public void modulation(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray conditioning,
            Operand packed,
            ProductWeights w,
            FloatArray out,
            Rows rows) {
        fewRows(g, task, layer, conditioning, w, out, rows, false);
    }

    @Override
    public void normModulate(
            GraphScope g, String task, Advance advance, FloatArray x, Modulation modulation, Operand out, Rows rows) {
        FloatArray target = floats(out);
        int hidden = modulation.hidden();
        Tunable norm = TunableOperations.layerNorm(rows.passes(), rows.tokens(), hidden);
        Variant variant = choose(norm);
        Work work = Work.moving(norm, 8.0 * rows.count() * hidden + 8.0 * rows.passes() * hidden);
        LayerNormArguments arguments = layerNorm(advance, x, modulation, rows);
        g.task(task, work, () -> arguments.grid(variant), graph -> arguments.task(graph, task, target, variant));
    }

    /** What either kind of LayerNorm takes. */
    static LayerNormArguments layerNorm(Advance advance, FloatArray x, Modulation modulation, Rows rows) {
        return new LayerNormArguments(
                new LayerStep(
                        advance.from().index(), advance.more(), advance.to().index()),
                rows.batch(),
                x,
                new LayerNormArguments.Modulation(
                        modulation.array(), modulation.shiftChunk(), modulation.scaleChunk(), modulation.chunks()),
                rows.passes(),
                rows.tokens(),
                modulation.hidden());
    }

    @Override
    public void linearHeads(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows, int heads) {
        linear(g, task, layer, x, w, floats(out), rows);
    }

    /** In place of the product. */
    @Override
    public void linearHeadsNormed(
            GraphScope g,
            String task,
            Layer layer,
            Operand x,
            ProductWeights w,
            FloatArray norms,
            FloatArray plain,
            Operand out,
            Rows rows,
            int heads) {
        linear(g, task, layer, x, w, floats(out), rows);
        int headSize = w.out() / 3 / heads;
        int threads = rows.count() * 2 * heads;
        g.task(
                task + "_norm",
                Work.moving(2.0 * Float.BYTES * threads * headSize, "head norm", rows.count(), heads, headSize),
                () -> Launch.elementwise(threads),
                graph -> graph.task(
                        task + "_norm",
                        HeadNorm::normalizeHeads,
                        context,
                        layer.index(),
                        rows.batch(),
                        floats(out),
                        norms,
                        rows.tokens(),
                        heads,
                        headSize));
    }

    @Override
    public void linear(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, FloatArray out, Rows rows) {
        product(g, task, layer, x, w, out, rows, After.of(Epilogue.BIAS, none, rows.tokens()));
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
        int n = w.out();
        int k = w.in();
        if (k > PatchEmbedding.LONGEST) {
            product(g, task, layer, new FloatOperand(x), w, out, rows, After.addTable(table, none, rows.tokens()));
            return;
        }
        Tunable embedding = TunableOperations.patchEmbedding(rows.passes(), rows.tokens(), n, k);
        double moved = (double) rows.count() * (k + n) + (double) rows.tokens() * n;
        g.task(
                task,
                Work.product(embedding, rows.count(), n, k, Float.BYTES, Float.BYTES * moved),
                () -> PatchEmbedding.grid(rows.count(), n),
                graph -> graph.task(
                        task,
                        PatchEmbedding::embed,
                        context,
                        rows.batch(),
                        x,
                        w.floats(),
                        w.bias(),
                        table,
                        out,
                        n,
                        k,
                        rows.tokens()));
    }

    @Override
    public void linearGelu(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows) {
        product(g, task, layer, x, w, floats(out), rows, After.of(Epilogue.BIAS_GELU, none, rows.tokens()));
    }

    @Override
    public void linearGateResidual(
            GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, FloatArray x, Rows rows) {
        After after = After.gateResidual(x, gate.array(), gate.chunk(), gate.chunks(), rows.tokens());
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
        double m = rows.count();
        double moved = m * w.in() + m * w.out();
        if (after.residual() != none) {
            moved += after.gate() != none
                    ? m * w.out() + (double) rows.passes() * w.out()
                    : (double) rows.tokens() * w.out();
        }
        Tunable product = TunableOperations.linear(rows.count(), w.out(), w.in(), after.epilogue(), rows.tokens());
        Work work = Work.product(product, m, w.out(), w.in(), Float.BYTES, Float.BYTES * moved);
        LinearArguments arguments = new LinearArguments(
                layer.index(),
                rows.batch(),
                floats(x),
                w.floats(),
                w.bias(),
                out,
                new ProductShape(rows.count(), w.out(), w.in()),
                after,
                Stack.ONE);
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    @Override
    public void attention(
            GraphScope g,
            String task,
            Layer layer,
            Operand qkv,
            Operand out,
            Rows rows,
            Span queries,
            boolean kept,
            int heads,
            int headSize) {
        Tunable attention = TunableOperations.attention(rows.passes(), rows.tokens(), heads, headSize);
        Work work = Work.attention(attention, rows, queries, heads, headSize, Float.BYTES);
        AttentionArguments arguments = new AttentionArguments(
                layer.index(),
                rows.batch(),
                floats(qkv),
                floats(out),
                new AttentionShape(
                        rows.passes(), rows.tokens(), heads, headSize, queries.first(), queries.count(), kept));
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    /** (own blocks, N, T, 3 D). */
    @Override
    public Operand keptHeads(Part part, int headSize) {
        long rows = (long) part.microPasses() * part.tokens().count();
        return new FloatOperand(arrays.deviceFloats(
                part.layers().count() * rows * 3 * part.heads().count() * headSize));
    }

    @Override
    public void beginOperand(GraphScope g, String task, Operand operand, FloatArray number) {
        begin(g, task, number, floats(operand));
    }

    @Override
    public void keep(
            GraphScope g, String task, Layer layer, Operand qkv, Operand kept, Rows rows, Part part, int headSize) {
        int own = rows.tokens() * 3 * part.heads().count() * headSize;
        int all = own * part.mesh().patches();
        Box box = new Box(1, 1, own, new Place(0, own, 0, 0), new Place(0, all, 0, 0));
        TokenPatches.Kept places = new TokenPatches.Kept(box, own, rows.passes() * all, rows.passes() * all);
        Work work = Work.moving(2.0 * Float.BYTES * rows.passes() * own, "keep", rows.passes(), own);
        keep(g, task, work, layer, floats(qkv), floats(kept), rows, places);
    }

    /** A copy of a patch's queries, keys and values, of ints or floats, to where those of all tokens are kept. */
    void keep(
            GraphScope g,
            String task,
            Work work,
            Layer layer,
            TornadoNativeArray qkv,
            TornadoNativeArray kept,
            Rows rows,
            TokenPatches.Kept places) {
        Box box = places.box();
        g.task(
                task,
                work,
                () -> TokenPatches.grid(places, rows.passes()),
                graph -> graph.task(
                        task,
                        TokenPatches::keep,
                        context,
                        layer.index(),
                        rows.batch(),
                        qkv,
                        kept,
                        box.a(),
                        box.b(),
                        box.run() / 4,
                        box.from().pass(),
                        box.from().a(),
                        box.from().b(),
                        box.to().pass(),
                        box.to().a(),
                        box.to().b(),
                        places.patch(),
                        places.ofFirst(),
                        places.ofOthers()));
    }

    @Override
    public Mesh.Grain grain() {
        return new Mesh.Grain(1, 4, Float.BYTES, 0);
    }

    @Override
    public Box toHeads(Part part, int headSize) {
        int tokens = part.productTokens().count();
        int all = part.productHeads().count() * headSize;
        int own = part.heads().count() * headSize;
        return new Box(
                3,
                tokens,
                own,
                new Place(own, tokens * 3 * all, all, 3 * all),
                new Place(
                        part.productTokens().first() * 3 * own,
                        part.productTokens().of() * 3 * own,
                        own,
                        3 * own),
                part.mesh().heads(),
                1);
    }

    @Override
    public Box toTokens(Part part, int headSize) {
        int heads = part.mesh().heads();
        int tokens = part.productTokens().count();
        int all = part.productHeads().count() * headSize;
        int own = part.heads().count() * headSize;
        return new Box(
                heads == 1 ? 0 : tokens, // as it is
                1,
                own,
                new Place(tokens * own, part.queries().count() * own, own, 0),
                new Place(part.place(Axis.HEADS) * own, tokens * all, all, 0),
                heads,
                heads == 1 ? 0 : tokens);
    }

    @Override
    public Box toProducts(Part part, int columns) {
        int own = part.tokens().count() * columns;
        int all = part.productTokens().count() * columns;
        return new Box(1, 1, own, new Place(0, own, 0, 0), new Place(part.place(Axis.TENSOR) * own, all, 0, 0));
    }

    /**
     * The sum of what devices have of a product, times a gate, onto the residual.
     *
     * @param parts (devices, N, T, D)
     * @param x (N, T, D)
     */
    void addParts(
            GraphScope g,
            String task,
            Layer layer,
            FloatArray parts,
            Gate gate,
            FloatArray x,
            Rows rows,
            int devices,
            int hidden) {
        double elements = (double) rows.count() * hidden;
        g.task(
                task,
                Work.moving((devices + 2) * Float.BYTES * elements, "sum of parts", devices, rows.count(), hidden),
                () -> SumOfParts.grid(rows.count(), hidden),
                graph -> graph.task(
                        task,
                        SumOfParts::addGated,
                        context,
                        layer.index(),
                        rows.batch(),
                        parts,
                        gate.array(),
                        x,
                        devices,
                        rows.count(),
                        rows.tokens(),
                        hidden,
                        gate.chunk(),
                        gate.chunks()));
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
        Tunable product = TunableOperations.fewRows(rows.passes(), features, w.in(), epilogue);
        Variant variant = choose(product);
        double moved = (double) rows.passes() * (w.in() + features);
        Work work = Work.product(product, rows.passes(), features, w.in(), Float.BYTES, Float.BYTES * moved);
        LinearFewRowsArguments arguments = new LinearFewRowsArguments(
                layer.index(),
                rows.batch(),
                x,
                w.floats(),
                w.bias(),
                out,
                new ProductShape(rows.passes(), features, w.in()),
                epilogue,
                variant);
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    /** Patches of the latents, (N, T, C P P). */
    void patchify(
            GraphScope g,
            String task,
            FloatArray latents,
            FloatArray target,
            Rows rows,
            Passes passes,
            Patches patches) {
        Tunable patchify = TunableOperations.patchify(
                passes.samples(), passes.guided(), patches.channels(), patches.size(), patches.patch());
        Variant variant = choose(patchify);
        double elements = (double) patches.channels() * patches.size() * patches.size();
        Work work = Work.moving(patchify, Float.BYTES * elements * (passes.samples() + passes.passes()));
        g.task(
                task,
                work,
                () -> Launch.elementwise(target.getSize(), variant),
                graph -> graph.task(
                        task,
                        Embedding::patchify,
                        context,
                        rows.batch(),
                        latents,
                        target,
                        patches.channels(),
                        patches.size(),
                        patches.patch(),
                        patches.first(),
                        rows.tokens()));
    }

    /** {@code silu(t + table[label])} of each pass, (N, D). */
    void condition(
            GraphScope g,
            String task,
            FloatArray timestep,
            FloatArray labelTable,
            FloatArray out,
            Rows rows,
            Passes passes,
            int hidden) {
        Tunable condition = TunableOperations.condition(passes.samples(), passes.guided(), hidden);
        double moved = (double) Float.BYTES * passes.passes() * hidden;
        g.task(
                task,
                new Work(condition.operation(), 0, moved, 2 * moved, condition),
                () -> Launch.elementwise(out.getSize()),
                graph -> graph.task(
                        task,
                        Embedding::condition,
                        context,
                        rows.batch(),
                        timestep,
                        labelTable,
                        out,
                        rows.passes(),
                        hidden));
    }

    /** {@code silu((t + r) + table[label])} of each pass, (N, D). */
    void conditionTwice(
            GraphScope g,
            String task,
            FloatArray timestep,
            FloatArray interval,
            FloatArray labelTable,
            FloatArray out,
            Rows rows,
            Passes passes,
            int hidden) {
        double moved = (double) Float.BYTES * passes.passes() * hidden;
        g.task(
                task,
                Work.moving(4 * moved, "condition twice", passes.passes(), hidden),
                () -> Launch.elementwise(out.getSize()),
                graph -> graph.task(
                        task,
                        Embedding::conditionTwice,
                        context,
                        rows.batch(),
                        timestep,
                        interval,
                        labelTable,
                        out,
                        rows.passes(),
                        hidden));
    }

    /** Rows of the tables that the passes take. */
    void takeRows(
            GraphScope g,
            String task,
            Tables tables,
            FloatArray conditioning,
            FloatArray modulation,
            Rows rows,
            int width,
            int modulations) {
        g.task(
                task,
                Work.moving(
                        2.0 * Float.BYTES * rows.passes() * (width + modulations),
                        "take rows",
                        rows.passes(),
                        width,
                        modulations),
                () -> Embedding.takeGrid(rows.passes(), width, modulations),
                graph -> graph.task(
                        task,
                        Embedding::takeRows,
                        context,
                        rows.batch(),
                        tables.taken(),
                        tables.conditioning(),
                        conditioning,
                        tables.modulation(),
                        modulation,
                        width,
                        modulations));
    }

    /** Has an array come into being before anything is stored into it, from one with a number in it. */
    void begin(GraphScope g, String task, FloatArray number, FloatArray array) {
        copy(g, task, number, array, 1);
    }

    /** A copy of the first elements. */
    void copy(GraphScope g, String task, FloatArray from, FloatArray to, int elements) {
        g.task(
                task,
                Work.moving(2.0 * Float.BYTES * elements, "copy", elements),
                () -> Launch.elementwise(elements),
                graph -> graph.task(task, Embedding::copy, context, from, to, elements));
    }

    /** The same value in the first elements. */
    void fill(GraphScope g, String task, IntArray to, int elements, int value) {
        g.task(
                task,
                Work.moving((double) Integer.BYTES * elements, "fill", elements),
                () -> Launch.elementwise(elements),
                graph -> graph.task(task, Embedding::fill, context, to, elements, value));
    }

    private Variant choose(Tunable operation) {
        return tuning.choose(operation.operation(), operation.variants());
    }

    private static FloatArray floats(Operand operand) {
        if (operand instanceof FloatOperand(FloatArray array)) {
            return array;
        }
        throw new IllegalArgumentException("an operand of another tier: " + operand);
    }
}
