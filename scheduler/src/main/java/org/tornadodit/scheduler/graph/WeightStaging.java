package org.tornadodit.scheduler.graph;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.function.BiFunction;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.WeightPacking;
import org.tornadodit.model.Linear;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.DevicePlan;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The way of weights from a checkpoint to arrays that live on the device only: one layer after the other is copied into an
 * array that all take in turn, sent, and packed there. Two graphs of the plan whose graph reads the weights:
 *
 * <pre>
 *   own     the arrays come into being               once
 *   load    a layer is sent and put in its place     for each layer
 * </pre>
 *
 * TornadoVM hands an array on from the graph that ran last. So the two run between the graph that would run before the
 * reader and the reader, and hand on what that one hands on; the reader keeps the weights' arrays from then on.
 */
final class WeightStaging {
    /** How many graphs {@link #build} makes. */
    static final int GRAPHS = 2;

    private final String name;
    private final String before;
    private final Object[] carried;
    private final List<ProductWeights> weights;
    private final KernelContext context = new KernelContext();
    private final FloatArray staging;
    private final IntArray job;
    private final FloatArray maxima;
    private final long elements;
    private final int groups;

    /**
     * @param arrays where those come from that layers pass through
     * @param name of the graphs, which are {@code name + "own"} and {@code name + "load"}
     * @param before name of the graph that runs before them
     * @param carried what that one hands on
     * @param weights with layers that are to be staged
     */
    WeightStaging(ArraySource arrays, String name, String before, Object[] carried, List<ProductWeights> weights) {
        this.name = name;
        this.before = before;
        this.carried = carried;
        this.weights = List.copyOf(weights);
        long largest = 0;
        long room = 0;
        for (ProductWeights w : weights) {
            long layer = (long) w.staged().out() * w.in();
            largest = Math.max(largest, layer);
            room = Math.max(room, layer + w.staged().out());
        }
        this.job = arrays.ints(WeightPacking.LENGTH);
        this.elements = room;
        this.staging = arrays.floats(elements);
        this.groups = WeightPacking.groups(largest);
        this.maxima = arrays.deviceFloats(groups);
    }

    /** The graph after which the reader runs. */
    String last() {
        return name + "load";
    }

    /** What the reader takes from it. */
    Object[] arrays() {
        return weights.stream()
                .flatMap(w -> List.of(w.weight(), w.bias()).stream())
                .toArray();
    }

    /** The arrays that the two graphs share. */
    private Object[] own() {
        Object[] arrays = arrays();
        Object[] own = new Object[arrays.length + 1];
        own[0] = maxima; // releasing stops at an array that the reader has released
        System.arraycopy(arrays, 0, own, 1, arrays.length);
        return own;
    }

    /** Both graphs, in the order in which they run. */
    List<ImmutableTaskGraph> build(GridScheduler grids) {
        TaskGraphScope own = new TaskGraphScope(name + "own", grids);
        own(own);
        TaskGraphScope load = new TaskGraphScope(last(), grids);
        load(load);
        return List.of(own.snapshot(), load.snapshot());
    }

    /** Writes the graphs, which are no part of a step, into other scopes than task graphs. */
    void walk(BiFunction<String, Integer, GraphScope> scopes) {
        own(scopes.apply(name + "own", 0));
        load(scopes.apply(last(), 0));
    }

    private void own(GraphScope g) {
        g.consume(before, carried);
        for (int i = 0; i < weights.size(); i++) {
            ProductWeights w = weights.get(i);
            switch (w.weight()) {
                case IntArray packed -> {
                    // What the last tile of a product reads beyond the weights.
                    int beyond = w.staged().beyond();
                    String task = "weight" + i;
                    g.task(
                            task,
                            Work.moving((double) Integer.BYTES * beyond, "clear", beyond),
                            () -> Launch.elementwise(beyond),
                            graph -> graph.task(
                                    task, WeightPacking::clear, context, packed, packed.getSize() - beyond, beyond));
                }
                case FloatArray floats -> clearFirst(g, "weight" + i, floats);
                default -> throw new IllegalArgumentException("weights in " + w.weight());
            }
            clearFirst(g, "bias" + i, w.bias());
        }
        clearFirst(g, "maxima", maxima);
        g.keep(own());
        g.keep(carried);
    }

    private void clearFirst(GraphScope g, String task, FloatArray array) {
        g.task(
                task,
                Work.moving(Float.BYTES, "clear", 1),
                () -> Launch.elementwise(1),
                graph -> graph.task(task, WeightPacking::clearFloats, context, array, 0, 1));
    }

