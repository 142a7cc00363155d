package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.IntToDoubleFunction;
import java.util.stream.Stream;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.check.TunableOperations;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.graph.DitBuffers.Tables;
import org.tornadodit.scheduler.graph.Operations.Advance;
import org.tornadodit.scheduler.graph.Operations.Gate;
import org.tornadodit.scheduler.graph.Operations.Layer;
import org.tornadodit.scheduler.graph.Operations.Modulation;
import org.tornadodit.scheduler.graph.Operations.Rows;
import org.tornadodit.scheduler.graph.PortableOperations.Passes;
import org.tornadodit.scheduler.graph.PortableOperations.Patches;
import org.tornadodit.scheduler.graph.WeightStaging.Passage;
import org.tornadodit.scheduler.plan.Part;
import org.tornadodit.scheduler.plan.Part.Span;
import org.tornadodit.scheduler.plan.StepPlan;
import org.tornadodit.scheduler.plan.StepPlan.Stage;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

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
 * Which graphs a step runs, and in which order, is a {@link StepPlan}'s. One graph serves all blocks: it finds its weights, stacked for all blocks, by a layer number that its two norms hand on
 * and count up on the device. Each task of a graph is compiled for itself, so that 28 graphs would take 28 times as long
 * to compile. A block's graph sends and returns nothing, so that the host need not wait for one before the next.
 */
public final class DitGraphs {
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

    private final String prefix;
    private final Part part;
    private final Rows rows;
    private final KernelContext context = new KernelContext();
    /** What each stage reads, in the order in which stages first run. */
    private final Map<Stage, WeightStaging> stagings;

    private final Conditioning conditioning;
    private final Exchanges exchanges;
    private final OwnedBlocks owned;
    private final StepPlan plan;
    private final SuitedBlocks suited;
    private int firstLater;

    /**
     * @param prefix makes the graphs' names unique in the process
     * @param plan which graphs a step runs
     */
    public DitGraphs(
            String prefix,
            DitConfig config,
            DitDeviceWeights weights,
            DitBuffers buffers,
            StepPlan plan,
            Part part,
            Operations operations) {
        this.plan = plan;
        this.conditioning =
                config.secondTime() ? new TimesAndLabel(config.hiddenSize()) : new TimeAndLabel(config.hiddenSize());
        this.prefix = prefix;
        this.config = config;
        this.weights = weights;
        this.buffers = buffers;
        this.part = part;
        this.operations = operations;
        this.portable = operations.portable();
        this.exchanges = new Exchanges(config, buffers, part, operations);
        this.owned = new OwnedBlocks(config, buffers, part);
        this.rows = new Rows(buffers.batch, part.microPasses(), part.tokensAtOnce());
        this.stagings = stagings();
        // With a single block none would come between the first and one that takes its arrays. And nothing is compiled
        // beside
        // devices that wait for one another: the driver may keep a launch waiting for what a waiting device has to do
        // first.
        boolean others = Collections.frequency(plan.stages(), Stage.BLOCK) > 1 && part.isWhole();
        this.suited = SuitedBlocks.of(others ? part.passes() : 1, this::cyclesOfBlock);
    }

    /** What a number of passes takes in a block whose tiles are another number's. */
    private IntToDoubleFunction cyclesOfBlock(int passes) {
        NotedWork block = new NotedWork();
        block(block, rows.suiting(passes));
        List<IntToDoubleFunction> products = block.tasks().stream()
                .flatMap(work -> Stream.ofNullable(work.cycles()))
                .toList();
        return number -> products.stream()
                .mapToDouble(product -> product.applyAsDouble(number))
                .sum();
    }

    private Map<Stage, WeightStaging> stagings() {
        Passage passage = Passage.of(
                operations.arrays(), plan.kinds().stream().map(this::weightsOf).toList());
        Map<Stage, WeightStaging> result = new EnumMap<>(Stage.class);
        String before = "start";
        for (Stage stage : plan.stages()) {
            if (!result.containsKey(stage) && !weightsOf(stage).isEmpty()) {
                result.put(
                        stage,
                        new WeightStaging(
                                operations.arrays(),
                                passage,
                                prefix + name(stage) + "_",
                                prefix + before,
                                firstCarriedTo(stage),
                                weightsOf(stage)));
            }
            before = name(stage);
        }
        return result;
    }

