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
        return attentions(samples, tokens, heads, headSize, planes, multiprocessors, " " + tiling)
                .apply(tiling);
    }

    /** Cut as {@link Tiling#of} says. */
    public static KernelCase attention(int samples, int tokens, int heads, int headSize, int planes) {
        return attentions(samples, tokens, heads, headSize, planes, TensorCases.MULTIPROCESSORS, "")
                .apply(Tiling.of(headSize, planes, tokens));
    }

    /**
     * Cut in any way, all on the same arrays.
     *
     * @param multiprocessors of the device
     */
    public static Function<AttentionTiling, KernelCase> attentions(
            int samples, int tokens, int heads, int headSize, int planes, int multiprocessors, String suffix) {
        int hidden = heads * headSize;
        int rows = samples * tokens;
        FloatArray qkv = Data.random(1, rows * 3 * hidden, 1.5);
        IntArray heads3 = TensorCases.heads(qkv, samples, tokens, heads, headSize, planes);
        // The second of two layers.
        IntArray layer = Data.ints(1);
        IntArray batch = Data.batch(samples);
        IntArray overflow = ArrayPages.ints(2 * Overflow.KINDS);
        overflow.init(0);
        IntArray out = ArrayPages.ints(Packed.size(rows, hidden, planes));
        AttentionShape shape = new AttentionShape(samples, tokens, heads, headSize);
        return tiling -> {
            TensorAttentionArguments arguments = new TensorAttentionArguments(
                    heads3, out, layer, batch, overflow, shape, planes, tiling, tiling.blocks(shape, multiprocessors));
            return new KernelCase(
                    (tiling instanceof MmaAttention.Tiling ? "mmaAttention " : "warpgroupAttention ") + planes + suffix,
                    samples + "x" + tokens + "x" + heads + "x" + headSize,
                    new Object[] {heads3, layer, batch, overflow},
                    graph -> arguments.task(graph, "attention"),
                    Map.of("attention", arguments.grid()),
                    out,
                    rows * hidden,
                    TensorCases.operand(out, rows, hidden, planes),
                    Attention.reference(qkv, tokens, heads, headSize),
                    // Two planes: FP32's own, see TransformerCases. One: scores of deviation 2 from numbers good to
                    // 2^-12.
                    planes == 2 ? 2e-6 : 2e-3,
                    4.0 * samples * heads * tokens * tokens * headSize,
                    8.0 * planes * rows * hidden);
        };
    }
}
