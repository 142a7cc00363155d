package org.tornadodit.scheduler.graph;

import java.util.Arrays;
import java.util.List;
import java.util.function.ObjIntConsumer;
import java.util.stream.Stream;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.Handover;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.kernels.Sending;
import org.tornadodit.kernels.TokenPatches;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.graph.DitBuffers.Ties;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Part;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/** What a device exchanges in a step with those that hold the same samples, as tasks; nothing where it holds them alone. */
final class Exchanges {
    /** What its launches are called. */
    static final String OPERATION = "exchange";

    /** What launches are called that send and do not wait. */
    static final String HANDOVER = "handover";

    /** All that there can be. */
    static final List<Site> SITES = List.of(
            new Site(Exchange.PREDICTION, Axis.HALVES, Axis.STAGES, Axis.RING, Axis.HEADS, Axis.TENSOR),
            new Site(Exchange.HEADS, Axis.RING, Axis.HEADS),
            new Site(Exchange.TOKENS, Axis.RING, Axis.HEADS),
            new Site(Exchange.NORMED, Axis.TENSOR),
            new Site(Exchange.SUMS, Axis.TENSOR),
            new Site(Exchange.HIDDEN, Axis.STAGES),
            new Site(Exchange.CONDITIONING, Axis.HALVES));

    /**
     * An exchange.
     *
     * @param number of {@link Exchange}'s
     * @param axes along which its devices differ, in the order in which they are counted
     */
    record Site(int number, List<Axis> axes) {
        Site(int number, Axis... axes) {
            this(number, List.of(axes));
        }

        private Axis[] array() {
            return axes.toArray(new Axis[0]);
        }

        /** Devices that take part. */
        int ranks(Part part) {
            return part.mesh().partsOf(array());
        }

        /** Which of them one is. */
        int rank(Part part) {
            return part.placeAlong(array());
        }

        /** Whether two devices exchange something here. */
        boolean joins(Part one, Part other) {
            return one.differsAlong(other, array());
        }
    }

    private final DitConfig config;
    private final DitBuffers buffers;
    private final Part part;
    private final Operations operations;
    private final KernelContext context = new KernelContext();

    Exchanges(DitConfig config, DitBuffers buffers, Part part, Operations operations) {
        this.config = config;
        this.buffers = buffers;
        this.part = part;
        this.operations = operations;
    }

    /** What is sent each step. */
    Object[] link() {
        Ties ties = buffers.ties;
        return ties == null ? new Object[0] : new Object[] {ties.link()};
    }

    /** What lives from step to step, and in a step from micro-batch to micro-batch: where others store into too. */
    Object[] state() {
        Stream<Object> sent = buffers.sent.stream().flatMap(operand -> Arrays.stream(operand.arrays()));
        return Stream.concat(Arrays.stream(ofTies()), sent).toArray();
    }

    private Object[] ofTies() {
        Ties ties = buffers.ties;
        if (ties == null) {
            return new Object[0];
        }
        if (part.isStage()) {
            Stream<Object> landings = Stream.of(ties.state(), buffers.arrivals, buffers.predictions);
            return Stream.concat(landings, Arrays.stream(buffers.kept.arrays())).toArray();
        }
        if (!part.sharesWeights()) {
            return new Object[] {ties.state()};
        }
        return part.ownersHaveBothHalves()
                ? new Object[] {ties.state(), buffers.ownersConditioning, buffers.modulation, buffers.ownModulation}
                : new Object[] {ties.state(), buffers.modulation, buffers.ownModulation};
    }

    /** Arrays that are handed on, and what exchanges need with them. */
    Object[] with(Object... arrays) {
        return Stream.of(arrays, link(), state()).flatMap(Arrays::stream).toArray();
    }