    private List<StagedWeights> weightsOf(Stage stage) {
        return weights.of(stage, part.isPatched());
    }

    /**
     * All graphs, in the order that {@link #start} and {@link #step} count them, then those that load the weights, then {@link
     * #later} ones.
     *
     * @param grids gets the launch of every task
     * @param hostNoise whether a step's noise comes from the host, or is drawn on the device
     */
    public List<ImmutableTaskGraph> build(GridScheduler grids, boolean hostNoise) {
        List<ImmutableTaskGraph> graphs = new ArrayList<>();
        for (Piece piece : pieces(hostNoise)) {
            TaskGraphScope scope = new TaskGraphScope(prefix + piece.name(), grids);
            piece.content().accept(scope);
            graphs.add(scope.snapshot());
        }
        staged().forEach(stage -> graphs.addAll(staging(stage).build(grids)));
        firstLater = graphs.size();
        for (int i = 1; i < suited.count(); i++) {
            TaskGraphScope scope = new TaskGraphScope(prefix + blockNames().get(i), grids);
            suitedBlock(scope, i);
            graphs.add(scope.snapshot());
        }
        return graphs;
    }

    /** How many of the graphs, the last ones, are there for fewer passes: to be compiled when there are as few. */
    public int later() {
        return suited.count() - 1;
    }

    SuitedBlocks suited() {
        return suited;
    }

    /** The blocks' graph of {@link #suited}, by its number among all that were built. */
    int blocks(int graph) {
        return graph == 0 ? 1 + plan.kinds().indexOf(Stage.BLOCK) : firstLater + graph - 1;
    }

    private List<String> blockNames() {
        List<String> names = new ArrayList<>(List.of(name(Stage.BLOCK)));
        for (int i = 1; i < suited.count(); i++) {
            names.add(name(Stage.BLOCK) + "_for_" + suited.passes().get(i));
        }
        return names;
    }

    /** The stages that read weights. */
    private List<Stage> staged() {
        return plan.kinds().stream().filter(stagings::containsKey).toList();
    }

    private WeightStaging staging(Stage stage) {
        return Objects.requireNonNull(stagings.get(stage));
    }

    /**
     * Sends the weights of each stage when it is about to run for the first time, and runs the first step up to its last graph.
     * Once, behind {@link #start}.
     */
    public void load(DevicePlan device) {
        List<Stage> kinds = plan.kinds();
        List<Stage> stages = plan.stages();
        for (int i = 0; i < stages.size(); i++) {
            Stage stage = stages.get(i);
            int staged = staged().indexOf(stage);
            if (stages.indexOf(stage) == i && staged >= 0) {
                staging(stage).run(device, 1 + kinds.size() + staged * WeightStaging.GRAPHS);
            }
            if (i < stages.size() - 1) {
                device.execute(step().get(i));
            }
        }
    }

    /**
     * Writes the graphs into other scopes than task graphs.
     *
     * @param scopes makes them, of a graph's name and how often it runs in a step
     * @param hostNoise as {@link #build} has it
     */
    void walk(BiFunction<String, Integer, GraphScope> scopes, boolean hostNoise) {
        pieces(hostNoise).forEach(piece -> piece.content().accept(scopes.apply(piece.name(), piece.times())));
        staged().forEach(stage -> staging(stage).walk(scopes));
        for (int i = 1; i < suited.count(); i++) {
            suitedBlock(scopes.apply(blockNames().get(i), 0), i);
        }
    }

    /**
     * A graph.
     *
     * @param times that it runs in a step
     */
    private record Piece(String name, int times, Consumer<GraphScope> content) {}