    private void load(GraphScope g) {
        g.consume(name + "own", own());
        g.consume(name + "own", carried);
        g.consume(last(), own());
        g.consume(last(), carried);
        g.sendEach(staging, job);
        if (weights.stream().anyMatch(w -> w.staged().planes() > 0)) {
            g.task(
                    "largest",
                    Work.moving((double) Float.BYTES * elements, "largest", groups),
                    () -> WeightPacking.grid(groups),
                    graph -> graph.task("largest", WeightPacking::largest, context, job, staging, maxima, groups));
        }
        for (int i = 0; i < weights.size(); i++) {
            ProductWeights w = weights.get(i);
            StagedLayers layers = w.staged();
            int target = i;
            double floats = (double) layers.out() * w.in();
            if (layers.planes() == 0) {
                g.task(
                        "copy" + i,
                        Work.moving(2 * Float.BYTES * floats, "copyWeights", layers.out(), w.in()),
                        () -> WeightPacking.grid(groups),
                        graph -> graph.task(
                                "copy" + target,
                                WeightPacking::copy,
                                context,
                                job,
                                target,
                                staging,
                                w.floats(),
                                w.bias(),
                                layers.out() * w.in(),
                                layers.out(),
                                groups));
            } else {
                g.task(
                        "pack" + i,
                        Work.moving((Float.BYTES + 2 * layers.planes()) * floats, "packWeights", layers.out(), w.in()),
                        () -> WeightPacking.grid(groups),
                        graph -> graph.task(
                                "pack" + target,
                                WeightPacking::pack,
                                context,
                                job,
                                target,
                                staging,
                                maxima,
                                w.packed(),
                                w.bias(),
                                layers.out(),
                                w.out(),
                                w.in(),
                                layers.planes(),
                                groups));
            }
        }
        g.keep(own());
        g.keep(carried);
    }

    /**
     * Sends all layers. To be called when the graph before has run, and followed by the reader.
     *
     * @param first index of the first of {@link #build}'s graphs in the plan
     */
    void run(DevicePlan plan, int first) {
        plan.execute(first);
        for (int target = 0; target < weights.size(); target++) {
            ProductWeights w = weights.get(target);
            StagedLayers layers = w.staged();
            if (layers.together() && layers.planes() > 0) {
                // One scale for all: they are looked at before the first is packed.
                for (int i = 0; i < layers.layers().size(); i++) {
                    send(plan, first + 1, layers.layers().get(i), WeightPacking.NONE, w, i, i > 0, true);
                }
            }
            for (int i = 0; i < layers.layers().size(); i++) {
                send(plan, first + 1, layers.layers().get(i), target, w, i, layers.together(), !layers.together());
            }
        }
    }

    private void send(
            DevicePlan plan,
            int graph,
            Linear layer,
            int target,
            ProductWeights w,
            int index,
            boolean keep,
            boolean scan) {
        StagedLayers layers = w.staged();
        int weights = layers.out() * w.in();
        MemorySegment memory = staging.getSegment();
        layer.weight().copyTo(memory.asSlice(0, 4L * weights));
        layer.bias().copyTo(memory.asSlice(4L * weights, 4L * layers.out()));
        job.set(WeightPacking.TARGET, target);
        job.set(WeightPacking.SCANNED, scan && layers.planes() > 0 ? weights : 0);
        job.set(WeightPacking.KEEP, keep ? 1 : 0);
        job.set(WeightPacking.WEIGHT_AT, index * layers.weightStride(w.in()));
        job.set(WeightPacking.BIAS_AT, index * layers.biasStride());
        job.set(WeightPacking.SCALE_AT, layers.together() ? w.out() : index * layers.biasStride() + layers.out());
        plan.execute(graph);
    }

    /**
     * Layers that are yet to be sent to their array.
     *
     * @param layers of the same sizes
     * @param planes of halves that they are packed in; 0 where they stay floats
     * @param together whether they become one layer with all of their outputs
     */
    record StagedLayers(List<Linear> layers, int planes, boolean together) {
        StagedLayers {
            layers = List.copyOf(layers);
        }

        /** Outputs of one. */
        int out() {
            return layers.getFirst().out();
        }

        /** Ints that the last tile reads beyond the weights. */
        int beyond() {
            return 256 * 8 * planes;
        }

        /** From one layer's first weight to the next one's. */
        private int weightStride(int in) {
            if (planes == 0) {
                return out() * in;
            }
            return together ? out() * 8 * planes : out() * (in / 2) * planes;
        }

        /** From one layer's first bias to the next one's. */
        private int biasStride() {
            return together || planes == 0 ? out() : out() + 1;
        }
    }
}
