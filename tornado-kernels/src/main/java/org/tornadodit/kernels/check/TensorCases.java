package org.tornadodit.kernels.check;

import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LayerNormArguments;
import org.tornadodit.kernels.LayerNormArguments.LayerStep;
import org.tornadodit.kernels.LayerNormArguments.Modulation;
import org.tornadodit.kernels.LayerNormArguments.PackedOut;
import org.tornadodit.kernels.Linear;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.Mixed;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.MmaLinear;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedLayerNorm;
import org.tornadodit.kernels.PackedRows;
import org.tornadodit.kernels.PackedWeights;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.ProductTile;
import org.tornadodit.kernels.TensorLinear;
import org.tornadodit.kernels.TensorLinearArguments;
import org.tornadodit.kernels.TensorLinearArguments.Bias;
import org.tornadodit.kernels.TensorLinearArguments.GateResidual;
import org.tornadodit.kernels.TensorLinearArguments.Gelu;
import org.tornadodit.kernels.TensorLinearArguments.Heads;
import org.tornadodit.kernels.TensorLinearArguments.Spare;
import org.tornadodit.kernels.ptx.Halves;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the transformer's kernels that use tensor cores or write what those read. */
public final class TensorCases {
    /** An H200's; on the host any number does. */
    static final int MULTIPROCESSORS = 132;

    /** Of products of {@link Mixed} operands. */
    static final double MIXED_BOUND = 2e-5;

    private TensorCases() {}