    private List<Piece> pieces(boolean hostNoise) {
        List<Piece> pieces = new ArrayList<>();
        pieces.add(new Piece("start", 0, this::begin));
        for (Stage stage : plan.kinds()) {
            pieces.add(new Piece(
                    name(stage),
                    Collections.frequency(plan.stages(), stage),
                    switch (stage) {
                        case EMBED -> this::embed;
                        case ARRIVE -> this::arrive;
                        case TAKE -> this::take;
                        case KEYS -> this::keysOfPatch;
                        case BLOCK -> part.isPatched() ? this::blockOfPatch : this::block;
                        case PUT -> this::put;
                        case LAST -> g -> last(g, hostNoise);
                        case HAND_ON -> this::handOn;
                        case PREDICT -> this::predictMicroBatch;
                        case SAMPLE -> g -> sampleMicroBatches(g, hostNoise);
                    }));
        }
        return pieces;
    }

    /**
     * Fills what the host sends before a step, beside the labels that {@link DitBuffers#batch} has, or {@link
     * DitBuffers#tables}.
     *
     * @param times what the denoiser is given, of each pass that there is, or row of the tables
     * @param intervals likewise, for a second embedding
     */
    public void fillConditioning(double[] times, double[] intervals) {
        conditioning.fill(buffers, times, intervals);
    }

    /** The graph that a batch begins with, by its number. */
    public int start() {
        return 0;
    }

    /** What each step copies to the host: flags of values that did not fit, and of others that were waited for in vain. */
    public List<TornadoNativeArray> returned() {
        List<TornadoNativeArray> arrays = new ArrayList<>();
        if (operations.reportsOverflow()) {
            arrays.add(buffers.overflow);
        }
        DitBuffers.Ties ties = buffers.ties;
        if (ties != null) {
            arrays.add(ties.state());
        }
        return arrays;
    }

    /** The graphs of a step by their numbers, in the order in which they run. */
    public List<Integer> step() {
        return numbers(plan.stages());
    }

    /** Likewise, of a step of patches in which all keys and values are the step's own. */
    public List<Integer> synchronousStep() {
        return numbers(plan.synchronous());
    }

    private List<Integer> numbers(List<Stage> stages) {
        List<Stage> kinds = plan.kinds();
        return stages.stream().map(stage -> 1 + kinds.indexOf(stage)).toList();
    }

    static String name(Stage stage) {
        return stage.name().toLowerCase(Locale.ROOT);
    }

    /** Takes over what the graphs have handed on that a stage may come after, and the weights that were sent for it. */
    private void consume(GraphScope g, Stage stage) {
        for (Stage before : plan.before(stage)) {
            g.consume(prefix + name(before), carriedTo(stage));
            if (before == Stage.BLOCK && stage != Stage.BLOCK) {
                blockNames().stream().skip(1).forEach(name -> g.consume(prefix + name, carriedTo(stage)));
            }
        }
        if (stagings.containsKey(stage)) {
            g.consume(staging(stage).last(), firstCarriedTo(stage));
            g.consume(staging(stage).last(), staging(stage).arrays());
        }
    }

    /** What a stage takes from whatever ran before it. */
    private Object[] carriedTo(Stage stage) {
        DitBuffers b = buffers;
        return switch (stage) {
            case EMBED ->
                Stream.concat(Stream.of(b.latents, b.overflow), Arrays.stream(exchanges.state()))
                        .toArray();
            case ARRIVE -> exchanges.with(b.latents, b.conditioning, b.modulation, b.batch, b.overflow);
            case TAKE ->
                exchanges.with(
                        b.latents,
                        b.conditioning,
                        b.modulation,
                        b.batch,
                        b.overflow,
                        b.mlp.index(),
                        b.attention.index());
            case KEYS, BLOCK, PUT -> carried();
            case LAST -> exchanges.with(b.latents, b.x, b.conditioning, b.batch, b.overflow);
            case PREDICT ->
                part.isPatched() ? carried() : exchanges.with(b.latents, b.x, b.conditioning, b.batch, b.overflow);
            case HAND_ON -> part.isPatched() ? carried() : exchanges.with(b.latents, b.x, b.batch, b.overflow);
            case SAMPLE -> exchanges.with(b.latents, b.overflow);
        };
    }

