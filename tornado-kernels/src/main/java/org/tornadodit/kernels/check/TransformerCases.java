package org.tornadodit.kernels.check;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.AttentionArguments;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange;
import org.tornadodit.kernels.Exchange.Box;
import org.tornadodit.kernels.Exchange.Box.Place;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.ExchangeLoop;
import org.tornadodit.kernels.Handover;
import org.tornadodit.kernels.HeadNorm;
import org.tornadodit.kernels.HostExchange;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LayerNormArguments;
import org.tornadodit.kernels.LayerNormArguments.LayerStep;
import org.tornadodit.kernels.LayerNormArguments.Modulation;
import org.tornadodit.kernels.Linear;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.LinearArguments.After;
import org.tornadodit.kernels.LinearArguments.Stack;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.LinearFewRowsArguments;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.kernels.OwnedWeights.Item;
import org.tornadodit.kernels.OwnedWeightsLoop;
import org.tornadodit.kernels.PatchEmbedding;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.SumOfParts;
import org.tornadodit.kernels.Variant;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.TaskGraph;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the transformer's kernels. */
public final class TransformerCases {
    private TransformerCases() {}

    /** {@link Linear}; the gate's chunk is the third of six, as attention's gate in a block. */
    public static KernelCase linear(int m, int n, int k, int epilogue, int rowsPerSample) {
        FloatArray x = Data.random(1, m * k, 1);
        // The second of two layers.
        IntArray layer = Data.ints(1);
        FloatArray weight = Data.random(2, 2 * n * k, 1 / Math.sqrt(k));
        FloatArray bias = Data.random(3, n + Math.max(m, n), 1);
        FloatArray residual = Data.random(4, residualSize(m, n, epilogue, rowsPerSample), 1);
        int samples = Launch.ceilDiv(m, rowsPerSample);
        FloatArray gate = Data.random(5, samples * 12 * n, 1);
        FloatArray out = ArrayPages.floats(m * n);
        IntArray batch = Data.batch(samples);
        After after = switch (epilogue) {
            case Epilogue.ADD_TABLE -> After.addTable(residual, gate, rowsPerSample);
            case Epilogue.RESIDUAL -> After.residual(residual, gate, rowsPerSample);
            case Epilogue.GATE_RESIDUAL -> After.gateResidual(residual, gate, 2, 2 * LayerNorm.CHUNKS, rowsPerSample);
            default -> After.of(epilogue, gate, rowsPerSample);
        };
        LinearArguments arguments =
                new LinearArguments(layer, batch, x, weight, bias, out, new ProductShape(m, n, k), after, Stack.ONE);
        return new KernelCase(
                "linear " + epilogue,
                m + "x" + n + "x" + k,
                new Object[] {layer, batch, x, weight, bias, residual, gate},
                graph -> arguments.task(graph, "linear"),
                Map.of("linear", arguments.grid()),
                out,
                i -> Linear.reference(arguments, 0, i / n, i % n),
                productBound(k),
                2.0 * m * n * k,
                4.0 * ((double) m * k + (double) n * k + (double) m * n));
    }

    private static int residualSize(int m, int n, int epilogue, int rowsPerSample) {
        return switch (epilogue) {
            case Epilogue.ADD_TABLE -> rowsPerSample * n;
            case Epilogue.GATE_RESIDUAL, Epilogue.RESIDUAL -> m * n;
            default -> 1;
        };
    }

    /** FP32 sums of k products in one chain: the error grows with the square root of k. */
    static double productBound(int k) {
        return 3e-7 + 3e-8 * Math.sqrt(k);
    }

    public static KernelCase fewRows(int m, int n, int k, int epilogue) {
        return fewRowsVariants(m, n, k, epilogue)
                .apply(LinearFewRows.variants(m, n).getFirst());
    }

