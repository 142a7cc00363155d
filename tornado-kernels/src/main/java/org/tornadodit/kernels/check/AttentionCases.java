package org.tornadodit.kernels.check;

import java.util.Map;
import java.util.function.Function;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.AttentionTiling;
import org.tornadodit.kernels.MmaAttention;
import org.tornadodit.kernels.Overflow;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.TensorAttentionArguments;
import org.tornadodit.kernels.WarpgroupAttention;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of {@link WarpgroupAttention} and {@link MmaAttention}. */
public final class AttentionCases {

    private AttentionCases() {}

    /** {@link MmaAttention}. */
    static KernelCase mma(
            int samples,
            int tokens,
            int heads,
            int headSize,
            int planes,
            MmaAttention.Tiling tiling,
            int multiprocessors) {
        return attentions(new AttentionShape(samples, tokens, heads, headSize), planes, multiprocessors, " " + tiling)
                .apply(tiling);
    }

    /** {@link MmaAttention}, of some queries. */
    static KernelCase mma(AttentionShape shape, int planes, MmaAttention.Tiling tiling, int multiprocessors) {
        return attentions(shape, planes, multiprocessors, " " + tiling).apply(tiling);
    }

    /** Of some queries, cut as {@link Tiling#of} says. */
    public static KernelCase attention(AttentionShape shape, int planes) {
        return attentions(shape, planes, TensorCases.MULTIPROCESSORS, "")
                .apply(Tiling.of(shape.headSize(), Packed.halves(planes), shape.tokens()));
    }

    /** Cut as {@link Tiling#of} says. */
    public static KernelCase attention(int samples, int tokens, int heads, int headSize, int planes) {
        return attention(new AttentionShape(samples, tokens, heads, headSize), planes);
    }

    /**
     * Cut in any way, all on the same arrays.
     *
     * @param multiprocessors of the device
     */
    public static Function<AttentionTiling, KernelCase> attentions(
            int samples, int tokens, int heads, int headSize, int planes, int multiprocessors, String suffix) {
        return attentions(new AttentionShape(samples, tokens, heads, headSize), planes, multiprocessors, suffix);
    }

    /** Likewise, of some queries. */
    public static Function<AttentionTiling, KernelCase> attentions(
            AttentionShape shape, int planes, int multiprocessors, String suffix) {
        int numbers = shape.samples() * shape.tokens() * 3 * shape.hidden();
        return attentions(shape, Data.random(1, numbers, 1.5), planes, multiprocessors, suffix);
    }

    /**
     * Likewise, of given queries, keys and values.
     *
     * @param qkv (samples, tokens, 3, heads, headSize)
     */
    public static Function<AttentionTiling, KernelCase> attentions(
            AttentionShape shape, FloatArray qkv, int planes, int multiprocessors, String suffix) {
        int samples = shape.samples();
        int tokens = shape.tokens();
        int heads = shape.heads();
        int headSize = shape.headSize();
        int hidden = shape.hidden();
        int rows = samples * tokens;
        int outRows = samples * shape.queries();
        IntArray heads3 = TensorCases.heads(qkv, samples, tokens, heads, headSize, Packed.halves(planes));
        // The second of two layers.
        IntArray layer = Data.ints(1);
        IntArray batch = Data.batch(samples);
        IntArray overflow = ArrayPages.ints(2 * Overflow.KINDS);
        overflow.init(0);
        IntArray out = ArrayPages.ints(Packed.size(outRows, hidden, planes));
        return tiling -> {
            TensorAttentionArguments arguments = new TensorAttentionArguments(
                    heads3,
                    out,
                    layer,
                    batch,
                    overflow,
                    shape,
                    Packed.halves(planes),
                    planes,
                    tiling,
                    tiling.blocks(shape, multiprocessors),
                    null);
            return new KernelCase(
                    (tiling instanceof MmaAttention.Tiling ? "mmaAttention " : "warpgroupAttention ") + planes + suffix,
                    samples + "x" + of(shape) + "x" + heads + "x" + headSize,
                    new Object[] {heads3, layer, batch, overflow},
                    graph -> arguments.task(graph, "attention"),
                    Map.of("attention", arguments.grid()),
                    out,
                    outRows * hidden,
                    TensorCases.operand(out, outRows, hidden, planes),
                    Attention.reference(qkv, shape),
                    // Two planes: FP32's own, see TransformerCases. One: scores of deviation 2 from numbers good to
                    // 2^-12.
                    planes == Packed.MIXED ? TensorCases.MIXED_BOUND : planes == 2 ? 2e-6 : 2e-3,
                    4.0 * outRows * heads * tokens * headSize,
                    2.0 * Packed.halves(planes) * (2 * rows + 2 * outRows) * hidden);
        };
    }

    /** Tokens, and which of them attend where not all do. */
    static String of(AttentionShape shape) {
        return shape.queries() == shape.tokens()
                ? String.valueOf(shape.tokens())
                : shape.queries() + " from " + shape.firstQuery() + " of " + shape.tokens();
    }
}
