package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.List;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.kernels.OwnedWeights.Item;
import org.tornadodit.kernels.OwnedWeights.Ownership;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.scheduler.graph.DitBuffers.Ties;
import org.tornadodit.scheduler.plan.Axis;
import org.tornadodit.scheduler.plan.Part;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * Weights that come from the devices which own them, as tasks; nothing where a device has all that it computes with. See {@link
 * OwnedWeights}.
 *
 * <p>A block's modulations are made by its owner, for the passes of all who share the weights, and come with its weights: they
 * are far less than what makes them.
 */
final class OwnedBlocks {
    /** What launches are called that send weights. */
    static final String OPERATION = "push";

    private static final int CHUNKS = 6;

    private final DitConfig config;
    private final DitBuffers buffers;
    private final Part part;
    private final KernelContext context = new KernelContext();

    OwnedBlocks(DitConfig config, DitBuffers buffers, Part part) {
        this.config = config;
        this.buffers = buffers;
        this.part = part;
    }

    private boolean isShared() {
        return part.sharesWeights();
    }

    private Ties ties() {
        return buffers.requireTies();
    }

    private Groups groups() {
        return Exchanges.groups(part.mesh().owners());
    }

    /** Before the first step. */
    void begin(GraphScope g) {
        if (!isShared()) {
            return;
        }
        int elements = 1;
        FloatArray conditioning = buffers.noConditioning;
        if (part.ownersHaveBothHalves()) {
            elements = part.ownersPasses() * config.hiddenSize();
            conditioning = buffers.ownersConditioning;
        } else {
            g.scratch(conditioning);
        }
        begin(g, conditioning, elements);
    }

    private void begin(GraphScope g, FloatArray conditioning, int elements) {
        g.task(
                "owned",
                Work.moving((double) Float.BYTES * elements, "begin owned", elements),
                () -> Launch.elementwise(elements),
                graph -> graph.task(
                        "owned",
                        OwnedWeights::begin,
                        context,
                        conditioning,
                        buffers.modulation,
                        buffers.ownModulation,
                        elements));
    }

    /** Modulations of own blocks and passes go to their slots, and the first block to all. */
    void beginStep(GraphScope g) {
        if (!isShared()) {
            return;
        }
        int columns = CHUNKS * config.hiddenSize();
        int blocks = part.ownLayers().size();
        int elements = part.passes() * blocks * columns;
        g.task(
                "modulation",
                Work.moving(2.0 * Float.BYTES * elements, "spread", part.passes(), blocks, columns),
                () -> Launch.elementwise(elements),
                graph -> graph.task(
                        "modulation",
                        OwnedWeights::spread,
                        context,
                        buffers.ownModulation,
                        buffers.modulation,
                        ties().link(),
                        ties().state(),
                        part.firstOwnPass(),
                        part.passes(),
                        blocks,
                        part.slots(),
                        columns));
        push(g, 0);
    }

    /** The next block's weights go to all, and this one's are waited for. */
    void beginBlock(GraphScope g, DitDeviceWeights w) {
        if (!isShared()) {
            return;
        }
        push(g, 1);
        Ties ties = ties();
        FloatArray norms = w.headNorms();
        if (norms == null) {
            g.scratch(buffers.noNorms);
        }
        FloatArray last = norms == null ? buffers.noNorms : norms;
        int groups = groups().groups();
        g.task("weights", Work.moving(0, "take", part.mesh().owners(), groups), OwnedWeights::waiting, graph -> {
            graph.task(
                    "weights",
                    OwnedWeights::take,
                    context,
                    ties.link(),
                    ties.state(),
                    buffers.mlp.index(),
                    buffers.overflow,
                    w.qkv().weight(),
                    w.projection().weight(),
                    w.fc1().weight(),
                    w.fc2().weight(),
                    w.qkv().bias(),
                    w.projection().bias(),
                    w.fc1().bias(),
                    w.fc2().bias(),
                    last,
                    groups);
        });
    }

    private void push(GraphScope g, int ahead) {
        int owners = part.mesh().owners();
        Groups groups = groups();
        String task = "weights_push";
        g.task(
                task,
                Work.moving(0, OPERATION, owners, ahead),
                () -> OwnedWeights.grid(owners, groups),
                graph -> graph.task(
                        task, OwnedWeights::push, context, ties().link(), ties().state(), ahead, groups.groups()));
    }

    /** Writes into a link what is sent of a block. */
    static void describe(IntArray link, DitConfig config, Part part, Operations operations) {
        if (!part.sharesWeights()) {
            return;
        }
        Ownership ownership = part.ownership();
        int width = config.hiddenSize();
        int mlp = config.mlpHidden();
        int bytes = operations.grain().elementBytes();
        int scales = operations.grain().scales();
        List<Item> items = new ArrayList<>();
        List<int[]> layers = List.of(
                new int[] {3 * width, width}, new int[] {width, width}, new int[] {mlp, width}, new int[] {width, mlp
                }); // (out, in)
        for (int i = 0; i < layers.size(); i++) {
            int[] layer = layers.get(i);
            items.add(new Item(i, Math.multiplyExact(layer[0], layer[1]) / Float.BYTES * bytes));
            items.add(new Item(layers.size() + i, layer[0] + scales));
        }
        if (config.qkNorm()) {
            items.add(new Item(2 * layers.size(), 4 * config.headSize()));
        }
        int columns = CHUNKS * width;
        int own = ownership.own();
        items.add(new Item(
                OwnedWeights.OWN_MODULATION,
                OwnedWeights.MODULATION,
                part.passes(),
                columns,
                part.ownersHaveBothHalves() ? part.passes() * own * columns : 0,
                own * columns,
                columns,
                part.slots() * columns,
                columns));
        OwnedWeights.describe(link, ownership, items.toArray(new Item[0]));
    }

    /** Writes into a link where a device of the same crew has its arrays. */
    static void connect(IntArray link, Part part, Part other, IntArray state) {
        if (part.sharesWeightsWith(other)) {
            int half = part.ownersHaveBothHalves() ? other.place(Axis.HALVES) : 0;
            OwnedWeights.connect(link, other.ownership().place(), half, state);
        }
    }
}