    /** {@link LinearFewRows} in any of its variants, all on the same arrays. */
    public static Function<Variant, KernelCase> fewRowsVariants(int m, int n, int k, int epilogue) {
        FloatArray x = Data.random(1, m * k, 1);
        // The second of two layers, or the first of one where it is all blocks' already.
        int layers = (long) n * k > 1 << 26 ? 1 : 2;
        IntArray layer = Data.ints(layers - 1);
        FloatArray weight = Data.random(2, layers * n * k, 1 / Math.sqrt(k));
        FloatArray bias = Data.random(3, layers * n, 1);
        FloatArray out = ArrayPages.floats(m * n);
        IntArray batch = Data.batch(m);
        ProductShape shape = new ProductShape(m, n, k);
        LinearArguments exact =
                new LinearArguments(layer, batch, x, weight, bias, out, shape, After.of(epilogue, bias, 1), Stack.ONE);
        return variant -> {
            LinearFewRowsArguments arguments =
                    new LinearFewRowsArguments(layer, batch, x, weight, bias, out, shape, epilogue, variant);
            return new KernelCase(
                    "linearFewRows " + epilogue,
                    m + "x" + n + "x" + k,
                    new Object[] {layer, batch, x, weight, bias},
                    graph -> arguments.task(graph, "linear"),
                    Map.of("linear", arguments.grid()),
                    out,
                    i -> Linear.reference(exact, 0, i / n, i % n),
                    productBound(k),
                    0,
                    4.0 * ((double) m * k + (double) n * k + (double) m * n));
        };
    }

    public static KernelCase attention(int samples, int tokens, int heads, int headSize) {
        return attention(new AttentionShape(samples, tokens, heads, headSize));
    }

    /** {@link org.tornadodit.kernels.Attention} of some queries. */
    public static KernelCase attention(AttentionShape shape) {
        int rows = shape.samples() * shape.tokens();
        int outRows = shape.samples() * shape.queries();
        IntArray batch = Data.batch(shape.samples());
        FloatArray qkv = Data.random(1, rows * 3 * shape.hidden(), 1.5);
        FloatArray out = ArrayPages.floats(outRows * shape.hidden());
        IntArray layer = Data.ints(1); // the second of two
        AttentionArguments arguments = new AttentionArguments(layer, batch, qkv, out, shape);
        return new KernelCase(
                "attention",
                shape.samples() + "x" + AttentionCases.of(shape) + "x" + shape.heads() + "x" + shape.headSize(),
                new Object[] {layer, batch, qkv},
                graph -> arguments.task(graph, "attention"),
                Map.of("attention", arguments.grid()),
                out,
                Attention.reference(qkv, shape),
                // At 1024 keys the scores' own sums are good to 8e-7, those along the keys to 6e-7. PyTorch's float32,
                // explicit or fused, is 9e-7 off for values of this deviation (H200, PyTorch 2.11); this kernel 1.0e-6.
                2e-6,
                4.0 * outRows * shape.tokens() * shape.hidden(),
                8.0 * (rows + outRows) * shape.hidden());
    }

    public static KernelCase layerNorm(int samples, int tokens, int hidden) {
        return layerNormVariants(samples, tokens, hidden).apply(LayerNorm.VARIANTS.getFirst());
    }

