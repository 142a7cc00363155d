package org.tornadodit.kernels.check;

import java.util.function.Function;
import org.tornadodit.kernels.AttentionTiling;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Packed;
import org.tornadodit.kernels.PatchEmbedding;
import org.tornadodit.kernels.ProductTile;
import org.tornadodit.kernels.TensorCores;

/**
 * The transformer's operations with all ways to run them, one launch each: what an engine chooses a variant from and the
 * autotuner goes through. S samples, G of them guided, take N = S + G passes of T tokens, D wide.
 */
public final class TunableOperations {
    private static final int CLASSES = 1000;

    private TunableOperations() {}

    /** {@link org.tornadodit.kernels.Linear} of (m, k) and (n, k). */
    public static Tunable linear(int m, int n, int k, int epilogue, int tokens) {
        return Tunable.fixed(
                OperationShape.of("linear, " + Epilogue.name(epilogue), m, n, k),
                Ceiling.FP32,
                () -> TransformerCases.linear(m, n, k, epilogue, tokens));
    }

    /** {@link LinearFewRows} of (m, k) and (n, k). */
    public static Tunable fewRows(int m, int n, int k, int epilogue) {
        return new Tunable(
                LinearFewRows.operation(m, n, k, epilogue),
                LinearFewRows.variants(m, n),
                1,
                Ceiling.MEMORY,
                () -> TransformerCases.fewRowsVariants(m, n, k, epilogue));
    }

    /** {@link PatchEmbedding} of (passes tokens, k) and (n, k). */
    public static Tunable patchEmbedding(int passes, int tokens, int n, int k) {
        return Tunable.fixed(
                PatchEmbedding.operation(passes * tokens, n, k),
                Ceiling.MEMORY,
                () -> TransformerCases.patchEmbedding(passes, tokens, n, k));
    }

    /** {@link org.tornadodit.kernels.Attention}. */
    public static Tunable attention(int passes, int tokens, int heads, int headSize) {
        return Tunable.fixed(
                OperationShape.of("attention", passes, tokens, heads, headSize),
                Ceiling.FP32,
                () -> TransformerCases.attention(passes, tokens, heads, headSize));
    }

    /** {@link LayerNorm}. */
    public static Tunable layerNorm(int passes, int tokens, int hidden) {
        return new Tunable(
                LayerNorm.operation(passes, tokens, hidden),
                LayerNorm.VARIANTS,
                1,
                Ceiling.MEMORY,
                () -> TransformerCases.layerNormVariants(passes, tokens, hidden));
    }

    /**
     * A linear layer on tensor cores, of (m, k) and (n, k).
     *
     * @param tokens rows of a pass
     * @param heads that {@link Epilogue#BIAS_HEADS} writes; 1 otherwise
     * @param planes of the operands
     * @param cores of the device
     */
    public static Tunable tensorLinear(
            int m, int n, int k, int epilogue, int tokens, int heads, int planes, TensorCores cores) {
        return new Tunable(
                cores.linearOperation(m, n, k, epilogue, planes),
                cores.linear(m, n, k, planes),
                1,
                ceiling(planes, cores),
                () -> {
                    Function<ProductTile, KernelCase> cases =
                            TensorCases.linears(m, n, k, epilogue, tokens, heads, planes, cores.multiprocessors(), "");
                    return variant -> cases.apply(cores.tile(variant));
                });
    }

    /** Attention on tensor cores. */
    public static Tunable tensorAttention(
            int passes, int tokens, int heads, int headSize, int planes, TensorCores cores) {
        return new Tunable(
                cores.attentionOperation(passes, tokens, heads, headSize, planes),
                cores.attention(passes * heads, headSize, planes, tokens),
                1,
                ceiling(planes, cores),
                () -> {
                    Function<AttentionTiling, KernelCase> cases = AttentionCases.attentions(
                            passes, tokens, heads, headSize, planes, cores.multiprocessors(), "");
                    return variant -> cases.apply(cores.tiling(variant));
                });
    }

    /** {@link org.tornadodit.kernels.PackedLayerNorm}. */
    public static Tunable packedLayerNorm(int passes, int tokens, int hidden, int planes) {
        return Tunable.fixed(
                OperationShape.of("packedLayerNorm " + planes, passes, tokens, hidden),
                Ceiling.MEMORY,
                () -> TensorCases.layerNorm(passes, tokens, hidden, planes));
    }

    /** {@link org.tornadodit.kernels.PackedRows}. */
    public static Tunable packedRows(int rows, int columns, int planes) {
        return Tunable.fixed(
                OperationShape.of("packedRows", rows, columns),
                Ceiling.MEMORY,
                () -> TensorCases.packedRows(rows, columns, planes));
    }

    /** {@link Embedding#patchify}. */
    public static Tunable patchify(int samples, int guided, int channels, int size, int patch) {
        return new Tunable(
                Embedding.patchifyOperation(samples + guided, channels, size, patch),
                Launch.ELEMENTWISE_VARIANTS,
                1,
                Ceiling.MEMORY,
                () -> TransformerCases.patchifyVariants(samples, guided, channels, size, patch));
    }

    /** {@link Embedding#condition}. */
    public static Tunable condition(int samples, int guided, int hidden) {
        return Tunable.fixed(
                OperationShape.of("condition", samples + guided, hidden),
                Ceiling.MEMORY,
                () -> TransformerCases.condition(samples, guided, hidden, CLASSES));
    }

    /** {@link DenoiseStep#denoise}, a DDPM step of guided samples. */
    public static Tunable step(int samples, int channels, int size, int patch, int outChannels) {
        return Tunable.fixed(
                OperationShape.of("step ddpm", samples, channels, size, patch),
                Ceiling.MEMORY,
                () -> SamplerCases.step(
                        samples,
                        channels,
                        size,
                        patch,
                        outChannels,
                        channels,
                        DenoiseStep.DDPM,
                        DenoiseStep.NOISE_PHILOX));
    }

    private static Ceiling ceiling(int planes, TensorCores cores) {
        return switch (cores) {
            case TensorCores.Warpgroups _ ->
                switch (planes) {
                    case 1 -> Ceiling.TENSOR_FP16;
                    case Packed.MIXED -> Ceiling.TENSOR_MIXED;
                    default -> Ceiling.TENSOR_SPLIT;
                };
            case TensorCores.Warps _ -> planes == 2 ? Ceiling.MMA_SPLIT : Ceiling.MMA_FP16;
        };
    }
}
