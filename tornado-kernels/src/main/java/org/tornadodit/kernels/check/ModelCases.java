package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.OwnedWeights.Item;
import org.tornadodit.kernels.PackedMap;

/**
 * The kernels at the shapes of DiT-XL/2 at 512 x 512 with 8 samples and guidance, and of its VAE decoder. Suppliers,
 * because together their arrays are larger than any memory.
 */
public final class ModelCases {
    private static final int SAMPLES = 16;
    private static final int TOKENS = 1024;
    private static final int HIDDEN = 1152;
    private static final int HEADS = 16;

    private ModelCases() {}

    /**
     * All cases, the transformer's first.
     *
     * @param tensorCores also the kernels that use PTX instructions
     */
    public static List<Supplier<KernelCase>> all(boolean tensorCores) {
        List<Supplier<KernelCase>> cases = new ArrayList<>(transformer(tensorCores));
        cases.addAll(decoder(tensorCores));
        return cases;
    }

    /** One step of the transformer. */
    public static List<Supplier<KernelCase>> transformer(boolean tensorCores) {
        List<Supplier<KernelCase>> cases = new ArrayList<>(portableTransformer());
        if (tensorCores) {
            cases.addAll(tensorTransformer());
        }
        return cases;
    }

    private static List<Supplier<KernelCase>> portableTransformer() {
        int rows = SAMPLES * TOKENS;
        return List.of(
                () -> TransformerCases.linear(rows, 3 * HIDDEN, HIDDEN, Epilogue.BIAS, TOKENS),
                () -> TransformerCases.linear(rows, HIDDEN, HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS),
                () -> TransformerCases.linear(rows, 4 * HIDDEN, HIDDEN, Epilogue.BIAS_GELU, TOKENS),
                () -> TransformerCases.linear(rows, HIDDEN, 4 * HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS),
                () -> TransformerCases.linear(rows, 32, HIDDEN, Epilogue.BIAS, TOKENS),
                () -> TransformerCases.patchEmbedding(SAMPLES, TOKENS, HIDDEN, 16),
                () -> TransformerCases.fewRows(SAMPLES, 6 * HIDDEN, HIDDEN, Epilogue.BIAS),
                () -> TransformerCases.fewRows(1, HIDDEN, 256, Epilogue.BIAS_SILU),
                () -> TransformerCases.attention(SAMPLES, TOKENS, HEADS, HIDDEN / HEADS),
                () -> TransformerCases.layerNorm(SAMPLES, TOKENS, HIDDEN),
                () -> TransformerCases.patchify(SAMPLES / 2, SAMPLES / 2, 4, 64, 2),
                () -> TransformerCases.condition(SAMPLES / 2, SAMPLES / 2, HIDDEN, 1000),
                () -> SamplerCases.randn(SAMPLES / 2 * 4 * 64 * 64, 0),
                () -> SamplerCases.step(SAMPLES / 2, 4, 64, 2, 8, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(SAMPLES / 2, 4, 64, 2, 8, 3, DenoiseStep.MULTISTEP, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(
                        SAMPLES / 2, 4, 64, 2, 8, 3, DenoiseStep.PREDICTOR_CORRECTOR, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(SAMPLES / 2, 4, 64, 2, 8, 3, DenoiseStep.STAGE, DenoiseStep.NOISE_PHILOX));
    }

    private static List<Supplier<KernelCase>> tensorTransformer() {
        int rows = SAMPLES * TOKENS;
        return List.of(
                () -> TransformerCases.takeRows(SAMPLES, 64, HIDDEN, 28 * 6 * HIDDEN, true),
                () -> TensorCases.linear(rows, 3 * HIDDEN, HIDDEN, Epilogue.BIAS_HEADS, TOKENS, HEADS, 1),
                () -> TensorCases.linear(rows, HIDDEN, HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS, HEADS, 1),
                () -> TensorCases.linear(rows, 4 * HIDDEN, HIDDEN, Epilogue.BIAS_GELU, TOKENS, HEADS, 1),
                () -> TensorCases.linear(rows, HIDDEN, 4 * HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS, HEADS, 1),
                () -> TensorCases.linear(rows, 32, HIDDEN, Epilogue.BIAS, TOKENS, HEADS, 1),
                () -> TensorCases.linear(rows, 3 * HIDDEN, HIDDEN, Epilogue.BIAS_HEADS, TOKENS, HEADS, 2),
                () -> TensorCases.linear(rows, HIDDEN, HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS, HEADS, 2),
                () -> TensorCases.linear(rows, 4 * HIDDEN, HIDDEN, Epilogue.BIAS_GELU, TOKENS, HEADS, 2),
                () -> TensorCases.linear(rows, HIDDEN, 4 * HIDDEN, Epilogue.GATE_RESIDUAL, TOKENS, HEADS, 2),
                () -> TensorCases.linear(rows, 32, HIDDEN, Epilogue.BIAS, TOKENS, HEADS, 2),
                () -> AttentionCases.attention(SAMPLES, TOKENS, HEADS, HIDDEN / HEADS, 1),
                () -> AttentionCases.attention(SAMPLES, TOKENS, HEADS, HIDDEN / HEADS, 2),
                () -> TensorCases.layerNorm(SAMPLES, TOKENS, HIDDEN, 1),
                () -> TensorCases.layerNorm(SAMPLES, TOKENS, HIDDEN, 2),
                () -> TransformerCases.sumOfParts(2, SAMPLES, TOKENS, HIDDEN),
                () -> TransformerCases.throughHost(false, 2, TOKENS * HIDDEN / 2, Groups.ofGpu(2)),
                () -> TransformerCases.throughHost(true, 2, TOKENS * HIDDEN / 2, Groups.ofGpu(2)),
                () -> TransformerCases.ownedWeights(new Item(0, 4 * HIDDEN * HIDDEN), 0, Groups.ofGpu(2)),
                () -> PackingCases.pack(4 * HIDDEN, HIDDEN, 1, 0),
                () -> PackingCases.pack(4 * HIDDEN, HIDDEN, 2, 0),
                () -> PackingCases.pack(6 * HIDDEN, HIDDEN, 2, 3),
                () -> PackingCases.convolution(512, 512, 3, 2),
                () -> PackingCases.convolution(512, 512, 2, 2),
                () -> PackingCases.copy(1000 * HIDDEN, 512, 512));
    }

    /** The VAE decoder, one image at its largest sizes, since cost is linear in images. */
    public static List<Supplier<KernelCase>> decoder(boolean tensorCores) {
        List<Supplier<KernelCase>> cases = new ArrayList<>(portableDecoder());
        if (tensorCores) {
            cases.addAll(tensorDecoder(2));
            cases.addAll(tensorDecoder(1));
        }
        return cases;
    }

    /** The decoder's convolutions on tensor cores, each with the kernels that pack its input. */
    private static List<Supplier<KernelCase>> tensorDecoder(int planes) {
        int raw = PackedMap.RAW;
        int silu = PackedMap.NORM_SILU;
        return List.of(
                () -> TensorConvolutionCases.conv(8, 64, 64, 512, 512, 3, planes, silu, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(8, 64, 64, 512, 512, 2, planes, raw, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(4, 128, 128, 512, 512, 3, planes, raw, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(2, 256, 256, 512, 256, 3, planes, raw, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(2, 256, 256, 512, 256, 1, planes, raw, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 512, 512, 128, 128, 3, planes, raw, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(1, 512, 512, 128, 4, 3, planes, raw, Epilogue.BIAS));
    }

    private static List<Supplier<KernelCase>> portableDecoder() {
        return List.of(
                () -> DecoderCases.postQuantConv(8, 4, 64 * 64),
                () -> DecoderCases.conv(8, 64, 64, 4, 512, 1, Epilogue.BIAS),
                () -> DecoderCases.conv(8, 64, 64, 512, 512, 1, Epilogue.RESIDUAL),
                () -> DecoderCases.attention(8, 4096, 512),
                () -> DecoderCases.conv(8, 128, 128, 512, 512, 2, Epilogue.BIAS),
                () -> DecoderCases.conv(4, 256, 256, 512, 512, 2, Epilogue.BIAS),
                () -> DecoderCases.conv(4, 256, 256, 512, 256, 1, Epilogue.BIAS),
                () -> DecoderCases.conv(2, 512, 512, 256, 256, 2, Epilogue.BIAS),
                () -> DecoderCases.conv(2, 512, 512, 128, 128, 1, Epilogue.RESIDUAL),
                () -> DecoderCases.conv(2, 512, 512, 128, 3, 1, Epilogue.BIAS),
                () -> DecoderCases.groupNorm(8, 64 * 64, 512, 1),
                () -> DecoderCases.groupNorm(2, 512 * 512, 256, 1),
                () -> DecoderCases.groupStatistics(2, 512 * 512, 256),
                () -> DecoderCases.channelsFirst(8, 3, 4, 512 * 512));
    }
}