    /** What {@link #embed} has from earlier steps where it computes nothing of it: on the device since {@link #begin}. */
    private Object[] ofTables() {
        Tables tables = buffers.tables;
        return tables == null
                ? new Object[0]
                : Stream.concat(
                                Stream.of(tables.conditioning(), tables.modulation()),
                                Arrays.stream(buffers.modulationInput.arrays()))
                        .toArray();
    }

    /** What a stage takes from what ran before its first time, its weights' loading too. */
    private Object[] firstCarriedTo(Stage stage) {
        Object[] ofTables = stage == Stage.EMBED ? ofTables() : new Object[0];
        return Stream.of(ofTables, carriedTo(stage)).flatMap(Arrays::stream).toArray();
    }

    private void begin(GraphScope g) {
        DitBuffers b = buffers;
        g.sendEach(b.start);
        int elements = (1 + b.history) * part.samples().count() * config.inputElements();
        portable.copy(g, "latents", b.start, b.latents, elements);
        portable.fill(g, "overflow", b.overflow, part.flagRows() * Overflow.KINDS, 0);
        exchanges.begin(g, portable);
        owned.begin(g);
        Tables tables = b.tables;
        if (tables != null) {
            portable.begin(g, "conditionings", b.start, tables.conditioning());
            portable.begin(g, "modulations", b.start, tables.modulation());
            operations.beginOperand(g, "modulation_input", b.modulationInput, b.start);
            g.keep(ofTables());
        }
        g.keep(b.latents, b.overflow);
        g.keep(exchanges.state());
    }

    private void embed(GraphScope g) {
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;
        g.consume(prefix + "start", firstCarriedTo(Stage.EMBED));
        consume(g, Stage.EMBED);
        g.sendEach(exchanges.link());
        g.sendOnce(b.single.index());

        exchanges.microBatch(g, conditioning.sent(b));
        Rows whole = rows.ofTokens(part.tokens().count());
        int samples = Math.min(part.samples().count(), rows.passes());
        Passes passes = new Passes(samples, rows.passes());
        if (part.isFirstStage()) {
            g.scratch(b.patches);
            Patches patches = new Patches(
                    config.inChannels(),
                    config.inputSize(),
                    config.patchSize(),
                    part.tokens().first());
            portable.patchify(g, "patches", b.latents, b.patches, whole, passes, patches); // (N, T, C P P)
            ProductWeights embedding = Objects.requireNonNull(w.patchEmbedding());
            FloatArray positions = Objects.requireNonNull(w.positions());
            FloatArray embedded = part.isPatched() ? b.arrivals : b.x;
            portable.linearAddTable(g, "x_embedder", b.single, b.patches, embedding, positions, embedded, whole);
        }
        Tables tables = b.tables;
        if (tables == null) {
            g.scratch(b.modulationInput.arrays());
            conditioning.write(g, portable, b, w, b.conditioning, rows, passes); // (N, D)
            exchanges.conditioning(g);
            modulate(g, b.ownersConditioning, b.ownModulation, new Rows(b.ownersBatch, part.ownersPasses(), 1));
        } else {
            g.sendEach(tables.computed(), tables.taken());
            GraphScope seldom = new OnceForSteps(g, (double) rows.passes() / tables.size());
            Rows all = new Rows(tables.computed(), tables.size(), 1);
            Passes each = new Passes(tables.size(), tables.size());
            conditioning.write(seldom, portable, b, w, tables.conditioning(), all, each); // (R, D)
            modulate(seldom, tables.conditioning(), tables.modulation(), all);
            int width = config.hiddenSize();
            portable.takeRows(
                    g, "conditions", tables, b.conditioning, b.modulation, rows, width, part.slots() * 6 * width);
        }
        // In this order: releasing a plan stops at what the graph before has released, here the last two.
        if (part.isPatched()) {
            g.keep(b.conditioning, b.modulation, b.batch);
        } else {
            if (!part.isFirstStage()) {
                exchanges.hiddenStates(g);
            }
            portable.fill(g, "layer", b.mlp.index(), 1, -1);
            owned.beginStep(g);
            g.keep(b.x, b.conditioning);
            g.keep(ofOneDevice());
            g.keep(b.mlp.index(), b.batch);
        }
        g.keep(exchanges.link());
        g.keep(b.overflow, b.latents);
        g.keep(exchanges.state());
    }

