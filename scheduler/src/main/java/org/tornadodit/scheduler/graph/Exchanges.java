package org.tornadodit.scheduler.graph;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.device.TornadoDevices;
import org.tornadodit.scheduler.graph.DitBuffers.Ties;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Part;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** What a device exchanges in a step with those that hold the same samples, as tasks; nothing where it holds them alone. */
final class Exchanges {
    /** What its launches are called. */
    static final String OPERATION = "exchange";

    /** All that there can be. */
    static final List<Site> SITES = List.of(
            new Site(Exchange.PREDICTION, Axis.HALVES, Axis.HEADS, Axis.TENSOR),
            new Site(Exchange.HEADS, Axis.HEADS),
            new Site(Exchange.TOKENS, Axis.HEADS),
            new Site(Exchange.NORMED, Axis.TENSOR),
            new Site(Exchange.SUMS, Axis.TENSOR));

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

    /** What lives from step to step. */
    Object[] state() {
        Ties ties = buffers.ties;
        return ties == null ? new Object[0] : new Object[] {ties.state()};
    }

    /** Arrays that are handed on, and what exchanges need with them. */
    Object[] with(Object... arrays) {
        Ties ties = buffers.ties;
        return ties == null
                ? arrays
                : Stream.concat(Arrays.stream(arrays), Arrays.stream(ties.arrays()))
                        .toArray();
    }

    /** Before the first step. */
    void begin(GraphScope g, PortableOperations portable) {
        Ties ties = buffers.ties;
        if (ties != null) {
            portable.fill(g, "exchanges", ties.state(), Exchange.STATE, 0);
        }
    }

    /** Queries, keys and values of some tokens and all heads become those of all tokens and some heads. */
    void heads(GraphScope g) {
        exchange(
                g,
                "attn_heads",
                Exchange.HEADS,
                buffers.qkv.arrays()[0],
                buffers.headQkv.arrays()[0]);
    }

    /** Attention's output of all tokens and some heads becomes that of some tokens and all heads. */
    void tokens(GraphScope g) {
        exchange(
                g,
                "attn_tokens",
                Exchange.TOKENS,
                buffers.headAttended.arrays()[0],
                buffers.attended.arrays()[0]);
    }

    /** What a norm has made of some tokens becomes that of the tokens of all who have other shares of the weights. */
    void normed(GraphScope g, String task) {
        exchange(
                g,
                task,
                Exchange.NORMED,
                buffers.normed.arrays()[0],
                buffers.gathered.arrays()[0]);
    }

    /** Parts of sums, of all tokens, become all parts of the sums of some tokens. */
    void sums(GraphScope g, String task) {
        exchange(g, task, Exchange.SUMS, buffers.partialSums, buffers.partsOfSums);
    }

    /** All devices' predictions become each one's. */
    void predictions(GraphScope g) {
        exchange(g, "predictions", Exchange.PREDICTION, buffers.prediction, buffers.predictions);
    }

    private static Box box(int site, DitConfig config, Part part, Operations operations) {
        return switch (site) {
            case Exchange.PREDICTION -> predictions(config, part);
            case Exchange.HEADS -> operations.toHeads(part, config.headSize());
            case Exchange.TOKENS -> operations.toTokens(part, config.headSize());
            case Exchange.NORMED -> operations.toProducts(part, config.hiddenSize());
            case Exchange.SUMS -> sums(config, part);
            default -> throw new IllegalArgumentException("no exchange " + site);
        };
    }

    private static Box predictions(DitConfig config, Part part) {
        int run = part.tokens().count() * config.patchOutputs();
        int pass = config.tokens() * config.patchOutputs();
        int first = part.halves().first() * part.samples().count() * pass
                + part.tokens().first() * config.patchOutputs();
        return new Box(1, 1, run, new Place(0, run, 0, 0), new Place(first, pass, 0, 0));
    }

    private static Box sums(DitConfig config, Part part) {
        int run = part.tokens().count() * config.hiddenSize();
        int pass = part.productTokens().count() * config.hiddenSize();
        int first = part.place(Axis.TENSOR) * part.passes() * run;
        return new Box(1, 1, run, new Place(run, pass, 0, 0), new Place(first, run, 0, 0));
    }

    private void exchange(GraphScope g, String task, int site, Object source, Object landing) {
        Ties ties = buffers.ties;
        int ranks = SITES.get(site).ranks(part);
        if (ties == null || ranks == 1) {
            return;
        }
        Box box = box(site, config, part, operations);
        Groups groups = TornadoDevices.sdkIsPresent() ? Groups.ofGpu(ranks) : Groups.VIRTUAL;
        double bytes = 2.0 * Float.BYTES * ranks * part.passes() * box.elements();
        g.task(
                task,
                Work.moving(bytes, OPERATION, ranks, part.passes(), box.elements()),
                () -> Exchange.grid(ranks, groups),
                graph -> {
                    if (source instanceof IntArray from && landing instanceof IntArray to) {
                        graph.task(
                                task,
                                Exchange::exchange,
                                context,
                                buffers.batch,
                                from,
                                to,
                                ties.link(),
                                ties.state(),
                                site,
                                groups.groups());
                    } else {
                        graph.task(
                                task,
                                Exchange::exchangeFloats,
                                context,
                                buffers.batch,
                                (FloatArray) source,
                                (FloatArray) landing,
                                ties.link(),
                                ties.state(),
                                site,
                                groups.groups());
                    }
                });
    }

    /** Fills {@link Ties#link} but for the addresses. */
    static void describe(IntArray link, DitConfig config, Part part, Operations operations) {
        for (Site site : SITES) {
            if (site.ranks(part) > 1) {
                Box box = box(site.number(), config, part, operations);
                Exchange.describe(link, site.number(), site.ranks(part), site.rank(part), box);
            }
        }
    }

    /** As {@link #describe}: where a device of the same crew has what others store into. */
    static void connect(IntArray link, Part part, Part other, IntArray state) {
        for (Site site : SITES) {
            if (site.joins(part, other)) {
                Exchange.connect(link, site.number(), site.rank(other), state);
            }
        }
    }
}