    /** {@link LayerNorm} in any of its variants, all on the same arrays. */
    public static Function<Variant, KernelCase> layerNormVariants(int samples, int tokens, int hidden) {
        int rows = samples * tokens;
        FloatArray x = Data.random(1, rows * hidden, 2);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, x.get(i) + 3f);
        }
        // The second of two layers.
        IntArray batch = Data.batch(samples);
        IntArray before = Data.ints(0);
        IntArray next = ArrayPages.ints(1);
        IntArray layer = Data.ints(1);
        FloatArray conditioning = Data.random(2, samples * 12 * hidden, 1);
        FloatArray out = ArrayPages.floats(rows * hidden);
        LayerNormArguments arguments = new LayerNormArguments(
                new LayerStep(before, 1, next),
                batch,
                x,
                new Modulation(conditioning, 3, 4, 2 * LayerNorm.CHUNKS),
                samples,
                tokens,
                hidden);
        return variant -> new KernelCase(
                "layerNorm",
                samples + "x" + tokens + "x" + hidden,
                new Object[] {before, batch, x, conditioning},
                graph -> arguments.task(graph, "norm", out, variant),
                Map.of("norm", arguments.grid(variant)),
                out,
                LayerNorm.reference(layer, x, conditioning, hidden, tokens, 3 * hidden, 4 * hidden, 12 * hidden),
                1e-6,
                0,
                8.0 * rows * hidden);
    }

    /** @param guided of the samples, the last ones; they take two passes each */
    public static KernelCase patchify(int samples, int guided, int channels, int size, int patch) {
        return patchifyVariants(samples, guided, channels, size, patch).apply(Launch.ELEMENTWISE_VARIANTS.getFirst());
    }

    /** {@link Embedding#patchify} in any of its launches, all on the same arrays. */
    public static Function<Variant, KernelCase> patchifyVariants(
            int samples, int guided, int channels, int size, int patch) {
        KernelContext context = new KernelContext();
        IntArray batch = guidedBatch(samples, guided, 0);
        FloatArray latents = Data.random(1, samples * channels * size * size, 1);
        FloatArray out = ArrayPages.floats((samples + guided) * channels * size * size);
        return variant -> new KernelCase(
                "patchify",
                samples + guided + "x" + channels + "x" + size + "/" + patch,
                new Object[] {batch, latents},
                graph -> graph.task(
                        "patchify",
                        Embedding::patchify,
                        context,
                        batch,
                        latents,
                        out,
                        channels,
                        size,
                        patch,
                        0,
                        size / patch * (size / patch)),
                Map.of("patchify", Launch.elementwise(out.getSize(), variant)),
                out,
                i -> Embedding.patchifyReference(batch, latents, channels, size, patch, i),
                0,
                0,
                8.0 * out.getSize());
    }

    /** @param guided of the samples, the last ones; they take two passes each */
    public static KernelCase condition(int samples, int guided, int hidden, int classes) {
        KernelContext context = new KernelContext();
        int passes = samples + guided;
        IntArray batch = guidedBatch(samples, guided, classes);
        FloatArray timestep = Data.random(1, passes * hidden, 1);
        FloatArray table = Data.random(2, (classes + 1) * hidden, 1);
        FloatArray out = ArrayPages.floats(passes * hidden);
        return new KernelCase(
                "condition",
                passes + "x" + hidden,
                new Object[] {batch, timestep, table},
                graph -> graph.task(
                        "condition", Embedding::condition, context, batch, timestep, table, out, 2 * samples, hidden),
                Map.of("condition", Launch.elementwise(out.getSize())),
                out,
                i -> Embedding.conditionReference(batch, timestep, table, 2 * samples, hidden, i),
                5e-7,
                0,
                8.0 * out.getSize());
    }

    /** {@link Embedding#conditionTwice}. */
    public static KernelCase conditionTwice(int samples, int guided, int hidden, int classes) {
        KernelContext context = new KernelContext();
        int passes = samples + guided;
        IntArray batch = guidedBatch(samples, guided, classes);
        FloatArray timestep = Data.random(1, passes * hidden, 1);
        FloatArray interval = Data.random(3, passes * hidden, 1);
        FloatArray table = Data.random(2, (classes + 1) * hidden, 1);
        FloatArray out = ArrayPages.floats(passes * hidden);
        return new KernelCase(
                "condition twice",
                passes + "x" + hidden,
                new Object[] {batch, timestep, interval, table},
                graph -> graph.task(
                        "condition",
                        Embedding::conditionTwice,
                        context,
                        batch,
                        timestep,
                        interval,
                        table,
                        out,
                        2 * samples,
                        hidden),
                Map.of("condition", Launch.elementwise(out.getSize())),
                out,
                i -> Embedding.conditionTwiceReference(batch, timestep, interval, table, 2 * samples, hidden, i),
                5e-7,
                0,
                12.0 * out.getSize());
    }

    /** {@link PatchEmbedding}; a pass more than there is has room. */
    public static KernelCase patchEmbedding(int passes, int tokens, int n, int k) {
        KernelContext context = new KernelContext();
        IntArray batch = Data.batch(passes);
        int rows = passes * tokens;
        FloatArray patches = Data.random(1, rows * k, 1);
        FloatArray weight = Data.random(2, n * k, 1);
        FloatArray bias = Data.random(3, n, 1);
        FloatArray positions = Data.random(4, tokens * n, 1);
        FloatArray out = ArrayPages.floats((rows + tokens) * n);
        LinearArguments exact = new LinearArguments(
                Data.ints(0),
                batch,
                patches,
                weight,
                bias,
                out,
                new ProductShape(rows, n, k),
                After.addTable(positions, bias, tokens),
                Stack.ONE);
        return new KernelCase(
                "patch embedding",
                rows + "x" + n + "x" + k,
                new Object[] {batch, patches, weight, bias, positions},
                graph -> graph.task(
                        "embed",
                        PatchEmbedding::embed,
                        context,
                        batch,
                        patches,
                        weight,
                        bias,
                        positions,
                        out,
                        n,
                        k,
                        tokens),
                Map.of("embed", PatchEmbedding.grid(rows + tokens, n)),
                out,
                rows * n,
                out::get,
                i -> Linear.reference(exact, 0, i / n, i % n),
                1e-6,
                2.0 * rows * n * k,
                4.0 * (rows * (k + n) + n * (k + tokens)));
    }

    /**
     * {@link Embedding#takeRows} of tables with {@code rows} rows; a pass more than there is has room.
     *
     * @param second whether the second table is looked at, or the first
     */
    public static KernelCase takeRows(int passes, int rows, int firstWidth, int secondWidth, boolean second) {
        KernelContext context = new KernelContext();
        IntArray batch = Data.batch(passes);
        int[] taken = new int[passes + 1];
        Arrays.setAll(taken, pass -> (5 * pass + 2) % rows);
        IntArray places = Data.ints(taken);
        FloatArray one = Data.random(1, rows * firstWidth, 1);
        FloatArray oneOut = ArrayPages.floats((passes + 1) * firstWidth);
        FloatArray other = Data.random(2, rows * secondWidth, 1);
        FloatArray otherOut = ArrayPages.floats((passes + 1) * secondWidth);
        FloatArray table = second ? other : one;
        FloatArray out = second ? otherOut : oneOut;
        int width = second ? secondWidth : firstWidth;
        return new KernelCase(
                "take rows",
                passes + " of " + rows + "x" + width,
                new Object[] {batch, places, one, other},
                graph -> graph.task(
                        "take",
                        Embedding::takeRows,
                        context,
                        batch,
                        places,
                        one,
                        oneOut,
                        other,
                        otherOut,
                        firstWidth,
                        secondWidth),
                Map.of("take", Embedding.takeGrid(passes + 1, firstWidth, secondWidth)),
                out,
                passes * width,
                out::get,
                i -> table.get(taken[i / width] * width + i % width),
                0,
                0,
                8.0 * passes * (firstWidth + secondWidth));
    }

    /** {@link HeadNorm#normalizeHeads}, of the second layer of two. */
    public static KernelCase headNorm(int passes, int tokens, int heads, int headSize) {
        KernelContext context = new KernelContext();
        IntArray batch = guidedBatch(passes, 0, 0);
        IntArray index = Data.ints(1);
        FloatArray qkv = Data.random(1, passes * tokens * 3 * heads * headSize, 1);
        FloatArray before = Data.copy(qkv);
        FloatArray norms = Data.random(2, 2 * 4 * headSize, 1);
        return new KernelCase(
                "head norm",
                passes * tokens + "x" + heads + "x" + headSize,
                new Object[] {index, batch, qkv, norms},
                graph -> graph.task(
                        "norm", HeadNorm::normalizeHeads, context, index, batch, qkv, norms, tokens, heads, headSize),
                Map.of("norm", Launch.elementwise(passes * tokens * 2 * heads)),
                qkv,
                i -> HeadNorm.reference(before, norms, 1, heads, headSize, i),
                2e-6,
                0,
                8.0 * qkv.getSize());
    }

    /** {@link SumOfParts} of so many devices, with the gate of the second of two layers; a pass more than there is has room. */
    public static KernelCase sumOfParts(int devices, int passes, int tokens, int columns) {
        KernelContext context = new KernelContext();
        int rows = (passes + 1) * tokens;
        int chunks = 2 * LayerNorm.CHUNKS;
        IntArray batch = Data.batch(passes);
        IntArray layer = Data.ints(1);
        FloatArray parts = Data.random(1, devices * rows * columns, 1);
        FloatArray gate = Data.random(2, passes * chunks * columns, 1);
        FloatArray residual = Data.random(3, rows * columns, 1);
        FloatArray before = Data.copy(residual);
        return new KernelCase(
                "sum of parts",
                devices + "x" + passes * tokens + "x" + columns,
                new Object[] {layer, batch, parts, gate, residual},
                graph -> graph.task(
                        "sum",
                        SumOfParts::addGated,
                        context,
                        layer,
                        batch,
                        parts,
                        gate,
                        residual,
                        devices,
                        rows,
                        tokens,
                        columns,
                        2,
                        chunks),
                Map.of("sum", SumOfParts.grid(rows, columns)),
                residual,
                i -> SumOfParts.reference(parts, gate, before, devices, passes, rows, tokens, columns, 2, chunks, i),
                3e-7,
                0,
                4.0 * (devices + 2) * passes * tokens * columns);
    }

    /** {@link OwnedWeights#push} of one array on one device; what is sent comes in the room behind what was there. */
    public static KernelCase ownedWeights(Item item, int half, Groups groups) {
        KernelContext context = new KernelContext();
        int size = item.fromHalf() + Math.max(1, item.runs() - 1) * item.fromRun() + item.fromSlot() + item.run();
        FloatArray source = Data.random(1, size, 1);
        FloatArray target = Data.random(2, 2 * item.toSlot() + item.runs() * Math.max(item.toRun(), item.run()), 1);
        FloatArray before = Data.copy(target);
        IntArray link = Data.ints(new int[OwnedWeights.LINK]);
        OwnedWeightsLoop.describe(link, item, half);
        IntArray state = Data.ints(new int[OwnedWeights.STATE]);
        IntArray readerState = Data.ints(new int[OwnedWeights.STATE]);
        IntArray arrived = Data.ints(new int[Exchange.MOST_GROUPS]);
        return new KernelCase(
                "owned weights",
                item.runs() + "x" + item.run() + (half == 0 ? "" : " of the second half"),
                new Object[] {source, target, link, state, readerState, arrived},
                graph -> graph.task(
                                "connect",
                                OwnedWeightsLoop::connect,
                                context,
                                source,
                                target,
                                link,
                                readerState,
                                item.source(),
                                item.target())
                        .task("push", OwnedWeights::push, context, link, state, 0, groups.groups())
                        .task("arrive", OwnedWeightsLoop::arrive, context, readerState, arrived, groups.groups()),
                Map.of(
                        "connect",
                        Launch.elementwise(1),
                        "push",
                        OwnedWeights.grid(2, groups),
                        "arrive",
                        OwnedWeights.waiting()),
                target,
                i -> {
                    int from = OwnedWeightsLoop.sourceOf(item, half, i);
                    return from < 0 ? before.get(i) : source.get(from);
                },
                0,
                0,
                8.0 * item.elements());
    }

    /**
     * {@link Exchange} of two devices through memory between them, on one device; what is checked is what the second has got.
     *
     * @param handOver whether it is a {@link Handover} instead
     * @param passes of the batch
     * @param run floats of a pass, a multiple of 4
     */
    public static KernelCase throughHost(boolean handOver, int passes, int run, Groups groups) {
        KernelContext context = new KernelContext();
        int first = handOver ? 1 : 0;
        // Of each pass a place for both devices' runs; from the source each device gets a run of its own.
        Place from = new Place(run, 2 * run, 0, 0);
        Box from0 = new Box(1, 1, run, from, new Place(0, 2 * run, 0, 0));
        Box from1 = new Box(1, 1, run, from, new Place(run, 2 * run, 0, 0));
        FloatArray source = Data.random(1, 2 * passes * run, 1);
        FloatArray landing0 = Data.random(2, 2 * (first + passes) * run, 1);
        FloatArray landing1 = Data.random(3, 2 * (first + passes) * run, 1);
        FloatArray before = Data.copy(landing1);
        FloatArray between = Data.random(4, 2 * (first + passes) * run, 1);
        IntArray batch = guidedBatch(passes, 0, 0);
        batch.set(Batch.FIRST, first);
        IntArray link0 = Data.ints(new int[HostExchange.LINK]);
        IntArray link1 = Data.ints(new int[HostExchange.LINK]);
        IntArray state0 = Data.ints(new int[Exchange.STATE]);
        IntArray state1 = Data.ints(new int[Exchange.STATE]);
        IntArray flags0 = Data.ints(new int[Exchange.STATE]);
        IntArray flags1 = Data.ints(new int[Exchange.STATE]);
        ExchangeLoop.describe(link0, link1, flags0, from0, from1);
        int site = ExchangeLoop.SITE;
        return new KernelCase(
                handOver ? "handover through the host" : "exchange through the host",
                passes + "x" + run,
                new Object[] {batch, source, landing0, landing1, between, link0, link1, state0, state1, flags0, flags1},
                graph -> {
                    TaskGraph connected = graph.task(
                            "connect", ExchangeLoop::connect, context, between, link0, link1, flags0, flags1);
                    if (handOver) {
                        return connected
                                .task(
                                        "send",
                                        HostExchange::send,
                                        context,
                                        batch,
                                        source,
                                        landing0,
                                        link0,
                                        state0,
                                        site,
                                        groups.groups())
                                .task(
                                        "get",
                                        HostExchange::await,
                                        context,
                                        batch,
                                        landing1,
                                        link1,
                                        state1,
                                        site,
                                        groups.groups());
                    } else {
                        return connected
                                .task(
                                        "send",
                                        HostExchange::exchange,
                                        context,
                                        batch,
                                        source,
                                        landing0,
                                        link0,
                                        state0,
                                        site,
                                        groups.groups())
                                .task(
                                        "get",
                                        HostExchange::exchange,
                                        context,
                                        batch,
                                        source,
                                        landing1,
                                        link1,
                                        state1,
                                        site,
                                        groups.groups());
                    }
                },
                Map.of(
                        "connect",
                        Launch.elementwise(1),
                        "send",
                        ExchangeLoop.grid(groups),
                        "get",
                        ExchangeLoop.grid(groups)),
                landing1,
                i -> {
                    int pass = i / (2 * run) - first;
                    boolean of0 = i / run % 2 == 0;
                    // What goes to the second device: from the first, and in an exchange from itself; a handover sends
                    // all the same.
                    return pass < 0 || (handOver && !of0)
                            ? before.get(i)
                            : source.get(pass * 2 * run + (handOver ? 0 : run) + i % run);
                },
                0,
                0,
                8.0 * passes * run);
    }

    private static IntArray guidedBatch(int samples, int guided, int classes) {
        int[] labels = new int[samples];
        boolean[] twice = new boolean[samples];
        for (int i = 0; i < samples; i++) {
            labels[i] = classes == 0 ? 0 : i * 37 % classes;
            twice[i] = i >= samples - guided;
        }
        return Data.batch(labels, twice, classes);
    }
}
