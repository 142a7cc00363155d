package org.tornadodit.kernels.check;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntFunction;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.Linear;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.Sending;
import org.tornadodit.kernels.SendingLoop;
import org.tornadodit.kernels.TensorAttentionArguments;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.TensorLinearArguments;
import org.tornadodit.kernels.TensorLinearArguments.SentHeads;
import org.tornadodit.kernels.TensorLinearArguments.Spare;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.WorkerGrid;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of kernels that are {@link Sending}: one device stands for all; what is checked is what one of them has got. */
final class SendingCases {
    private static final KernelContext CONTEXT = new KernelContext();

    private SendingCases() {}

    /** Two that have different heads, two that have different queries, and four of both; borders of tiles and of devices' tokens. */
    static List<Supplier<KernelCase>> all() {
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        for (int planes : new int[] {1, 2, Packed.MIXED}) {
            int slabs = planes == Packed.MIXED ? 2 : 1;
            cases.add(() -> heads(new Crew(2, 2, 0), 2, 48, 4, 24, planes, new Tile(128, 96, slabs, 0)));
            cases.add(() -> heads(new Crew(2, 1, 1), 3, 48, 4, 8, planes, new Tile(128, 80, slabs, 0)));
            cases.add(() -> heads(new Crew(4, 2, 3), 1, 288, 4, 16, planes, new Tile(128, 96, slabs, 0)));
            cases.add(() -> tokens(new Crew(2, 2, 1), 2, 48, 4, 24, planes));
            cases.add(() -> tokens(new Crew(2, 1, 0), 1, 144, 2, 16, planes));
            cases.add(() -> tokens(new Crew(4, 2, 2), 1, 160, 4, 16, planes));
        }
        cases.add(() -> heads(new Crew(2, 2, 1), 2, 80, 4, 72, 1, new Tile(64, 216, 2, 1)));
        cases.add(() -> heads(new Crew(2, 2, 0), 2, 80, 4, 72, 2, new Tile(64, 144, 1, 1)));
        return cases;
    }

    /**
     * @param near see {@link Sending}
     * @param receiver whose arrays are looked at
     */
    record Crew(int ranks, int near, int receiver) {
        @Override
        public String toString() {
            return ranks + "/" + near + "." + receiver;
        }
    }

    /** Links and flags of all, and the tasks that tell them where arrays are. */
    private record Ties(Crew crew, int site, List<IntArray> landings, List<IntArray> links, List<IntArray> states) {
        Ties(Crew crew, int site, List<IntArray> landings) {
            this(
                    crew,
                    site,
                    landings,
                    each(crew, rank -> Data.ints(new int[Exchange.LINK])),
                    each(crew, rank -> Data.ints(new int[Exchange.STATE])));
            for (int rank = 0; rank < crew.ranks(); rank++) {
                SendingLoop.describe(links.get(rank), crew.ranks(), rank);
            }
        }

        static List<IntArray> each(Crew crew, IntFunction<IntArray> array) {
            return IntStream.range(0, crew.ranks()).mapToObj(array).toList();
        }

        Sending of(int rank) {
            return new Sending(links.get(rank), crew.ranks(), crew.near());
        }

        TaskGraph connect(TaskGraph graph) {
            TaskGraph result = graph;
            for (int rank = 0; rank < crew.ranks(); rank++) {
                for (int peer = 0; peer < crew.ranks(); peer++) {
                    result = result.task(
                            name(rank, peer),
                            SendingLoop::connect,
                            CONTEXT,
                            landings.get(peer),
                            states.get(peer),
                            links.get(rank),
                            peer);
                }
            }
            return result;
        }

        TaskGraph await(TaskGraph graph) {
            return graph.task("await", SendingLoop::await, CONTEXT, links.get(crew.receiver()), site, crew.ranks());
        }

        void grids(Map<String, WorkerGrid> grids) {
            grids.put("await", Sending.single());
            for (int rank = 0; rank < crew.ranks(); rank++) {
                for (int peer = 0; peer < crew.ranks(); peer++) {
                    grids.put(name(rank, peer), Sending.single());
                }
            }
        }