    /** Before the first step. */
    void begin(GraphScope g, PortableOperations portable) {
        if (part.isWhole()) {
            return;
        }
        portable.fill(g, "exchanges", ties().state(), part.sharesWeights() ? OwnedWeights.STATE : Exchange.STATE, 0);
        if (part.isStage()) {
            portable.begin(g, "arrivals", buffers.start, buffers.arrivals);
            portable.begin(g, "predictions", buffers.start, buffers.predictions);
        }
        if (!buffers.sent.isEmpty()) {
            beginSent(g, "heads", buffers.headQkv, Exchange.HEADS);
            beginSent(g, "tokens", buffers.attended, Exchange.TOKENS);
        }
        if (part.isPatched()) {
            operations.beginOperand(g, "kept", buffers.kept, buffers.start);
        }
    }

    /** Has an operand come into being that devices send to one another, and tells them by way of the host where it is. */
    private void beginSent(GraphScope g, String task, Operand operand, int site) {
        operations.beginOperand(g, task, operand, buffers.start);
        IntArray landing = (IntArray) array(operand);
        g.task(
                task + "_tell",
                Work.moving(Long.BYTES, "tell"),
                Sending::single,
                graph -> graph.task(task + "_tell", Sending::tell, context, landing, ties().state(), site));
    }

    /** Queries, keys and values of some tokens and all heads become those of all tokens, and queries of more, and some heads. */
    void heads(GraphScope g) {
        if (!buffers.sent.isEmpty()) {
            return; // whoever makes them sends them
        }
        exchange(g, "attn_heads", Exchange.HEADS, array(buffers.qkv), array(buffers.headQkv));
    }

    /**
     * Attention's output of all queries and some heads becomes that of some tokens and all heads. All who have exchanged keys
     * meet, so that none sends the next block's while another one reads these.
     */
    void tokens(GraphScope g) {
        if (!buffers.sent.isEmpty()) {
            return;
        }
        // Where nothing comes, any array but the source: a task that is given an array twice would wait for itself.
        Operand landing = part.mesh().heads() == 1 ? buffers.headQkv : buffers.attended;
        exchange(g, "attn_tokens", Exchange.TOKENS, array(buffers.headAttended), array(landing));
    }

    /** What a norm has made of some tokens becomes that of the tokens of all who have other shares of the weights. */
    void normed(GraphScope g, String task) {
        exchange(g, task, Exchange.NORMED, array(buffers.normed), array(buffers.gathered));
    }

    /** Parts of sums, of all tokens, become all parts of the sums of some tokens. */
    void sums(GraphScope g, String task) {
        exchange(g, task, Exchange.SUMS, buffers.partialSums, buffers.partsOfSums);
    }

    /** The next micro-batch begins, where there are some. */
    void microBatch(GraphScope g, Object... sent) {
        DitBuffers b = buffers;
        if (!part.isStage()) {
            g.sendEach(b.batch);
            g.sendEach(sent);
            return;
        }
        g.sendEach(b.microBatches, b.allFrequencies, b.allIntervals);
        g.scratch(b.frequencies, b.intervals);
        int width = DitConfig.FREQUENCY_SIZE;
        g.task(
                "micro_batch",
                Work.moving(2.0 * Float.BYTES * part.microPasses() * width, "micro-batch", part.microPasses(), width),
                Handover::single,
                graph -> graph.task(
                        "micro_batch",
                        Handover::next,
                        context,
                        b.microBatches,
                        b.allFrequencies,
                        b.allIntervals,
                        b.batch,
                        b.frequencies,
                        b.intervals,
                        ties().state(),
                        part.mesh().microBatches(),
                        b.batch.getSize(),
                        width,
                        config.secondTime() ? 1 : 0));
    }

    /** The micro-batch's hidden states come from the stage before. */
    void hiddenStates(GraphScope g) {
        DitBuffers b = buffers;
        int elements = part.tokens().count() * config.hiddenSize();
        await(g, "x_arrives", Exchange.HIDDEN, b.arrivals, 1);
        g.task(
                "x",
                Work.moving(2.0 * Float.BYTES * part.microPasses() * elements, "take", part.microPasses(), elements),
                () -> Launch.elementwise(part.microPasses() * elements),
                graph -> graph.task("x", Handover::take, context, b.batch, b.arrivals, b.x, elements));
    }