    /** All blocks' modulations of a conditioning: (rows, blocks, 6 D). */
    private void modulate(GraphScope g, FloatArray conditioned, FloatArray modulation, Rows of) {
        operations.modulation(
                g,
                "adaLN_modulation",
                buffers.single,
                conditioned,
                buffers.modulationInput,
                weights.modulation(),
                modulation,
                of);
    }

    /** A patch is there; blocks are counted from the first on. */
    private void arrive(GraphScope g) {
        DitBuffers b = buffers;
        consume(g, Stage.ARRIVE);
        exchanges.arrive(g);
        portable.fill(g, "layer", b.mlp.index(), 1, -1);
        portable.fill(g, "attention_layer", b.attention.index(), 1, -1);
        g.keep(b.mlp.index(), b.attention.index());
        g.keep(carriedTo(Stage.ARRIVE));
    }

    private void take(GraphScope g) {
        consume(g, Stage.TAKE);
        exchanges.take(g);
        g.keep(buffers.x);
        g.keep(carriedTo(Stage.TAKE));
    }

    private void put(GraphScope g) {
        consume(g, Stage.PUT);
        exchanges.put(g);
        g.keep(carried());
    }

    /** Queries, keys and values of a patch, which are kept. */
    private void keysOfPatch(GraphScope g) {
        DitBuffers b = buffers;
        consume(g, Stage.KEYS);
        g.scratch(b.normed.arrays());
        g.scratch(b.qkv.arrays());
        keys(g, rows);
        operations.keep(g, "attn_keep", b.attention, b.qkv, b.kept, rows, part, config.headSize());
        g.keep(carried());
    }

    /** The rest of a block. */
    private void blockOfPatch(GraphScope g) {
        DitBuffers b = buffers;
        consume(g, Stage.BLOCK);
        Stream.of(b.normed, b.attended, b.hidden).forEach(operand -> g.scratch(operand.arrays()));
        attend(g, rows);
        g.keep(carried());
    }

    /** {@code x + gate * attn(modulate(norm1(x)))}, then {@code x + gate * mlp(modulate(norm2(x)))}. */
    private void block(GraphScope g) {
        consume(g, Stage.BLOCK);
        g.scratch(ofBlock());
        block(g, rows);
        if (later() > 0) {
            g.keep(staging(Stage.BLOCK).arrays());
        }
        g.keep(carried());
    }

    /** As {@link #block(GraphScope)}, with other tiles: once {@code block} has handed on its arrays, in place of it. */
    private void suitedBlock(GraphScope g, int graph) {
        String name = prefix + blockNames().get(graph);
        for (Stage before : plan.before(Stage.BLOCK)) {
            g.consume(prefix + name(before), carried());
        }
        g.consume(name, carried());
        g.consume(prefix + name(Stage.BLOCK), staging(Stage.BLOCK).arrays());
        g.consume(prefix + name(Stage.BLOCK), ofBlock());
        block(g, rows.suiting(suited.passes().get(graph)));
        g.keep(carried());
    }

    /** Arrays that live within a block. */
    private Object[] ofBlock() {
        DitBuffers b = buffers;
        List<Object> arrays = new ArrayList<>(List.of(b.attention.index()));
        Stream.of(b.normed, b.gathered, b.qkv, b.headQkv, b.headAttended, b.attended, b.hidden)
                .distinct()
                .filter(operand -> !b.sent.contains(operand))
                .forEach(operand -> arrays.addAll(List.of(operand.arrays())));
        if (part.mesh().tensor() > 1) {
            arrays.addAll(List.of(b.partialSums, b.partsOfSums));
        }
        return arrays.toArray();
    }

