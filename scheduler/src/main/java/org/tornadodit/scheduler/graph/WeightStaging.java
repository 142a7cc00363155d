package org.tornadodit.scheduler.graph;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.kernels.ConvolutionWeights;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.WeightJobs;
import org.tornadodit.kernels.WeightJobs.Sent;
import org.tornadodit.kernels.WeightPacking;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.DevicePlan;
import org.tornadodit.scheduler.graph.StagedWeights.Convolution;
import org.tornadodit.scheduler.graph.StagedWeights.Floats;
import org.tornadodit.scheduler.graph.StagedWeights.Product;
import uk.ac.manchester.tornado.api.GridScheduler;
import uk.ac.manchester.tornado.api.ImmutableTaskGraph;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;
import uk.ac.manchester.tornado.api.types.arrays.TornadoNativeArray;

/**
 * The way of weights from a checkpoint to arrays that live on the device only: tensors are copied, as many as have room, into
 * an array that all take in turn, sent, and put in their places there. Two graphs of the plan whose graph reads the weights:
 *
 * <pre>
 *   own     the arrays come into being               once
 *   load    what was sent is put in its place        as often as it takes
 * </pre>
 *
 * TornadoVM hands an array on from the graph that ran last. So the two run between the graph that would run before the
 * reader and the reader, and hand on what that one hands on; the reader keeps the weights' arrays from then on.
 */
final class WeightStaging {
    /** How many graphs {@link #build} makes. */
    static final int GRAPHS = 2;

    /**
     * Arrays that all groups of weights use which are sent one after the other.
     *
     * @param sent what tensors pass through
     * @param jobs what is to be done with them
     * @param ints stand where a kernel has more arrays than there are: each once, for TornadoVM would wait for ever for a task
     *     that writes an array before it is given it again
     * @param floats likewise
     */
    record Passage(FloatArray sent, IntArray jobs, List<IntArray> ints, List<FloatArray> floats) {
        /** Ints that are sent at a time, where no tensor that has to be sent as a whole is larger: 32 MB. */
        private static final long ROOM = 8L << 20;

        /** For groups of weights. */
        static Passage of(ArraySource arrays, List<List<StagedWeights>> groups) {
            long whole = 0;
            long largestGroup = 0;
            for (List<StagedWeights> group : groups) {
                whole = Math.max(
                        whole,
                        group.stream().mapToLong(StagedWeights::whole).max().orElse(0));
                largestGroup = Math.max(
                        largestGroup,
                        group.stream().mapToLong(StagedWeights::elements).sum());
            }
            return new Passage(
                    arrays.floats(Math.max(whole, Math.min(ROOM, largestGroup))),
                    arrays.ints(WeightJobs.size()),
                    Stream.generate(() -> arrays.deviceInts(Product.MOST_BEYOND))
                            .limit(WeightPacking.PACKED_ARRAYS - 1)
                            .toList(),
                    Stream.generate(() -> arrays.deviceFloats(1))
                            .limit(WeightPacking.FLOAT_ARRAYS - 1)
                            .toList());
        }
    }

    private final String name;
    private final @Nullable String before;
    private final Object[] carried;
    private final List<StagedWeights> weights;
    private final KernelContext context = new KernelContext();
    private final Passage passage;
    private final WeightJobs jobs;
    private final List<IntArray> packed;
    /** Of each of {@link #packed}: where the factors go that undo scales. */
    private final List<FloatArray> undo;

    private final List<FloatArray> floats;
    private final @Nullable Convolution convolutions;
    private final FloatArray maxima;
    private final long elements;
    private final int groups;
    /** Ints of {@link Passage#sent} that are taken. */
    private int used;