    /** A patch's hidden states come from the stage before. */
    void arrive(GraphScope g) {
        if (!part.isFirstStage()) {
            await(g, "x_arrives", Exchange.HIDDEN, buffers.arrivals, 1);
        }
    }

    /** The next patch's hidden states, of those of all tokens. */
    void take(GraphScope g) {
        DitBuffers b = buffers;
        g.task(
                "patch",
                Work.moving(2.0 * Integer.BYTES, "next patch"),
                Handover::single,
                graph -> graph.task(
                        "patch",
                        TokenPatches::next,
                        context,
                        b.batch,
                        ties().state(),
                        part.mesh().patches()));
        copyPatch(
                g,
                "x",
                (graph, elements) -> graph.task(
                        "x",
                        TokenPatches::take,
                        context,
                        b.batch,
                        b.arrivals,
                        b.x,
                        elements,
                        elements * part.mesh().patches()));
    }

    /** And back. */
    void put(GraphScope g) {
        DitBuffers b = buffers;
        copyPatch(
                g,
                "x_put",
                (graph, elements) -> graph.task(
                        "x_put",
                        TokenPatches::put,
                        context,
                        b.batch,
                        b.arrivals,
                        b.x,
                        elements,
                        elements * part.mesh().patches()));
    }

    private void copyPatch(GraphScope g, String task, ObjIntConsumer<TaskGraph> emission) {
        int elements = part.tokensAtOnce() * config.hiddenSize();
        g.task(
                task,
                Work.moving(2.0 * Float.BYTES * part.microPasses() * elements, "take", part.microPasses(), elements),
                () -> Launch.elementwise(part.microPasses() * elements),
                graph -> emission.accept(graph, elements));
    }

    /** And go to the next. */
    void handOn(GraphScope g) {
        send(g, "x", Exchange.HIDDEN, buffers.x, buffers.x);
    }

    /** The micro-batch's predictions become each device's. */
    void handPredictions(GraphScope g) {
        send(g, "predictions", Exchange.PREDICTION, buffers.prediction, buffers.predictions);
    }

    /** All micro-batches' predictions are there. */
    void awaitPredictions(GraphScope g) {
        await(
                g,
                "predictions",
                Exchange.PREDICTION,
                buffers.predictions,
                part.mesh().microBatches() * part.mesh().patches());
    }

    /** All devices' predictions become each one's. */
    void predictions(GraphScope g) {
        exchange(g, "predictions", Exchange.PREDICTION, buffers.prediction, buffers.predictions);
    }

    /** What modulations of own blocks are made of, for devices that have other passes. */
    void conditioning(GraphScope g) {
        if (part.ownersHaveBothHalves()) {
            g.sendOnce(buffers.ownersBatch);
            exchange(g, "conditioning", Exchange.CONDITIONING, buffers.conditioning, buffers.ownersConditioning);
        }
    }

    private static Box box(int site, DitConfig config, Part part, Operations operations) {
        return switch (site) {
            case Exchange.PREDICTION -> predictions(config, part, 0);
            case Exchange.HEADS -> operations.toHeads(part, config.headSize());
            case Exchange.TOKENS -> operations.toTokens(part, config.headSize());
            case Exchange.NORMED -> operations.toProducts(part, config.hiddenSize());
            case Exchange.SUMS -> sums(config, part);
            case Exchange.HIDDEN -> hidden(config, part);
            case Exchange.CONDITIONING -> conditioning(config, part);
            default -> throw new IllegalArgumentException("no exchange " + site);
        };
    }

    /** @param before passes of other predictions that lie in front of all of a step's */
    private static Box predictions(DitConfig config, Part part, int before) {
        int run = part.tokensAtOnce() * config.patchOutputs();
        int pass = config.tokens() * config.patchOutputs();
        int first = (before + part.halves().first() * part.samples().count()) * pass
                + part.tokens().first() * config.patchOutputs();
        return new Box(1, 1, run, new Place(0, run, 0, 0), new Place(first, pass, run, 0));
    }