    private void block(GraphScope g, Rows rows) {
        keys(g, rows);
        exchanges.heads(g); // some heads of all tokens, where others have other heads or tokens
        attend(g, rows);
    }

    /** Rows of products: all tokens of those who have other shares of the weights. */
    private Rows ofProducts(Rows rows) {
        return rows.ofTokens(part.productTokens().count() / part.mesh().patches());
    }

    /** Queries, keys and values. */
    private void keys(GraphScope g, Rows rows) {
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;

        owned.beginBlock(g, w);
        int chunks = 6 * part.slots();
        int heads = part.productHeads().count();
        Rows products = ofProducts(rows);
        int width = config.hiddenSize();
        Modulation msa = new Modulation(b.modulation, SHIFT_MSA, SCALE_MSA, chunks, width);
        operations.normModulate(g, "norm1", new Advance(b.mlp, 1, b.attention), b.x, msa, b.normed, rows); // (N, T, D)
        exchanges.normed(g, "norm1_all"); // all tokens, where others have other shares of the weights
        FloatArray norms = w.headNorms();
        if (norms == null) {
            operations.linearHeads(
                    g, "attn_qkv", b.attention, b.gathered, w.qkv(), b.qkv, products, heads); // (N, T, 3 D)
        } else {
            g.scratch(b.plainQkv);
            operations.linearHeadsNormed(
                    g, "attn_qkv", b.attention, b.gathered, w.qkv(), norms, b.plainQkv, b.qkv, products, heads);
        }
    }

    /** What follows from them. */
    private void attend(GraphScope g, Rows rows) {
        DitBuffers b = buffers;
        DitDeviceWeights w = weights;

        int chunks = 6 * part.slots();
        boolean patched = part.isPatched();
        operations.attention(
                g,
                "attn",
                b.attention,
                b.headQkv,
                b.headAttended,
                rows.ofTokens(part.queries().of()),
                patched ? new Span(0, part.tokensAtOnce(), part.tokens().count()) : part.queries(),
                patched,
                part.heads().count(),
                config.headSize()); // (N, T, D)
        exchanges.tokens(g); // and some tokens of all heads
        Gate gateMsa = new Gate(b.modulation, GATE_MSA, chunks);
        addGated(g, "attn_proj", b.attention, b.attended, w.projection(), gateMsa, rows);

        Modulation mlp = new Modulation(b.modulation, SHIFT_MLP, SCALE_MLP, chunks, config.hiddenSize());
        operations.normModulate(g, "norm2", new Advance(b.attention, 0, b.mlp), b.x, mlp, b.normed, rows); // (N, T, D)
        exchanges.normed(g, "norm2_all");
        operations.linearGelu(g, "mlp_fc1", b.mlp, b.gathered, w.fc1(), b.hidden, ofProducts(rows)); // (N, T, M)
        Gate gateMlp = new Gate(b.modulation, GATE_MLP, chunks);
        addGated(g, "mlp_fc2", b.mlp, b.hidden, w.fc2(), gateMlp, rows);
    }

    /** {@code x = x + gate * (in W^T + b)}; where devices have shares of the weights, of their sum. */
    private void addGated(GraphScope g, String task, Layer layer, Operand in, ProductWeights w, Gate gate, Rows rows) {
        DitBuffers b = buffers;
        int shares = part.mesh().tensor();
        if (shares == 1) {
            operations.linearGateResidual(g, task, layer, in, w, gate, b.x, rows);
        } else {
            operations.linear(g, task, layer, in, w, b.partialSums, ofProducts(rows));
            exchanges.sums(g, task + "_parts");
            portable.addParts(g, task + "_sum", layer, b.partsOfSums, gate, b.x, rows, shares, config.hiddenSize());
        }
    }

    /** What the graphs of a step hand on to the blocks, and they to one another. */
    private Object[] carried() {
        DitBuffers b = buffers;
        Object[] between = {b.latents, b.x, b.conditioning, b.batch, b.overflow, b.mlp.index()};
        Object[] ofPatches = part.isPatched() ? new Object[] {b.attention.index()} : new Object[0];
        return exchanges.with(Stream.of(ofPatches, between, ofOneDevice())
                .flatMap(Arrays::stream)
                .toArray());
    }