    /**
     * @param arrays where the device's array comes from that layers pass through
     * @param name of the graphs, which are {@code name + "own"} and {@code name + "load"}
     * @param before name of the graph that runs before them; null for none
     * @param carried what that one hands on
     * @param weights that are to be sent
     */
    WeightStaging(
            ArraySource arrays,
            Passage passage,
            String name,
            @Nullable String before,
            Object[] carried,
            List<StagedWeights> weights) {
        this.name = name;
        this.before = before;
        this.carried = carried;
        this.weights = List.copyOf(weights);
        this.passage = passage;
        this.jobs = new WeightJobs(passage.jobs());
        this.packed = distinct(of(Product.class).map(Product::target));
        this.undo = packed.stream()
                .map(array -> of(Product.class)
                        .filter(product -> product.target() == array)
                        .findFirst()
                        .orElseThrow()
                        .undo())
                .toList();
        this.floats = distinct(of(Floats.class).map(Floats::target));
        this.convolutions = of(Convolution.class).findFirst().orElse(null);
        if (packed.size() > WeightPacking.PACKED_ARRAYS) {
            throw new IllegalArgumentException(packed.size() + " arrays of packed weights");
        }
        this.elements = weights.stream().mapToLong(StagedWeights::elements).sum();
        this.groups = WeightPacking.groups(
                weights.stream().mapToLong(StagedWeights::largest).max().orElse(1));
        this.maxima = arrays.deviceFloats((long) WeightJobs.SLOTS * groups);
    }

    private <T extends StagedWeights> Stream<T> of(Class<T> kind) {
        return weights.stream().filter(kind::isInstance).map(kind::cast);
    }

    private static <A> List<A> distinct(Stream<A> arrays) {
        Set<A> seen = Collections.newSetFromMap(new IdentityHashMap<>());
        return arrays.filter(seen::add).toList();
    }

    /** The graph after which the reader runs. */
    String last() {
        return name + "load";
    }

    /** What the reader takes from it. */
    Object[] arrays() {
        Stream<TornadoNativeArray> operands = Stream.concat(packed.stream(), undo.stream());
        Stream<TornadoNativeArray> others =
                convolutions == null ? Stream.of() : Stream.of(convolutions.target(), convolutions.undo());
        return distinct(Stream.concat(Stream.concat(operands, others), floats.stream()))
                .toArray();
    }

    /** The arrays that the two graphs share; in this order, since releasing stops at what another graph has released. */
    private Object[] own() {
        return Stream.concat(Stream.of(maxima), Stream.of(arrays())).toArray();
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
        if (before != null) {
            g.consume(before, carried);
        }
        if (!packed.isEmpty()) {
            // What the last tile of a product reads beyond the weights.
            int beyond = of(Product.class).mapToInt(Product::beyond).max().orElseThrow();
            clear(g, "operands", packed, beyond);
        }
        if (convolutions != null) {
            clear(g, "convolutions", List.of(convolutions.target()), 1);
        }
        List<FloatArray> arrays = new ArrayList<>();
        for (Object array : own()) {
            if (array instanceof FloatArray each) {
                arrays.add(each);
            }
        }
        for (int first = 0; first < arrays.size(); first += WeightPacking.FLOAT_ARRAYS) {
            List<FloatArray> f = some(g, arrays, first, WeightPacking.FLOAT_ARRAYS, passage.floats());
            String task = "floats" + first;
            g.task(
                    task,
                    Work.moving((double) Float.BYTES * f.size(), "clear", f.size()),
                    () -> Launch.elementwise(1),
                    graph -> graph.task(
                            task,
                            WeightPacking::touch,
                            context,
                            f.get(0),
                            f.get(1),
                            f.get(2),
                            f.get(3),
                            f.get(4),
                            f.get(5),
                            f.get(6),
                            f.get(7),
                            f.get(8),
                            f.get(9)));
        }
        g.keep(own());
        g.keep(carried);
    }

    /** So many arrays from one on, others for those that are not there. */
    private static <A> List<A> some(GraphScope g, List<A> arrays, int first, int count, List<A> others) {
        List<A> there = arrays.subList(first, Math.min(first + count, arrays.size()));
        List<A> standing = others.subList(0, count - there.size());
        g.scratch(standing.toArray());
        return Stream.concat(there.stream(), standing.stream()).toList();
    }