        private static String name(int rank, int peer) {
            return "connect_" + rank + "_" + peer;
        }

        Object[] with(List<?> others) {
            List<Object> all = new ArrayList<>(others);
            all.addAll(landings);
            all.addAll(links);
            all.addAll(states);
            return all.toArray();
        }
    }

    /** {@link TensorLinear} of each device's tokens. */
    static KernelCase heads(Crew crew, int passes, int tokens, int heads, int headSize, int planes, Tile tile) {
        int hidden = heads * headSize;
        int n = 3 * hidden;
        int k = 64;
        int ownHeads = heads / crew.near();
        int own = tokens / crew.ranks();
        int m = passes * own;
        int halves = Packed.halves(planes);
        FloatArray weight = Data.random(2, n * k, 1.0 / Math.sqrt(k));
        FloatArray bias = Data.random(3, n, 1);
        PackedWeights packed = PackedWeights.of(List.of(segment(weight)), List.of(segment(bias)), n, k, planes);
        IntArray batch = Data.batch(passes);
        IntArray layer = Data.ints(0);
        IntArray overflow = ArrayPages.ints(Overflow.KINDS);
        overflow.init(0);
        Ties ties = new Ties(
                crew,
                Exchange.HEADS,
                Ties.each(crew, rank -> before(3 * passes * tokens * ownHeads * headSize / 2 * halves)));
        List<TensorLinearArguments> products = new ArrayList<>();
        List<LinearArguments> exact = new ArrayList<>();
        List<Object> inputs = new ArrayList<>(List.of(layer, batch, packed.weight(), packed.bias(), overflow));
        FloatArray noFloats = ArrayPages.floats(1);
        ProductShape shape = new ProductShape(m, n, k);
        Map<String, WorkerGrid> grids = new HashMap<>();
        for (int rank = 0; rank < crew.ranks(); rank++) {
            FloatArray x = Data.random(10 + rank, m * k, 1);
            IntArray xPacked = ArrayPages.ints(Packed.size(m, k, planes));
            PackedWeights.packActivations(x.getSegment(), xPacked, m, k, planes);
            inputs.add(xPacked);
            products.add(new TensorLinearArguments(
                    layer,
                    batch,
                    xPacked,
                    packed.weight(),
                    packed.bias(),
                    new SentHeads(ties.of(rank), heads),
                    overflow,
                    shape,
                    own,
                    planes,
                    tile,
                    tile.blocks(m, n, 3),
                    new Spare(noFloats, ties.landings().get(rank)),
                    null));
            exact.add(new LinearArguments(
                    layer,
                    batch,
                    x,
                    weight,
                    bias,
                    noFloats,
                    shape,
                    LinearArguments.After.of(Epilogue.BIAS, bias, own),
                    LinearArguments.Stack.ONE));
            grids.put("linear_" + rank, products.get(rank).grid());
        }
        inputs.add(noFloats);
        ties.grids(grids);
        IntArray landing = ties.landings().get(crew.receiver());
        IntArray first = before(landing.getSize());
        int columns = 3 * ownHeads * headSize;
        IntToDoubleFunction untouched = TensorCases.headsOf(first, passes, tokens, ownHeads, columns, halves);
        return new KernelCase(
                "tensorLinear heads sent " + planes + " " + crew + " " + tile.rows() + "x" + tile.columns(),
                m + "x" + n + "x" + k,
                ties.with(inputs),
                graph -> {
                    TaskGraph result = ties.connect(graph);
                    for (int rank = 0; rank < crew.ranks(); rank++) {
                        result = products.get(rank).task(result, "linear_" + rank);
                    }
                    return ties.await(result);
                },
                grids,
                landing,
                passes * tokens * columns,
                TensorCases.headsOf(landing, passes, tokens, ownHeads, columns, halves),
                i -> {
                    int token = i / columns % tokens;
                    int sender = token / own;
                    int kind = i % columns / (ownHeads * headSize);
                    if (kind == 0 && sender / crew.near() != crew.receiver() / crew.near()) {
                        return untouched.applyAsDouble(i); // others have these queries
                    }
                    int column = kind * hidden
                            + crew.receiver() % crew.near() * ownHeads * headSize
                            + i % columns % (ownHeads * headSize);
                    return Linear.reference(exact.get(sender), 0, i / columns / tokens * own + token % own, column);
                },
                planes == Packed.MIXED
                        ? TensorCases.MIXED_BOUND
                        : planes == 2 ? TransformerCases.productBound(k) : 4e-4,
                2.0 * crew.ranks() * m * n * k,
                4.0 * crew.ranks() * m * n);
    }

