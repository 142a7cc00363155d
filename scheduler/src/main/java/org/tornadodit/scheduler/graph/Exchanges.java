package org.tornadodit.scheduler.graph;

import java.util.Arrays;
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
        if (!part.heads().isWhole()) {
            exchange(
                    g,
                    "attn_heads",
                    Exchange.HEADS,
                    part.mesh().heads(),
                    operations.toHeads(part, config.headSize()),
                    buffers.qkv.arrays()[0],
                    buffers.headQkv.arrays()[0]);
        }
    }

    /** Attention's output of all tokens and some heads becomes that of some tokens and all heads. */
    void tokens(GraphScope g) {
        if (!part.heads().isWhole()) {
            exchange(
                    g,
                    "attn_tokens",
                    Exchange.TOKENS,
                    part.mesh().heads(),
                    operations.toTokens(part, config.headSize()),
                    buffers.headAttended.arrays()[0],
                    buffers.attended.arrays()[0]);
        }
    }

    /** All devices' predictions become each one's. */
    void predictions(GraphScope g) {
        if (!part.isWhole()) {
            exchange(
                    g,
                    "predictions",
                    Exchange.PREDICTION,
                    part.ranks(),
                    predictions(config, part),
                    buffers.prediction,
                    buffers.predictions);
        }
    }

    private static Box predictions(DitConfig config, Part part) {
        int run = part.tokens().count() * config.patchOutputs();
        int pass = config.tokens() * config.patchOutputs();
        int first = part.halves().first() * part.samples().count() * pass
                + part.tokens().first() * config.patchOutputs();
        return new Box(1, 1, run, new Place(0, run, 0, 0), new Place(first, pass, 0, 0));
    }

    private void exchange(GraphScope g, String task, int site, int ranks, Box box, Object source, Object landing) {
        Ties ties = buffers.ties;
        if (ties == null) {
            throw new IllegalStateException("an exchange of a device that is alone");
        }
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
        Exchange.describe(link, Exchange.PREDICTION, part.ranks(), part.rank(), predictions(config, part));
        if (!part.heads().isWhole()) {
            int ranks = part.mesh().heads();
            int rank = part.place(Axis.HEADS);
            Exchange.describe(link, Exchange.HEADS, ranks, rank, operations.toHeads(part, config.headSize()));
            Exchange.describe(link, Exchange.TOKENS, ranks, rank, operations.toTokens(part, config.headSize()));
        }
    }
}