    private void clear(GraphScope g, String task, List<IntArray> arrays, int last) {
        List<IntArray> p = some(g, arrays, 0, WeightPacking.PACKED_ARRAYS, passage.ints());
        g.task(
                task,
                Work.moving((double) Integer.BYTES * last * arrays.size(), "clear", last),
                () -> Launch.elementwise(last),
                graph -> graph.task(
                        task,
                        WeightPacking::clear,
                        context,
                        p.get(0),
                        p.get(1),
                        p.get(2),
                        p.get(3),
                        p.get(0).getSize() - last,
                        p.get(1).getSize() - last,
                        p.get(2).getSize() - last,
                        p.get(3).getSize() - last,
                        last));
    }

    private void load(GraphScope g) {
        g.consume(name + "own", own());
        g.consume(name + "own", carried);
        g.consume(last(), own());
        g.consume(last(), carried);
        FloatArray sent = passage.sent();
        IntArray numbers = passage.jobs();
        g.sendEach(sent, numbers);
        double bytes = (double) Float.BYTES * elements;
        if (!packed.isEmpty() || convolutions != null) {
            g.task(
                    "largest",
                    Work.moving(bytes, "largest", groups),
                    () -> WeightPacking.grid(groups),
                    graph -> graph.task("largest", WeightPacking::largest, context, numbers, sent, maxima, groups));
        }
        if (!packed.isEmpty()) {
            List<IntArray> p = some(g, packed, 0, WeightPacking.PACKED_ARRAYS, passage.ints());
            List<FloatArray> u = some(g, undo, 0, WeightPacking.PACKED_ARRAYS, passage.floats());
            int planes = of(Product.class).findFirst().orElseThrow().planes();
            g.task(
                    "pack",
                    Work.moving(2 * bytes, "packWeights", planes, groups),
                    () -> WeightPacking.grid(groups),
                    graph -> graph.task(
                            "pack",
                            WeightPacking::pack,
                            context,
                            numbers,
                            sent,
                            maxima,
                            p.get(0),
                            u.get(0),
                            p.get(1),
                            u.get(1),
                            p.get(2),
                            u.get(2),
                            p.get(3),
                            u.get(3),
                            planes,
                            groups));
        }
        if (convolutions != null) {
            Convolution one = convolutions;
            g.task(
                    "convolutions",
                    Work.moving(2 * bytes, "packConvolutions", one.planes(), groups),
                    () -> WeightPacking.grid(groups),
                    graph -> graph.task(
                            "convolutions",
                            ConvolutionWeights::pack,
                            context,
                            numbers,
                            sent,
                            maxima,
                            one.target(),
                            one.undo(),
                            one.planes(),
                            groups));
        }
        for (int i = 0; i < floats.size(); i += WeightPacking.FLOAT_ARRAYS) {
            int first = i;
            List<FloatArray> f = some(g, floats, first, WeightPacking.FLOAT_ARRAYS, passage.floats());
            g.task(
                    "copy" + first,
                    Work.moving(2 * bytes, "copyWeights", groups),
                    () -> WeightPacking.grid(groups),
                    graph -> graph.task(
                            "copy" + first,
                            WeightPacking::copy,
                            context,
                            numbers,
                            first,
                            sent,
                            f.get(0),
                            f.get(1),
                            f.get(2),
                            f.get(3),
                            f.get(4),
                            f.get(5),
                            f.get(6),
                            f.get(7),
                            f.get(8),
                            f.get(9),
                            groups));
        }
        g.keep(own());
        g.keep(carried);
    }