    private static Box sums(DitConfig config, Part part) {
        int run = part.tokens().count() * config.hiddenSize();
        int pass = part.productTokens().count() * config.hiddenSize();
        int first = part.place(Axis.TENSOR) * part.microPasses() * run;
        return new Box(1, 1, run, new Place(run, pass, 0, 0), new Place(first, run, 0, 0));
    }

    private static Box hidden(DitConfig config, Part part) {
        int run = part.tokensAtOnce() * config.hiddenSize();
        int pass = part.tokens().count() * config.hiddenSize();
        return new Box(1, 1, run, new Place(0, run, 0, 0), new Place(0, pass, run, 0));
    }

    private static Box conditioning(DitConfig config, Part part) {
        int run = config.hiddenSize();
        int first = part.halves().first() * part.passes() * run;
        return new Box(1, 1, run, new Place(0, run, 0, 0), new Place(first, run, 0, 0));
    }

    /** Of each device's box. */
    static Groups groups(int ranks) {
        return TornadoDevices.sdkIsPresent() ? Groups.ofGpu(ranks) : Groups.VIRTUAL;
    }

    private Ties ties() {
        return buffers.requireTies();
    }

    private void send(GraphScope g, String task, int site, FloatArray source, FloatArray landing) {
        int ranks = SITES.get(site).ranks(part);
        Box box = box(site, config, part, operations);
        Groups groups = groups(ranks);
        int passes = part.microPasses();
        g.task(
                task,
                Work.moving(2.0 * Float.BYTES * passes * box.elements(), HANDOVER, ranks, passes, box.elements()),
                () -> Exchange.grid(ranks, groups),
                graph -> graph.task(
                        task,
                        ties().throughHost() ? HostExchange::send : Handover::send,
                        context,
                        buffers.batch,
                        source,
                        landing,
                        ties().link(),
                        ties().state(),
                        site,
                        groups.groups()));
    }

    private void await(GraphScope g, String task, int site, FloatArray landing, int times) {
        int ranks = SITES.get(site).ranks(part);
        Groups groups = groups(ranks);
        if (ties().throughHost()) {
            awaitThroughHost(g, task, site, landing, times, ranks, groups);
            return;
        }
        g.task(
                task,
                Work.moving(0, "await", ranks, times),
                () -> Handover.waiting(ranks, groups),
                graph -> graph.task(
                        task,
                        Handover::await,
                        context,
                        landing,
                        ties().link(),
                        ties().state(),
                        site,
                        groups.groups(),
                        times));
    }

    private void awaitThroughHost(
            GraphScope g, String task, int site, FloatArray landing, int times, int ranks, Groups groups) {
        IntArray link = ties().link();
        IntArray state = ties().state();
        int number = groups.groups();
        g.task(task, Work.moving(0, "await", ranks, times), () -> Exchange.grid(ranks, groups), graph -> {
            if (site == Exchange.HIDDEN) {
                graph.task(task, HostExchange::await, context, buffers.batch, landing, link, state, site, number);
            } else {
                graph.task(task, HostExchange::awaitAll, context, landing, link, state, site, number, times);
            }
        });
    }

    private void exchange(GraphScope g, String task, int site, TornadoNativeArray source, TornadoNativeArray landing) {
        Ties ties = buffers.ties;
        int ranks = SITES.get(site).ranks(part);
        if (ties == null || ranks == 1) {
            return;
        }
        Box box = box(site, config, part, operations);
        Groups groups = groups(ranks);
        double bytes = 2.0 * Float.BYTES * ranks * part.microPasses() * box.elements();
        g.task(
                task,
                Work.moving(bytes, OPERATION, ranks, part.microPasses(), box.elements()),
                () -> Exchange.grid(ranks, groups),
                graph -> graph.task(
                        task,
                        ties.throughHost() ? HostExchange::exchange : Exchange::exchange,
                        context,
                        buffers.batch,
                        source,
                        landing,
                        ties.link(),
                        ties.state(),
                        site,
                        groups.groups()));
    }