    /** {@link org.tornadodit.kernels.WarpgroupAttention} of each device's heads and queries. */
    static KernelCase tokens(Crew crew, int passes, int tokens, int heads, int headSize, int planes) {
        int ownHeads = heads / crew.near();
        int queries = tokens / (crew.ranks() / crew.near());
        int own = queries / crew.near();
        int hidden = heads * headSize;
        int halves = Packed.halves(planes);
        IntArray batch = Data.batch(passes);
        IntArray layer = Data.ints(0);
        IntArray overflow = ArrayPages.ints(Overflow.KINDS);
        overflow.init(0);
        Tiling tiling = Tiling.of(headSize, halves, tokens);
        Ties ties = new Ties(
                crew, Exchange.TOKENS, Ties.each(crew, rank -> before(Packed.size(passes * own, hidden, planes))));
        List<TensorAttentionArguments> attentions = new ArrayList<>();
        List<IntToDoubleFunction> exact = new ArrayList<>();
        List<Object> inputs = new ArrayList<>(List.of(layer, batch, overflow));
        Map<String, WorkerGrid> grids = new HashMap<>();
        for (int rank = 0; rank < crew.ranks(); rank++) {
            AttentionShape shape =
                    new AttentionShape(passes, tokens, ownHeads, headSize, rank / crew.near() * queries, queries);
            FloatArray qkv = Data.random(20 + rank, passes * tokens * 3 * shape.hidden(), 1.5);
            IntArray packed = TensorCases.heads(qkv, passes, tokens, ownHeads, headSize, halves);
            inputs.add(packed);
            attentions.add(new TensorAttentionArguments(
                    packed,
                    ties.landings().get(rank),
                    layer,
                    batch,
                    overflow,
                    shape,
                    halves,
                    planes,
                    tiling,
                    tiling.blocks(shape, 3),
                    ties.of(rank)));
            exact.add(Attention.reference(qkv, shape));
            grids.put("attention_" + rank, attentions.get(rank).grid());
        }
        ties.grids(grids);
        IntArray landing = ties.landings().get(crew.receiver());
        int group = crew.receiver() / crew.near() * crew.near();
        return new KernelCase(
                "warpgroupAttention sent " + planes + " " + crew,
                passes + "x" + tokens + "x" + heads + "x" + headSize,
                ties.with(inputs),
                graph -> {
                    TaskGraph result = ties.connect(graph);
                    for (int rank = 0; rank < crew.ranks(); rank++) {
                        result = attentions.get(rank).task(result, "attention_" + rank);
                    }
                    return ties.await(result);
                },
                grids,
                landing,
                passes * own * hidden,
                TensorCases.operand(landing, passes * own, hidden, planes),
                i -> {
                    int head = i % hidden / headSize;
                    int row = i / hidden;
                    int query = crew.receiver() % crew.near() * own + row % own;
                    int at = (row / own * queries + query) * ownHeads + head % ownHeads;
                    return exact.get(group + head / ownHeads).applyAsDouble(at * headSize + i % headSize);
                },
                planes == Packed.MIXED ? TensorCases.MIXED_BOUND : planes == 2 ? 2e-6 : 2e-3,
                4.0 * passes * tokens * tokens * hidden,
                4.0 * passes * tokens * hidden);
    }

    private static MemorySegment segment(FloatArray array) {
        return array.getSegment();
    }

    /** What is there before: halves of 1 and 2. */
    private static IntArray before(int size) {
        IntArray array = ArrayPages.ints(size);
        array.init(0x3c004000);
        return array;
    }
}