    /**
     * Sends all weights. To be called when the graph before has run, and followed by the reader.
     *
     * @param first index of the first of {@link #build}'s graphs in the plan
     */
    void run(DevicePlan plan, int first) {
        plan.execute(first);
        Runnable execution = () -> {
            plan.execute(first + 1);
            begin();
        };
        begin();
        for (StagedWeights each : weights) {
            switch (each) {
                case Floats copied -> copy(copied, execution);
                case Product product -> pack(product, execution);
                case Convolution convolution -> pack(convolution, execution);
            }
        }
        if (jobs.count() > 0) {
            execution.run();
        }
    }

    private void begin() {
        used = 0;
        jobs.clear();
    }

    /** Has what is waiting sent, where it leaves no room for so many elements or for a job. */
    private void makeRoom(long wanted, Runnable execution) {
        if (jobs.count() == WeightJobs.MOST || passage.sent().getSize() - used < wanted) {
            if (jobs.count() > 0) {
                execution.run();
            }
        }
    }

    /** Copies elements behind those that are waiting. */
    private Sent put(WeightValues values, long first, int count) {
        MemorySegment memory = passage.sent().getSegment();
        values.copyTo(first, memory.asSlice((long) Float.BYTES * used, (long) Float.BYTES * count));
        Sent sent = new Sent(used, count);
        used += count;
        return sent;
    }

    private int room() {
        return passage.sent().getSize() - used;
    }

    private void copy(Floats copied, Runnable execution) {
        int target = floats.indexOf(copied.target());
        long elements = copied.elements();
        if (copied.lastChannels() > 0) {
            makeRoom(elements, execution);
            jobs.channelsLast(target, put(copied.values(), 0, (int) elements), copied.at(), copied.lastChannels());
            return;
        }
        for (long done = 0; done < elements; ) {
            makeRoom(1, execution);
            int count = (int) Math.min(room(), elements - done);
            jobs.copy(target, put(copied.values(), done, count), Math.toIntExact(copied.at() + done));
            done += count;
        }
    }

    private void pack(Product product, Runnable execution) {
        int target = packed.indexOf(product.target());
        int columns = product.columns();
        List<WeightValues> layers = product.layers();
        if (layers.size() == 1
                && product.elsewhere().isEmpty()
                && layers.getFirst().elements() <= passage.sent().getSize()) {
            int elements = (int) layers.getFirst().elements();
            makeRoom(elements, execution);
            Sent sent = put(layers.getFirst(), 0, elements);
            jobs.pack(target, sent, product.at(), product.rows(), columns, product.undoAt());
            return;
        }
        // One scale for all: it is known when the last has been sent.
        int row = 0;
        for (WeightValues layer : layers) {
            int rows = (int) (layer.elements() / columns);
            for (int done = 0; done < rows; ) {
                makeRoom(8L * columns, execution);
                int some = Math.min(room() / columns / 8 * 8, rows - done);
                Sent sent = put(layer, (long) done * columns, some * columns);
                int at = product.at() + (row + done) / 8 * Packed.eightRows(product.planes());
                jobs.place(target, sent, at, product.rows(), columns, row + done == 0);
                done += some;
            }
            row += rows;
        }
        for (WeightValues other : product.elsewhere()) {
            look(other, execution);
        }
        // In a launch of its own: other work groups put in place what one packs, and the next such scale has the same
        // place.
        execution.run();
        jobs.packPlaced(target, row * columns, product.at(), product.rows(), columns, product.undoAt());
        execution.run();
    }

    private void look(WeightValues values, Runnable execution) {
        long elements = values.elements();
        for (long done = 0; done < elements; ) {
            makeRoom(1, execution);
            int count = (int) Math.min(room(), elements - done);
            jobs.look(put(values, done, count));
            done += count;
        }
    }

    private void pack(Convolution convolution, Runnable execution) {
        int elements = (int) convolution.elements();
        makeRoom(elements, execution);
        jobs.convolution(
                put(new WeightValues.Whole(convolution.weight()), 0, elements),
                convolution.at(),
                convolution.out(),
                convolution.in(),
                convolution.taps(),
                convolution.undoAt(),
                convolution.undoTimes());
    }
}
