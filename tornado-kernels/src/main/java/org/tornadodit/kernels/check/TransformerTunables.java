package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.TensorVariants;
import org.tornadodit.kernels.WarpgroupAttention.Tiling;

/**
 * The operations of a denoising step of DiT with all their variants: what the autotuner goes through. The operations and
 * shapes are those that the engine asks a variant for.
 *
 * @param samples N, both halves of guidance
 * @param tokens T
 * @param hidden D
 * @param heads H
 * @param mlpHidden hidden size of a block's MLP
 * @param depth blocks
 * @param channels latent channels C
 * @param size latent pixels a side
 * @param patch latent pixels a side of a token
 * @param outChannels channels that the model predicts
 * @param frequencies size of a timestep's sinusoids
 */
public record TransformerTunables(
        int samples,
        int tokens,
        int hidden,
        int heads,
        int mlpHidden,
        int depth,
        int channels,
        int size,
        int patch,
        int outChannels,
        int frequencies) {

    /** With tier 1's kernels; those that take the most time first. */
    public List<Tunable> portable() {
        List<Tunable> all = new ArrayList<>();
        all.add(linear(mlpHidden, hidden, Epilogue.BIAS_GELU, depth));
        all.add(linear(hidden, mlpHidden, Epilogue.GATE_RESIDUAL, depth));
        all.add(linear(3 * hidden, hidden, Epilogue.BIAS, depth));
        all.add(Tunable.fixed(
                OperationShape.of("attention", samples, tokens, heads, hidden / heads),
                depth,
                Ceiling.FP32,
                () -> TransformerCases.attention(samples, tokens, heads, hidden / heads)));
        all.add(linear(hidden, hidden, Epilogue.GATE_RESIDUAL, depth));
        all.add(new Tunable(
                LayerNorm.operation(samples, tokens, hidden),
                LayerNorm.VARIANTS,
                2 * depth + 1,
                Ceiling.MEMORY,
                () -> TransformerCases.layerNormVariants(samples, tokens, hidden)));
        all.add(fewRows(samples, depth * 6 * hidden, hidden, Epilogue.BIAS, 1));
        all.add(linear(patch * patch * outChannels, hidden, Epilogue.BIAS, 1));
        all.addAll(aroundTheBlocks());
        return all;
    }

    /**
     * With tier 3's kernels.
     *
     * @param planes of the blocks' operands: 2 for FP32's accuracy, else 1; the modulation's and the final layer's have 2
     * @param multiprocessors of the device
     */
    public List<Tunable> tensor(int planes, int multiprocessors) {
        List<Tunable> all = new ArrayList<>();
        all.add(tensorLinear(mlpHidden, hidden, Epilogue.BIAS_GELU, depth, planes, multiprocessors));
        all.add(tensorLinear(hidden, mlpHidden, Epilogue.GATE_RESIDUAL, depth, planes, multiprocessors));
        all.add(tensorLinear(3 * hidden, hidden, Epilogue.BIAS_HEADS, depth, planes, multiprocessors));
        all.add(new Tunable(
                TensorVariants.attentionOperation(samples, tokens, heads, hidden / heads, planes),
                TensorVariants.attention(hidden / heads, planes, tokens),
                depth,
                planes == 2 ? Ceiling.TENSOR_SPLIT : Ceiling.TENSOR_FP16,
                () -> {
                    Function<Tiling, KernelCase> cases = AttentionCases.attentions(
                            samples, tokens, heads, hidden / heads, planes, multiprocessors, "");
                    return variant -> cases.apply(TensorVariants.attentionTiling(variant));
                }));
        all.add(tensorLinear(hidden, hidden, Epilogue.GATE_RESIDUAL, depth, planes, multiprocessors));
        if (planes == 2) {
            all.add(packedLayerNorm(2 * depth + 1, 2));
        } else {
            all.add(packedLayerNorm(2 * depth, planes));
            all.add(packedLayerNorm(1, 2));
        }
        all.add(tensorLinear(samples, 1, depth * 6 * hidden, hidden, Epilogue.BIAS, 1, 2, multiprocessors));
        all.add(Tunable.fixed(
                OperationShape.of("packedRows", samples, hidden),
                1,
                Ceiling.MEMORY,
                () -> TensorCases.packedRows(samples, hidden, 2)));
        all.add(tensorLinear(patch * patch * outChannels, hidden, Epilogue.BIAS, 1, 2, multiprocessors));
        all.addAll(aroundTheBlocks());
        return all;
    }

    private Tunable packedLayerNorm(int launches, int planes) {
        return Tunable.fixed(
                OperationShape.of("packedLayerNorm " + planes, samples, tokens, hidden),
                launches,
                Ceiling.MEMORY,
                () -> TensorCases.layerNorm(samples, tokens, hidden, planes));
    }

    private Tunable tensorLinear(int n, int k, int epilogue, int launches, int planes, int multiprocessors) {
        return tensorLinear(samples * tokens, tokens, n, k, epilogue, launches, planes, multiprocessors);
    }

    private Tunable tensorLinear(
            int m, int rowsOfSample, int n, int k, int epilogue, int launches, int planes, int multiprocessors) {
        return new Tunable(
                TensorVariants.linearOperation(m, n, k, epilogue, planes),
                TensorVariants.linear(m, n, k, planes, multiprocessors),
                launches,
                planes == 2 ? Ceiling.TENSOR_SPLIT : Ceiling.TENSOR_FP16,
                () -> {
                    Function<Tile, KernelCase> cases =
                            TensorCases.linears(m, n, k, epilogue, rowsOfSample, heads, planes, multiprocessors, "");
                    return variant -> cases.apply(TensorVariants.tile(variant));
                });
    }

    /** What is the same in every tier: the conditioning, the embeddings, the sampler. */
    private List<Tunable> aroundTheBlocks() {
        return List.of(
                linear(hidden, channels * patch * patch, Epilogue.ADD_TABLE, 1),
                fewRows(samples, 2 * hidden, hidden, Epilogue.BIAS, 1),
                fewRows(samples, hidden, frequencies, Epilogue.BIAS_SILU, 1),
                fewRows(samples, hidden, hidden, Epilogue.BIAS, 1),
                new Tunable(
                        Embedding.patchifyOperation(samples, channels, size, patch),
                        Launch.ELEMENTWISE_VARIANTS,
                        1,
                        Ceiling.MEMORY,
                        () -> TransformerCases.patchifyVariants(samples / 2, samples / 2, channels, size, patch)),
                Tunable.fixed(
                        OperationShape.of("condition", samples, hidden),
                        1,
                        Ceiling.MEMORY,
                        () -> TransformerCases.condition(samples / 2, samples / 2, hidden, 1000)),
                Tunable.fixed(
                        OperationShape.of("step ddpm", samples / 2, channels, size, patch),
                        1,
                        Ceiling.MEMORY,
                        () -> SamplerCases.step(
                                samples / 2,
                                channels,
                                size,
                                patch,
                                outChannels,
                                channels,
                                DenoiseStep.DDPM,
                                DenoiseStep.NOISE_PHILOX)));
    }

    private Tunable linear(int n, int k, int epilogue, int launches) {
        int m = samples * tokens;
        return Tunable.fixed(
                OperationShape.of("linear, " + Epilogue.name(epilogue), m, n, k),
                launches,
                Ceiling.FP32,
                () -> TransformerCases.linear(m, n, k, epilogue, tokens));
    }

    private static Tunable fewRows(int m, int n, int k, int epilogue, int launches) {
        return new Tunable(
                LinearFewRows.operation(m, n, k, epilogue),
                LinearFewRows.VARIANTS,
                launches,
                Ceiling.MEMORY,
                () -> TransformerCases.fewRowsVariants(m, n, k, epilogue));
    }
}