    /** Fills {@link Ties#link} but for the addresses. */
    static void describe(IntArray link, DitConfig config, Part part, Operations operations) {
        Exchange.setPatience(link, patience(config, part));
        for (Site site : SITES) {
            if (site.ranks(part) > 1) {
                Box box = box(site.number(), config, part, operations);
                Exchange.describe(link, site.number(), site.rank(part), box);
            }
        }
        if (part.isStage()) {
            describeHandovers(link, part);
        }
    }

    /** Says that predictions come behind so many passes of others. */
    static void placePredictions(IntArray link, DitConfig config, Part part, int before) {
        Site site = SITES.get(Exchange.PREDICTION);
        Exchange.describe(link, site.number(), site.rank(part), predictions(config, part, before));
    }

    /**
     * How many seconds a device waits for another before it takes that one for lost: others may be a whole step ahead, or behind,
     * which takes the slowest devices a second for each 1e12 operations.
     */
    static int patience(DitConfig config, Part part) {
        double each = 24.0 * config.hiddenSize() * config.hiddenSize() * config.depth() * config.tokens();
        return (int) Math.min(
                600,
                Exchange.LEAST_PATIENCE
                        + each * part.samples().count() * part.halves().of() * 1e-12);
    }

    private static void describeHandovers(IntArray link, Part part) {
        int all = (1 << part.ranks()) - 1;
        int last = part.mesh().ranksAt(Axis.STAGES, part.mesh().stages() - 1);
        Exchange.handOver(link, Exchange.PREDICTION, part.isLastStage() ? all : 0, last);
        int stage = part.place(Axis.STAGES);
        int next = part.isLastStage() ? 0 : 1 << (stage + 1);
        int before = part.isFirstStage() ? 0 : 1 << (stage - 1);
        Exchange.handOver(link, Exchange.HIDDEN, next, before);
    }

    /** As {@link #describe}: where a device of the same crew has what others store into. */
    static void connect(IntArray link, Part part, Part other, IntArray state) {
        for (Site site : SITES) {
            if (site.joins(part, other)) {
                Exchange.connect(link, site.number(), site.rank(other), state);
            }
        }
    }

    /**
     * As {@link #connect}, where the host's memory lies between the devices.
     *
     * @param otherLink that of the other device
     * @param landing what stands for the other's arrays
     */
    static void connectThroughHost(IntArray link, Part part, Part other, IntArray otherLink, HostLanding landing) {
        for (Site site : SITES) {
            if (site.joins(part, other)) {
                int number = site.number();
                HostExchange.connect(
                        link, number, site.rank(other), otherLink, landing.sites()[number], landing.flags());
            }
        }
    }

    /** Elements of the array that the boxes of each site come to; 0 where none come. */
    static int[] landingElements(DitConfig config, DitBuffers buffers, Part part, Operations operations) {
        int[] elements = new int[SITES.size()];
        for (Site site : SITES) {
            int number = site.number();
            // What owners of weights exchange does not go through the host, see Link.
            boolean some = number != Exchange.CONDITIONING
                    && site.ranks(part) > 1
                    && box(number, config, part, operations).elements() > 0;
            elements[number] = some ? landing(buffers, number).getSize() : 0;
        }
        return elements;
    }

    /** What an operand is that devices exchange: one array. */
    private static TornadoNativeArray array(Operand operand) {
        return (TornadoNativeArray) operand.arrays()[0];
    }

    private static TornadoNativeArray landing(DitBuffers b, int site) {
        return switch (site) {
            case Exchange.PREDICTION -> b.predictions;
            case Exchange.HEADS -> array(b.headQkv);
            case Exchange.TOKENS -> array(b.attended);
            case Exchange.NORMED -> array(b.gathered);
            case Exchange.SUMS -> b.partsOfSums;
            case Exchange.HIDDEN -> b.arrivals;
            default -> throw new IllegalArgumentException("no exchange " + site);
        };
    }
}
