package org.tornadodit.kernels.bench;

import java.util.Map;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PackedLayerNorm;
import org.tornadodit.kernels.TensorAttention;
import org.tornadodit.kernels.ptx.Halves;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the transformer's kernels that use tensor cores or write what those read. */
public final class TensorCases {
    private TensorCases() {}

    /** {@link TensorAttention} as {@link TensorAttention.Tiling} cuts it. */
    public static KernelCase attention(int samples, int tokens, int heads, int headSize, int planes) {
        return attention(
                samples, tokens, heads, headSize, planes, TensorAttention.Tiling.of(headSize, planes), "");
    }

    /** {@link TensorAttention}, cut some other way. */
    public static KernelCase attention(
            int samples,
            int tokens,
            int heads,
            int headSize,
            int planes,
            TensorAttention.Tiling tiling,
            String suffix) {
        KernelContext context = new KernelContext();
        int hidden = heads * headSize;
        int rows = samples * tokens;
        FloatArray qkv = Data.random(1, rows * 3 * hidden, 1.5);
        IntArray heads3 = heads(qkv, samples, tokens, heads, headSize, planes);
        // The second of two layers.
        IntArray layer = Data.ints(1);
        IntArray overflow = new IntArray(4);
        overflow.init(0);
        IntArray out = new IntArray(Packed.size(rows, hidden, planes));
        return new KernelCase(
                "tensorAttention " + planes + suffix,
                samples + "x" + tokens + "x" + heads + "x" + headSize,
                new Object[] {heads3, layer, overflow},
                graph -> graph.task(
                        "attention",
                        TensorAttention::attention,
                        context,
                        heads3,
                        out,
                        layer,
                        overflow,
                        samples,
                        tokens,
                        heads,
                        headSize,
                        planes,
                        1,
                        2,
                        tiling.queryTiles(),
                        tiling.warps(),
                        tiling.keys(),
                        tiling.stages(),
                        tiling.held(),
                        tiling.span(),
                        tiling.blocks()),
                Map.of("attention", TensorAttention.grid(samples, tokens, heads, headSize, planes, tiling)),
                out,
                rows * hidden,
                operand(out, rows, hidden, planes),
                i -> Attention.reference(
                        qkv,
                        tokens,
                        heads,
                        headSize,
                        i / hidden / tokens,
                        i / hidden % tokens,
                        i % hidden / headSize,
                        i % headSize),
                // Two planes: FP32's own, see TransformerCases. One: scores of deviation 2 from numbers good to 2^-12.
                planes == 2 ? 2e-6 : 2e-3,
                4.0 * samples * heads * tokens * tokens * headSize,
                8.0 * planes * rows * hidden);
    }

    /** {@link PackedLayerNorm}. */
    public static KernelCase layerNorm(int samples, int tokens, int hidden, int planes) {
        KernelContext context = new KernelContext();
        int rows = samples * tokens;
        FloatArray x = Data.random(1, rows * hidden, 2);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, x.get(i) + 3f);
        }
        FloatArray conditioning = Data.random(2, samples * 6 * hidden, 1);
        IntArray layer = Data.ints(1);
        IntArray overflow = new IntArray(4);
        overflow.init(0);
        IntArray out = new IntArray(Packed.size(rows, hidden, planes));
        return new KernelCase(
                "packedLayerNorm " + planes,
                samples + "x" + tokens + "x" + hidden,
                new Object[] {x, conditioning, layer, overflow},
                graph -> graph.task(
                        "norm",
                        PackedLayerNorm::modulate,
                        context,
                        x,
                        conditioning,
                        out,
                        layer,
                        overflow,
                        rows,
                        hidden,
                        tokens,
                        3 * hidden,
                        4 * hidden,
                        6 * hidden,
                        planes,
                        1,
                        2,
                        PackedLayerNorm.warps(hidden)),
                Map.of("norm", PackedLayerNorm.grid(rows, hidden)),
                out,
                rows * hidden,
                operand(out, rows, hidden, planes),
                i -> LayerNorm.reference(
                        x, conditioning, hidden, tokens, 3 * hidden, 4 * hidden, 6 * hidden, i / hidden, i % hidden),
                planes == 2 ? 1e-6 : 4e-4,
                0,
                (4.0 + 2.0 * planes) * rows * hidden);
    }

    /** q, k and v of (N, T, 3, H, hd) as heads. */
    private static IntArray heads(FloatArray qkv, int samples, int tokens, int heads, int headSize, int planes) {
        IntArray result = new IntArray(3 * samples * tokens * heads * headSize / 2 * planes);
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
    private static IntToDoubleFunction operand(IntArray operand, int rows, int columns, int planes) {
        int padded = Packed.paddedRows(rows);
        return i -> {
            int column = i % columns;
            int index = Packed.index(i / columns, column & ~1, padded, planes);
            int high = operand.get(index);
            double value = column % 2 == 0 ? Halves.first(high) : Halves.second(high);
            if (planes == 2) {
                int low = operand.get(index + Packed.PLANE);
                value += (column % 2 == 0 ? Halves.first(low) : Halves.second(low)) / (double) Packed.LOW;
            }
            return value;
        };
    }
}
