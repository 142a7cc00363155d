package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.AttentionTiling;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.HeadNorm;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNormArguments;
import org.tornadodit.kernels.LayerNormArguments.PackedOut;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedRows;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.ProductTile;
import org.tornadodit.kernels.Sending;
import org.tornadodit.kernels.TensorAttentionArguments;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinearArguments;
import org.tornadodit.kernels.TensorLinearArguments.After;
import org.tornadodit.kernels.TensorLinearArguments.Bias;
import org.tornadodit.kernels.TensorLinearArguments.GateResidual;
import org.tornadodit.kernels.TensorLinearArguments.Gelu;
import org.tornadodit.kernels.TensorLinearArguments.Heads;
import org.tornadodit.kernels.TensorLinearArguments.SentHeads;
import org.tornadodit.kernels.TensorLinearArguments.Spare;
import org.tornadodit.kernels.TokenPatches;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.WarpgroupAttention;
import org.tornadodit.kernels.check.Tunable;
import org.tornadodit.kernels.check.TunableOperations;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.engine.KernelOptions.Tier;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.Tuning;
import org.tornadodit.scheduler.graph.StagedWeights.Floats;
import org.tornadodit.scheduler.graph.StagedWeights.Product;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Mesh;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * {@link Tier#WGMMA} and {@link Tier#MMA}: tensor cores. An operand is halves in one or two planes, see {@link Packed}, packed by the kernel that
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

    /** What devices send to one another. */
    private record SentOperand(PackedOperand landing, Sending sending) implements Operand {
        @Override
        public Object[] arrays() {
            return landing.arrays();
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

    /** Of the smallest tile, of either tier. */
    private static final int MODULATION_ROWS = 64;

    private final MatmulPrecision precision;
    /** Of the blocks' operands of products. */
    private final int planes;
    /** Of attention's operands. */
    private final int headPlanes;

    private final TensorCores cores;
    private final Tuning tuning;
    private final PortableOperations portable;
    private final ArraySource arrays;
    private final KernelContext context = new KernelContext();
    /** Stand where an epilogue uses no array. */
    private final FloatArray noFloats;

    private final IntArray noHalves;

    /** On Hopper. */
    TensorOperations(MatmulPrecision precision, int multiprocessors, Tuning tuning) {
        this(precision, new TensorCores.Warpgroups(multiprocessors), tuning);
    }

    TensorOperations(MatmulPrecision precision, TensorCores cores, Tuning tuning) {
        this(precision, cores, new PortableOperations(tuning));
    }

    private TensorOperations(MatmulPrecision precision, TensorCores cores, PortableOperations portable) {
        // FP8 products are for warpgroups.
        boolean warps = cores instanceof TensorCores.Warps;
        this.precision = warps && precision == MatmulPrecision.HIGHER ? MatmulPrecision.HIGHEST : precision;
        this.planes = switch (this.precision) {
            case HIGHEST -> 2;
            case HIGHER -> Packed.MIXED;
            case HIGH -> 1;
        };
        this.headPlanes = Packed.halves(planes);
        this.cores = cores;
        this.portable = portable;
        this.tuning = portable.tuning();
        this.arrays = portable.arrays();
        this.noFloats = arrays.floats(1);
        this.noHalves = arrays.ints(1);
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
    public TensorOperations with(ArraySource source) {
        return new TensorOperations(precision, cores, portable.with(source));
    }

    @Override
    public PortableOperations portable() {
        return portable;
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

    /** Whether {@link Packed#MIXED} operands can hold all inputs of a model's blocks' products. */
    static boolean servesMixed(DitConfig config) {
        return config.hiddenSize() % 32 == 0 && config.mlpHidden() % 32 == 0;
    }

    @Override
    public DecoderTier decoder(VaeConfig config) {
        return DecoderTier.tensorCores(config, FLOAT32_PLANES, cores);
    }

    static Tier tier(TensorCores cores) {
        return switch (cores) {
            case TensorCores.Warpgroups _ -> Tier.WGMMA;
            case TensorCores.Warps _ -> Tier.MMA;
        };
    }

    @Override
    public Tier tier() {
        return tier(cores);
    }

    @Override
    public MatmulPrecision precision() {
        return precision;
    }

    @Override
    public String description() {
        return tier().word()
                + switch (precision) {
                    case HIGHEST -> ", three FP16 products for FP32 accuracy";
                    case HIGHER -> ", one FP16 and two FP8 products";
                    case HIGH -> ", one FP16 product";
                };
    }

    @Override
    public String kind() {
        return cores instanceof TensorCores.Warps warps
                ? tier().word() + " in " + warps.form().name().toLowerCase(Locale.ROOT) + "'s form"
                : tier().word();
    }

    @Override
    public Operand operand(long rows, int columns) {
        return operand(rows, columns, planes);
    }

    @Override
    public Operand float32Operand(long rows, int columns) {
        return operand(rows, columns, FLOAT32_PLANES);
    }

    /** Those of a tile, which takes as long with fewer: what it reads are the weights. */
    @Override
    public int modulationRows(int passes) {
        return Math.ceilDiv(passes, MODULATION_ROWS) * MODULATION_ROWS;
    }

    @Override
    public Operand modulationOperand(long rows, int columns) {
        return operand(rows, columns, FLOAT32_PLANES);
    }

    private Operand operand(long rows, int columns, int planes) {
        return new PackedOperand(arrays.deviceInts(Packed.elements(rows, columns, planes)), planes);
    }

    @Override
    public boolean reportsOverflow() {
        return true;
    }

    @Override
    public ProductWeights weightShares(List<LayerShare> layers, int slots) {
        return weights(layers, planes, slots);
    }

    @Override
    public ProductWeights float32Weights(List<org.tornadodit.model.Linear> layers) {
        return weights(layers.stream().map(LayerShare::whole).toList(), FLOAT32_PLANES, 0);
    }

    private ProductWeights weights(List<LayerShare> layers, int planes, int slots) {
        int out = layers.getFirst().out();
        int in = layers.getFirst().in();
        int room = Math.max(slots, layers.size());
        IntArray weight = arrays.weightInts(TensorLinear.weightSize(room, out, in, planes));
        FloatArray bias = arrays.weightFloats((long) room * (out + 1));
        List<StagedWeights> staged = new ArrayList<>();
        for (int i = 0; i < layers.size(); i++) {
            int at = i * (out + 1);
            staged.add(new Product(
                    weight,
                    i * (out * (in / 2) * Packed.halves(planes)),
                    List.of(layers.get(i).weight()),
                    out,
                    in,
                    planes,
                    bias,
                    at + out));
            staged.add(new Floats(bias, at, layers.get(i).bias()));
        }
        return new ProductWeights(weight, bias, layers.size(), out, in, staged);
    }

    @Override
    public ProductWeights weightsTogether(
            List<org.tornadodit.model.Linear> layers, List<org.tornadodit.model.Linear> elsewhere) {
        int in = layers.getFirst().in();
        int out = layers.getFirst().out();
        int all = Math.multiplyExact(layers.size(), out);
        IntArray weight = arrays.weightInts(TensorLinear.weightSize(1, all, in, FLOAT32_PLANES));
        FloatArray bias = arrays.weightFloats(all + 1L);
        List<StagedWeights> staged = new ArrayList<>();
        staged.add(new Product(
                weight,
                0,
                layers.stream()
                        .<WeightValues>map(layer -> new WeightValues.Whole(layer.weight()))
                        .toList(),
                all,
                in,
                FLOAT32_PLANES,
                bias,
                all,
                elsewhere.stream()
                        .<WeightValues>map(layer -> new WeightValues.Whole(layer.weight()))
                        .toList()));
        for (int i = 0; i < layers.size(); i++) {
            staged.add(new Floats(bias, i * out, layers.get(i).bias()));
        }
        return new ProductWeights(weight, bias, 1, all, in, staged);
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
        double elements = (double) rows.passes() * w.in();
        Work work = Work.moving(
                TunableOperations.packedRows(rows.passes(), w.in(), FLOAT32_PLANES),
                (Float.BYTES + 2 * FLOAT32_PLANES) * elements);
        g.task(
                task + "_input",
                work,
                () -> PackedRows.grid(rows.passes(), w.in()),
                graph -> graph.task(
                        task + "_input",
                        PackedRows::pack,
                        context,
                        conditioning,
                        halves(packed),
                        layer.index(),
                        rows.batch(),
                        layer.overflow(),
                        rows.passes(),
                        w.in(),
                        FLOAT32_PLANES,
                        Overflow.CONDITIONING));
        Rows single = new Rows(rows.batch(), rows.passes(), 1);
        product(g, task, layer, packed, w, new Bias(out), single, FLOAT32_PLANES);
    }

    @Override
    public void normModulate(
            GraphScope g, String task, Advance advance, FloatArray x, Modulation modulation, Operand out, Rows rows) {
        int hidden = modulation.hidden();
        Work work = Work.moving(
                TunableOperations.packedLayerNorm(rows.passes(), rows.tokens(), hidden, planes(out)),
                (Float.BYTES + 2.0 * Packed.halves(planes(out))) * rows.count() * hidden
                        + 8.0 * rows.passes() * hidden);
        LayerNormArguments arguments = PortableOperations.layerNorm(advance, x, modulation, rows);
        PackedOut packed = new PackedOut(halves(out), planes(out), advance.to().overflow(), kind(modulation));
        g.task(task, work, arguments::packedGrid, graph -> arguments.packedTask(graph, task, packed));
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
        After after =
                out instanceof SentOperand sent ? new SentHeads(sent.sending(), heads) : new Heads(halves(out), heads);
        product(g, task, layer, x, w, after, rows, planes);
    }

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
        linear(g, task, layer, x, w, plain, rows);
        int headSize = w.out() / 3 / heads;
        int threads = rows.count() * 3 * heads;
        g.task(
                task + "_norm",
                Work.moving(
                        (Float.BYTES + 2.0 * headPlanes) * threads * headSize,
                        "packed head norm",
                        rows.count(),
                        heads,
                        headSize,
                        headPlanes),
                () -> Launch.elementwise(threads),
                graph -> graph.task(
                        task + "_norm",
                        HeadNorm::pack,
                        context,
                        layer.index(),
                        rows.batch(),
                        plain,
                        norms,
                        halves(out),
                        layer.overflow(),
                        rows.passes(),
                        rows.tokens(),
                        heads,
                        headSize,
                        headPlanes));
    }

    @Override
    public void linear(GraphScope g, String task, Layer layer, Operand x, ProductWeights w, FloatArray out, Rows rows) {
        product(g, task, layer, x, w, new Bias(out), rows, planes(x));
    }

    @Override
    public void linearGelu(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, Operand out, Rows rows) {
        product(g, task, layer, x, w, new Gelu(halves(out)), rows, planes);
    }

    @Override
    public void linearGateResidual(
            GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, FloatArray x, Rows rows) {
        GateResidual after = new GateResidual(gate.array(), gate.chunk(), gate.chunks(), x);
        product(g, task, layer, in, w, after, rows, planes);
    }

    private void product(
            GraphScope g, String task, Layer layer, Operand x, ProductWeights w, After after, Rows rows, int planes) {
        ProductShape shape = new ProductShape(rows.count(), w.out(), w.in());
        Tunable product = TunableOperations.tensorLinear(
                rows.suitedCount(),
                shape.n(),
                shape.k(),
                after.epilogue(),
                rows.tokens(),
                headsOf(after),
                planes,
                cores);
        ProductTile tile = cores.tile(choose(product));
        int blocks = tile.blocks(shape.m(), shape.n(), cores.multiprocessors());
        Work work = Work.product(
                        product,
                        shape.m(),
                        shape.n(),
                        shape.k(),
                        2 * Packed.halves(planes),
                        moved(rows, w, planes, after.epilogue()))
                .withCycles(passes -> cores.cycles(planes, passes * rows.tokens(), shape.n(), shape.k(), tile));
        if (!(after instanceof GateResidual)) {
            g.scratch(noFloats);
        }
        Sending awaited = x instanceof SentOperand sent ? sent.sending() : null;
        if ((after instanceof Bias || after instanceof GateResidual) && awaited == null) {
            g.scratch(noHalves);
        }
        TensorLinearArguments arguments = new TensorLinearArguments(
                layer.index(),
                rows.batch(),
                halves(x),
                w.packed(),
                w.bias(),
                after,
                layer.overflow(),
                shape,
                rows.tokens(),
                planes,
                tile,
                blocks,
                new Spare(noFloats, noHalves),
                awaited);
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    private static int headsOf(After after) {
        return switch (after) {
            case Heads heads -> heads.count();
            case SentHeads heads -> heads.count();
            default -> 1;
        };
    }

    /** Bytes of a product's activations: its input, and its output as the epilogue leaves it. */
    private static double moved(Rows rows, ProductWeights w, int planes, int epilogue) {
        double m = rows.count();
        double each = 2 * Packed.halves(planes);
        double input = each * m * w.in();
        return switch (epilogue) {
            case Epilogue.BIAS -> input + Float.BYTES * m * w.out();
            case Epilogue.GATE_RESIDUAL -> input + Float.BYTES * (2 * m + rows.passes()) * w.out();
            default -> input + each * m * w.out();
        };
    }

    private Variant choose(Tunable operation) {
        return tuning.choose(operation.operation(), operation.variants());
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
        Tunable attention =
                TunableOperations.tensorAttention(rows.suited(), rows.tokens(), heads, headSize, headPlanes, cores);
        AttentionTiling tiling = cores.tiling(choose(attention));
        AttentionShape shape = new AttentionShape(
                rows.passes(), rows.tokens(), heads, headSize, queries.first(), queries.count(), kept);
        int blocks = tiling.blocks(shape, cores.multiprocessors());
        Work work = Work.attention(attention, rows, queries, heads, headSize, 2 * headPlanes);
        TensorAttentionArguments arguments = new TensorAttentionArguments(
                halves(qkv),
                halves(out),
                layer.index(),
                rows.batch(),
                layer.overflow(),
                shape,
                headPlanes,
                planes,
                tiling,
                blocks,
                out instanceof SentOperand sent ? sent.sending() : null);
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    @Override
    public boolean sends(DitConfig config) {
        return cores instanceof TensorCores.Warpgroups && !config.qkNorm();
    }

    @Override
    public Operand sent(Operand landing, Sending sending) {
        return new SentOperand(packed(landing), sending);
    }

    /** Queries of one block, then each block's keys and values, all as {@link Packed} has heads. */
    @Override
    public Operand keptHeads(Part part, int headSize) {
        long rows = (long) part.microPasses() * part.tokens().count();
        long each = rows * part.heads().count() * (headSize / 2) * headPlanes;
        return new PackedOperand(
                arrays.deviceInts(each * (1 + 2L * part.layers().count())), headPlanes);
    }

    @Override
    public void beginOperand(GraphScope g, String task, Operand operand, FloatArray number) {
        portable.fill(g, task, halves(operand), 1, 0);
    }

    @Override
    public void keep(
            GraphScope g, String task, Layer layer, Operand qkv, Operand kept, Rows rows, Part part, int headSize) {
        int heads = part.heads().count();
        int own = rows.tokens() / 2 * headSize * headPlanes; // ints of a head's tokens
        int all = own * part.mesh().patches();
        Box box = new Box(
                3,
                heads,
                own,
                new Place(0, heads * own, rows.passes() * heads * own, own),
                new Place(0, heads * all, rows.passes() * heads * all, all));
        TokenPatches.Kept places = new TokenPatches.Kept(box, own, 0, 2 * rows.passes() * heads * all);
        Work work =
                Work.moving(2.0 * Integer.BYTES * rows.passes() * box.elements(), "keep", rows.passes(), heads, own);
        portable.keep(g, task, work, layer, halves(qkv), halves(kept), rows, places);
    }

    @Override
    public Mesh.Grain grain() {
        return new Mesh.Grain(8, 16 * Packed.slabs(planes), 2 * Packed.halves(planes), 1);
    }

    @Override
    public Box toHeads(Part part, int headSize) {
        int eight = headSize * 4 * headPlanes; // ints of eight tokens of a head
        int run = part.productTokens().count() / 8 * eight;
        int whole = part.productTokens().of() / 8 * eight;
        int all = part.productHeads().count();
        int own = part.heads().count();
        return new Box(
                3,
                own,
                run,
                new Place(own * run, all * run, part.microPasses() * all * run, run),
                new Place(
                        part.productTokens().first() / 8 * eight, own * whole, part.microPasses() * own * whole, whole),
                part.mesh().heads(),
                1);
    }

    @Override
    public Box toTokens(Part part, int headSize) {
        int heads = part.mesh().heads();
        int eight = Packed.eightRows(planes);
        int tokens = part.productTokens().count() / 8 * eight;
        int queries = part.queries().count() / 8 * eight;
        int from = Packed.paddedRows(part.microPasses() * part.queries().count()) / 8 * eight;
        int to = Packed.paddedRows(part.productRows()) / 8 * eight;
        int columns = part.heads().count() * headSize / 16 * Packed.slabs(planes);
        return new Box(
                heads == 1 ? 0 : columns, // as it is
                1,
                tokens,
                new Place(tokens, queries, from, 0),
                new Place(part.place(Axis.HEADS) * columns * to, tokens, to, 0),
                heads,
                heads == 1 ? 0 : columns);
    }

    @Override
    public Box toProducts(Part part, int columns) {
        int eight = Packed.eightRows(planes);
        int own = part.tokens().count() / 8 * eight;
        int all = part.productTokens().count() / 8 * eight;
        int from = Packed.paddedRows(part.rows()) / 8 * eight;
        int to = Packed.paddedRows(part.productRows()) / 8 * eight;
        return new Box(
                columns / 16 * Packed.slabs(planes),
                1,
                own,
                new Place(0, own, from, 0),
                new Place(part.place(Axis.TENSOR) * own, all, to, 0));
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
        if (operand instanceof SentOperand sent) {
            return sent.landing();
        }
        throw new IllegalArgumentException("an operand of another tier: " + operand);
    }
}