    /** {@link PackedLayerNorm}. */
    public static KernelCase layerNorm(int samples, int tokens, int hidden, int planes) {
        int rows = samples * tokens;
        FloatArray x = Data.random(1, rows * hidden, 2);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, x.get(i) + 3f);
        }
        FloatArray conditioning = Data.random(2, samples * 12 * hidden, 1);
        IntArray batch = Data.batch(samples);
        IntArray before = Data.ints(0);
        IntArray next = ArrayPages.ints(1);
        IntArray layer = Data.ints(1);
        IntArray overflow = ArrayPages.ints(2 * Overflow.KINDS);
        overflow.init(0);
        IntArray out = ArrayPages.ints(Packed.size(rows, hidden, planes));
        LayerNormArguments arguments = new LayerNormArguments(
                new LayerStep(before, 1, next),
                batch,
                x,
                new Modulation(conditioning, 3, 4, 2 * LayerNorm.CHUNKS),
                samples,
                tokens,
                hidden);
        return new KernelCase(
                "packedLayerNorm " + planes,
                samples + "x" + tokens + "x" + hidden,
                new Object[] {x, conditioning, before, batch, overflow},
                graph -> arguments.packedTask(graph, "norm", new PackedOut(out, planes, overflow, Overflow.ATTENTION)),
                Map.of("norm", arguments.packedGrid()),
                out,
                rows * hidden,
                operand(out, rows, hidden, planes),
                LayerNorm.reference(layer, x, conditioning, hidden, tokens, 3 * hidden, 4 * hidden, 12 * hidden),
                planes == Packed.MIXED ? MIXED_BOUND : planes == 2 ? 1e-6 : 4e-4,
                0,
                (4.0 + 2.0 * Packed.halves(planes)) * rows * hidden);
    }

    /** {@link PackedRows}. */
    public static KernelCase packedRows(int rows, int columns, int planes) {
        KernelContext context = new KernelContext();
        FloatArray x = Data.random(1, rows * columns, 1);
        IntArray layer = Data.ints(0);
        IntArray batch = Data.batch(rows);
        IntArray overflow = ArrayPages.ints(Overflow.KINDS);
        IntArray out = ArrayPages.ints(Packed.size(rows, columns, planes));
        return new KernelCase(
                "packedRows " + planes,
                rows + "x" + columns,
                new Object[] {x, layer, batch, overflow},
                graph -> graph.task(
                        "pack",
                        PackedRows::pack,
                        context,
                        x,
                        out,
                        layer,
                        batch,
                        overflow,
                        rows,
                        columns,
                        planes,
                        Overflow.CONDITIONING),
                Map.of("pack", PackedRows.grid(rows, columns)),
                out,
                rows * columns,
                operand(out, rows, columns, planes),
                x::get,
                planes == 2 ? 1e-6 : 4e-4,
                0,
                (4.0 + 2.0 * planes) * rows * columns);
    }

    /** {@link TensorLinear} with its default tile. */
    public static KernelCase linear(int m, int n, int k, int epilogue, int tokens, int heads, int planes) {
        return linear(
                m, n, k, epilogue, tokens, heads, planes, TensorLinear.tile(planes, m, n, k, MULTIPROCESSORS), "");
    }

    /** {@link TensorLinear}; the gate's chunk is the third of six, as attention's gate in a block. */
    public static KernelCase linear(
            int m, int n, int k, int epilogue, int tokens, int heads, int planes, ProductTile tile, String suffix) {
        return linears(m, n, k, epilogue, tokens, heads, planes, MULTIPROCESSORS, suffix)
                .apply(tile);
    }

    /** {@link TensorLinear} with so few work groups that each does several tiles. */
    static KernelCase linear(
            int m, int n, int k, int epilogue, int tokens, int planes, ProductTile tile, int workGroups) {
        FloatArray x = Data.random(1, m * k, 1);
        FloatArray weight = Data.random(2, 2 * n * k, 1 / Math.sqrt(k));
        return linears(m, n, k, epilogue, tokens, 1, planes, " " + words(tile), x, weight, workGroups)
                .apply(tile);
    }

    /** A tile in a word. */
    static String words(ProductTile tile) {
        return switch (tile) {
            case TensorLinear.Tile(int rows, int columns, int slabs, int turns, int below, int beside) ->
                rows + "x" + columns + "x" + slabs + "x" + turns + "x" + below + "x" + beside;
            case MmaLinear.Tile(
                    int rows,
                    int columns,
                    int warpRows,
                    int warpColumns,
                    int slabs,
                    int stages,
                    MmaForm form) ->
                "%dx%d by %dx%d, %d slabs in %d stages, %s"
                        .formatted(rows, columns, warpRows, warpColumns, slabs, stages, form);
        };
    }

    /** {@link TensorLinear} or {@link MmaLinear} with any tile, all on the same arrays but for those that are written. */
    static Function<ProductTile, KernelCase> linears(
            int m, int n, int k, int epilogue, int tokens, int heads, int planes, int multiprocessors, String suffix) {
        FloatArray x = Data.random(1, m * k, 1);
        FloatArray weight = Data.random(2, layers(n, k) * n * k, 1 / Math.sqrt(k));
        return linears(m, n, k, epilogue, tokens, heads, planes, suffix, x, weight, multiprocessors);
    }

    /** Two, of which the second is used, unless they are too large. */
    private static int layers(int n, int k) {
        return (long) n * k < 1 << 27 ? 2 : 1;
    }

    /** Inputs up to 10^4, and weights from 10^-6 to 10 in one matrix. */
    static KernelCase linearOutliers(int m, int n, int k, int planes) {
        FloatArray x = Data.random(1, m * k, 1);
        for (int i = 0; i < x.getSize(); i += 97) {
            x.set(i, x.get(i) * 5000f);
        }
        FloatArray weight = Data.random(2, 2 * n * k, 1);
        for (int i = 0; i < weight.getSize(); i++) {
            weight.set(i, weight.get(i) * (float) Math.pow(10, -6 + 7.0 * (i % 101) / 100));
        }
        return linears(m, n, k, Epilogue.BIAS, m, 1, planes, " outliers", x, weight, MULTIPROCESSORS)
                .apply(TensorLinear.tile(planes, m, n, k, MULTIPROCESSORS));
    }

    private static Function<ProductTile, KernelCase> linears(
            int m,
            int n,
            int k,
            int epilogue,
            int tokens,
            int heads,
            int planes,
            String suffix,
            FloatArray x,
            FloatArray weight,
            int multiprocessors) {
        int layers = layers(n, k);
        IntArray layer = Data.ints(layers - 1);
        FloatArray bias = Data.random(3, layers * n, 1);
        FloatArray residual = Data.random(4, epilogue == Epilogue.GATE_RESIDUAL ? m * n : 1, 1);
        FloatArray gate = Data.random(5, m / tokens * 2 * LayerNorm.CHUNKS * n, 1);
        IntArray xPacked = ArrayPages.ints(Packed.size(m, k, planes));
        PackedWeights.packActivations(x.getSegment(), xPacked, m, k, planes);
        PackedWeights packed =
                PackedWeights.of(slices(weight, layers, 4L * n * k), slices(bias, layers, 4L * n), n, k, planes);
        return tile -> linear(
                layer,
                xPacked,
                packed,
                x,
                weight,
                bias,
                residual,
                gate,
                m,
                n,
                k,
                epilogue,
                tokens,
                heads,
                planes,
                tile,
                suffix,
                multiprocessors);
    }

    private static List<MemorySegment> slices(FloatArray array, int count, long bytes) {
        return IntStream.range(0, count)
                .mapToObj(i -> array.getSegment().asSlice(i * bytes, bytes))
                .toList();
    }

    private static KernelCase linear(
            IntArray layer,
            IntArray xPacked,
            PackedWeights packed,
            FloatArray x,
            FloatArray weight,
            FloatArray bias,
            FloatArray residual,
            FloatArray gate,
            int m,
            int n,
            int k,
            int epilogue,
            int tokens,
            int heads,
            int planes,
            ProductTile tile,
            String suffix,
            int multiprocessors) {
        int samples = m / tokens;
        boolean floats = epilogue == Epilogue.BIAS || epilogue == Epilogue.GATE_RESIDUAL;
        // Added to in place: right after one execution only, which is what a check looks at.
        FloatArray target =
                epilogue == Epilogue.GATE_RESIDUAL ? Data.copy(residual) : ArrayPages.floats(floats ? m * n : 1);
        IntArray out = ArrayPages.ints(floats ? 1 : Packed.size(m, n, planes));
        IntArray batch = Data.batch(samples);
        IntArray overflow = ArrayPages.ints(2 * Overflow.KINDS);
        TensorLinearArguments arguments = new TensorLinearArguments(
                layer,
                batch,
                xPacked,
                packed.weight(),
                packed.bias(),
                switch (epilogue) {
                    case Epilogue.BIAS -> new Bias(target);
                    case Epilogue.BIAS_GELU -> new Gelu(out);
                    case Epilogue.GATE_RESIDUAL -> new GateResidual(gate, 2, 2 * LayerNorm.CHUNKS, target);
                    case Epilogue.BIAS_HEADS -> new Heads(out, heads);
                    default -> throw new IllegalArgumentException("no epilogue " + epilogue + " of TensorLinear");
                },
                overflow,
                new ProductShape(m, n, k),
                tokens,
                planes,
                tile,
                tile.blocks(m, n, multiprocessors),
                new Spare(floats ? gate : target, out),
                null);
        LinearArguments exact = new LinearArguments(
                layer,
                batch,
                x,
                weight,
                bias,
                target,
                arguments.shape(),
                epilogue == Epilogue.GATE_RESIDUAL
                        ? LinearArguments.After.gateResidual(residual, gate, 2, 2 * LayerNorm.CHUNKS, tokens)
                        : LinearArguments.After.of(
                                epilogue == Epilogue.BIAS_HEADS ? Epilogue.BIAS : epilogue, bias, tokens),
                LinearArguments.Stack.ONE);
        IntToDoubleFunction actual = epilogue == Epilogue.BIAS_HEADS
                ? headsOf(out, samples, tokens, heads, n, Packed.halves(planes))
                : epilogue == Epilogue.BIAS_GELU ? operand(out, m, n, planes) : target::get;
        return new KernelCase(
                (tile instanceof MmaLinear.Tile ? "mmaLinear " : "tensorLinear ") + epilogue + " " + planes + suffix,
                m + "x" + n + "x" + k,
                new Object[] {layer, batch, xPacked, packed.weight(), packed.bias(), gate, target, overflow},
                graph -> arguments.task(graph, "linear"),
                Map.of("linear", arguments.grid()),
                floats ? target : out,
                m * n,
                actual,
                i -> Linear.reference(exact, 0, i / n, i % n),
                // One plane: both operands are good to 2^-12, their sum's errors add up as the products do.
                planes == Packed.MIXED ? MIXED_BOUND : planes == 2 ? TransformerCases.productBound(k) : 4e-4,
                2.0 * m * n * k,
                2.0 * Packed.halves(planes) * ((double) m * k + (double) n * k) + 4.0 * m * n);
    }

    /** q, k and v of (N, T, 3, H, hd) as heads. */
    static IntArray heads(FloatArray qkv, int samples, int tokens, int heads, int headSize, int planes) {
        IntArray result = ArrayPages.ints(3 * samples * tokens * heads * headSize / 2 * planes);
        IntStream.range(0, samples * tokens * 3 * heads).parallel().forEach(i -> {
            int head = i % heads;
            int which = i / heads % 3;
            int token = i / heads / 3 % tokens;
            int sample = i / heads / 3 / tokens;
            for (int d = 0; d < headSize; d += 2) {
                float x = qkv.get(i * headSize + d);
                float y = qkv.get(i * headSize + d + 1);
                int index = Packed.headIndex(which, sample, head, token, d, samples, heads, tokens, headSize, planes);
                int high = Packed.high(x, y);
                result.set(index, high);
                if (planes == 2) {
                    result.set(index + headSize * 4, Packed.low(x, y, high));
                }
            }
        });
        return result;
    }

    /** The numbers of an operand, counted along its rows. */
    static IntToDoubleFunction operand(IntArray operand, int rows, int columns, int planes) {
        int padded = Packed.paddedRows(rows);
        if (planes == Packed.MIXED) {
            return i -> Mixed.value(operand, i / columns, i % columns, padded);
        }
        return i -> {
            int column = i % columns;
            int index = Packed.index(i / columns, column & ~1, padded, planes);
            return value(operand, index, column, planes, Packed.PLANE);
        };
    }

    /** The numbers of heads, counted along the rows of the product that made them. */
    static IntToDoubleFunction headsOf(IntArray packed, int samples, int tokens, int heads, int n, int planes) {
        int hidden = n / 3;
        int headSize = hidden / heads;
        return i -> {
            int row = i / n;
            int column = i % n;
            int d = column % hidden % headSize;
            int index = Packed.headIndex(
                    column / hidden,
                    row / tokens,
                    column % hidden / headSize,
                    row % tokens,
                    d & ~1,
                    samples,
                    heads,
                    tokens,
                    headSize,
                    planes);
            return value(packed, index, d, planes, headSize * 4);
        };
    }

    private static double value(IntArray packed, int index, int column, int planes, int plane) {
        int high = packed.get(index);
        double value = column % 2 == 0 ? Halves.first(high) : Halves.second(high);
        if (planes == 2) {
            int low = packed.get(index + plane);
            value += column % 2 == 0 ? Halves.first(low) : Halves.second(low);
        }
        return value;
    }
}