    /** The modulations, but where others store into them too: {@link Exchanges#state} then has them. */
    private Object[] ofOneDevice() {
        return part.sharesWeights() ? new Object[0] : new Object[] {buffers.modulation};
    }

    private void last(GraphScope g, boolean hostNoise) {
        DitBuffers b = buffers;
        consume(g, Stage.LAST);
        g.scratch(b.predictions);
        predict(g);
        exchanges.predictions(g);
        sample(g, hostNoise);
    }

    private void handOn(GraphScope g) {
        DitBuffers b = buffers;
        consume(g, Stage.HAND_ON);
        exchanges.handOn(g);
        g.keep(part.isPatched() ? carried() : exchanges.with(b.latents, b.overflow));
    }

    private void predictMicroBatch(GraphScope g) {
        DitBuffers b = buffers;
        consume(g, Stage.PREDICT);
        predict(g);
        exchanges.handPredictions(g);
        g.keep(part.isPatched() ? carried() : exchanges.with(b.latents, b.overflow));
    }

    private void sampleMicroBatches(GraphScope g, boolean hostNoise) {
        DitBuffers b = buffers;
        consume(g, Stage.SAMPLE);
        g.sendEach(b.wholeBatch);
        exchanges.awaitPredictions(g);
        sample(g, hostNoise);
    }

    /** The final layer. */
    private void predict(GraphScope g) {
        DitBuffers b = buffers;
        ProductWeights finalModulation = Objects.requireNonNull(weights.finalModulation());
        ProductWeights finalLinear = Objects.requireNonNull(weights.finalLinear());
        g.sendOnce(b.single.index());
        g.scratch(b.finalModulation, b.end.index(), b.prediction);
        g.scratch(b.finalNormed.arrays());

        portable.fewRows(
                g,
                "final_layer_adaLN_modulation",
                b.single,
                b.conditioning,
                finalModulation,
                b.finalModulation,
                rows,
                false);
        Modulation modulation = new Modulation(b.finalModulation, SHIFT_MSA, SCALE_MSA, 2, config.hiddenSize());
        operations.normModulate(
                g,
                "final_layer_norm",
                new Advance(b.single, 0, b.end),
                b.x,
                modulation,
                b.finalNormed,
                rows); // (N, T, D)
        operations.linear(g, "final_layer_linear", b.single, b.finalNormed, finalLinear, b.prediction, rows);
    }

    /** Guidance, sampler and noise, and the end of the step. */
    private void sample(GraphScope g, boolean hostNoise) {
        DitBuffers b = buffers;
        FloatArray noise = hostNoise ? b.noise : b.noNoise;
        g.sendEach(b.coefficients, b.draw);
        g.sendEach(noise);
        int elements = part.samples().count() * config.inputElements();
        double predicted = (double) part.passes() * part.tokens().count() * config.patchOutputs();
        Work step = Work.moving(
                TunableOperations.step(
                        part.samples().count(),
                        config.inChannels(),
                        config.inputSize(),
                        config.patchSize(),
                        config.outChannels()),
                4.0 * predicted + (hostNoise ? 12.0 : 8.0) * elements);
        g.task(
                "step",
                step,
                () -> Launch.elementwise(elements),
                graph -> graph.task(
                        "step",
                        DenoiseStep::denoise,
                        context,
                        b.wholeBatch,
                        b.predictions,
                        b.latents,
                        b.coefficients,
                        b.draw,
                        noise,
                        part.passes(),
                        config.inChannels(),
                        config.inputSize(),
                        config.patchSize(),
                        config.outChannels(),
                        elements,
                        hostNoise ? DenoiseStep.NOISE_ARRAY : DenoiseStep.NOISE_PHILOX));
        g.keep(b.latents, b.overflow);
        g.keep(exchanges.state());
        g.receive(returned().toArray());
    }
}
