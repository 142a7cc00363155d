package org.tornadodit.kernels.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.Variant;
import org.tornadodit.kernels.ptx.Installation;

/** The kernels at small shapes, odd and even, at and off the tiles' edges. */
public final class SmallCases {
    private SmallCases() {}

    /** All that the host runs. */
    public static List<Supplier<KernelCase>> all() {
        List<Supplier<KernelCase>> cases = new ArrayList<>(portable());
        cases.addAll(tensorCores());
        return cases;
    }

    /** Those that run on any device. */
    public static List<Supplier<KernelCase>> portable() {
        List<Supplier<KernelCase>> cases = new ArrayList<>(defaults());
        for (Variant variant : others(LinearFewRows.VARIANTS)) {
            cases.add(() ->
                    TransformerCases.fewRowsVariants(18, 13, 40, Epilogue.BIAS).apply(variant));
        }
        for (Variant variant : others(LayerNorm.VARIANTS)) {
            cases.add(() -> TransformerCases.layerNormVariants(1, 5, 37).apply(variant));
        }
        for (Variant variant : others(Launch.ELEMENTWISE_VARIANTS)) {
            cases.add(() -> TransformerCases.patchifyVariants(3, 3, 3, 12, 4).apply(variant));
        }
        return cases;
    }

    private static List<Variant> others(List<Variant> variants) {
        return variants.subList(1, variants.size());
    }

    private static List<Supplier<KernelCase>> defaults() {
        return List.of(
                () -> TransformerCases.linear(130, 60, 20, Epilogue.NONE, 65),
                () -> TransformerCases.linear(65, 33, 7, Epilogue.BIAS, 33),
                () -> TransformerCases.linear(1, 1, 1, Epilogue.BIAS, 1),
                () -> TransformerCases.linear(128, 128, 40, Epilogue.BIAS_GELU, 64),
                () -> TransformerCases.linear(70, 129, 24, Epilogue.BIAS_SILU, 35),
                () -> TransformerCases.linear(128, 128, 64, Epilogue.GATE_RESIDUAL, 64),
                () -> TransformerCases.linear(75, 36, 9, Epilogue.GATE_RESIDUAL, 25),
                () -> TransformerCases.linear(64, 48, 16, Epilogue.ADD_TABLE, 16),
                () -> TransformerCases.linear(33, 17, 12, Epilogue.RESIDUAL, 33),
                () -> TransformerCases.linear(40, 31, 12, Epilogue.BIAS_ROW, 40),
                () -> TransformerCases.fewRows(16, 24, 64, Epilogue.BIAS),
                () -> TransformerCases.fewRows(1, 5, 37, Epilogue.BIAS_SILU),
                () -> TransformerCases.fewRows(19, 7, 33, Epilogue.NONE),
                () -> TransformerCases.attention(1, 64, 2, 72),
                () -> TransformerCases.attention(2, 70, 1, 8),
                () -> TransformerCases.attention(1, 16, 2, 64),
                () -> TransformerCases.attention(1, 129, 1, 24),
                () -> TransformerCases.attention(1, 65, 1, 104),
                () -> TransformerCases.attention(1, 67, 1, 128),
                () -> TransformerCases.layerNorm(2, 5, 48),
                () -> TransformerCases.layerNorm(1, 3, 37),
                () -> TransformerCases.patchify(2, 2, 4, 8, 2),
                () -> TransformerCases.patchify(3, 1, 3, 12, 4),
                () -> TransformerCases.condition(4, 2, 20, 10),
                () -> SamplerCases.randn(1000, 0),
                () -> SamplerCases.randn(333, 77),
                () -> SamplerCases.step(2, 4, 8, 2, 8, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(1, 4, 8, 4, 8, 4, DenoiseStep.DDIM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(3, 3, 6, 2, 3, 0, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(2, 4, 6, 2, 8, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_ARRAY),
                () -> DecoderCases.conv(2, 6, 10, 12, 20, 1, Epilogue.BIAS),
                () -> DecoderCases.conv(1, 8, 8, 16, 128, 2, Epilogue.RESIDUAL),
                () -> DecoderCases.conv(1, 9, 7, 4, 3, 1, Epilogue.BIAS),
                () -> DecoderCases.conv(1, 1, 1, 5, 2, 1, Epilogue.RESIDUAL),
                () -> DecoderCases.groupNorm(2, 100, 64, 1),
                () -> DecoderCases.groupNorm(1, 77, 96, 0),
                () -> DecoderCases.groupNorm(1, 9, 384, 1),
                () -> DecoderCases.attention(2, 20, 16),
                () -> DecoderCases.postQuantConv(2, 4, 30),
                () -> DecoderCases.channelsFirst(2, 3, 3, 35),
                () -> DecoderCases.channelsFirst(1, 3, 4, 20));
    }

    /** Those whose kernels use PTX instructions: the host emulates them, other devices need {@link Installation}. */
    public static List<Supplier<KernelCase>> tensorCores() {
        List<Supplier<KernelCase>> cases = new ArrayList<>(chosen());
        cases.addAll(BorderCases.linear());
        cases.addAll(BorderCases.others());
        return cases;
    }

    private static List<Supplier<KernelCase>> chosen() {
        return List.of(
                () -> AttentionCases.attention(1, 64, 2, 72, 1),
                () -> AttentionCases.attention(1, 64, 2, 72, 2),
                () -> AttentionCases.attention(1, 256, 2, 72, 1),
                () -> AttentionCases.attention(2, 136, 2, 72, 2),
                () -> AttentionCases.attention(1, 200, 2, 64, 1),
                () -> AttentionCases.attention(1, 72, 1, 64, 2),
                () -> AttentionCases.attention(1, 8, 2, 8, 2),
                () -> AttentionCases.attention(1, 40, 1, 32, 1),
                () -> AttentionCases.attention(1, 152, 1, 128, 2),
                () -> AttentionCases.attention(1, 72, 2, 104, 1),
                () -> AttentionCases.attention(1, 72, 2, 104, 2),
                () -> TensorCases.linearOutliers(64, 48, 576, 2),
                () -> TensorCases.linearOutliers(64, 48, 576, 1),
                () -> TensorCases.linear(48, 40, 32, Epilogue.BIAS, 16, 1, 2),
                () -> TensorCases.linear(264, 136, 48, Epilogue.BIAS, 8, 1, 1),
                () -> TensorCases.linear(136, 136, 1088, Epilogue.GATE_RESIDUAL, 8, 1, 2),
                () -> TensorCases.linear(136, 200, 64, Epilogue.GATE_RESIDUAL, 68, 1, 1),
                () -> TensorCases.linear(128, 144, 64, Epilogue.BIAS_GELU, 16, 1, 2),
                () -> TensorCases.linear(16, 208, 128, Epilogue.BIAS_GELU, 16, 1, 1),
                () -> TensorCases.linear(144, 432, 32, Epilogue.BIAS_HEADS, 24, 2, 2),
                () -> TensorCases.linear(32, 192, 64, Epilogue.BIAS_HEADS, 16, 1, 1),
                () -> TensorCases.linear(200, 112, 192, Epilogue.BIAS, 8, 1, new Tile(128, 32, 2, 1), 3),
                () -> TensorCases.linear(136, 96, 160, Epilogue.BIAS_HEADS, 8, 1, new Tile(128, 48, 1, 1), 1),
                () -> TensorCases.linear(328, 72, 128, Epilogue.GATE_RESIDUAL, 8, 1, new Tile(256, 32, 2, 0), 2),
                () -> TensorCases.linear(256, 64, 64, Epilogue.BIAS_GELU, 16, 1, new Tile(256, 64, 4, 0), 1),
                () -> TensorCases.linear(384, 48, 32, Epilogue.BIAS_GELU, 16, 1, new Tile(256, 48, 2, 0), 1),
                () -> TensorCases.linear(200, 80, 448, Epilogue.BIAS_GELU, 8, 2, new Tile(64, 48, 2, 1), 2),
                () -> TensorCases.linear(136, 96, 256, Epilogue.BIAS_HEADS, 8, 2, new Tile(64, 32, 4, 1), 1),
                () -> TensorCases.linear(192, 64, 224, Epilogue.GATE_RESIDUAL, 8, 2, new Tile(128, 48, 1, 0), 2),
                () -> TensorCases.packedRows(5, 48, 2),
                () -> TensorCases.packedRows(130, 16, 1),
                () -> TensorCases.layerNorm(2, 8, 48, 2),
                () -> TensorCases.layerNorm(1, 13, 1152, 2),
                () -> TensorCases.layerNorm(3, 5, 144, 1),
                () -> TensorConvolutionCases.conv(1, 5, 7, 32, 16, 3, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 5, 7, 32, 16, 3, 1, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 24, 3, 2, PackedMap.NORM_SILU, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 24, 3, 1, PackedMap.NORM_SILU, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(1, 1, 130, 16, 4, 3, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 8, 8, 96, 136, 1, 2, PackedMap.NORM, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(3, 8, 8, 48, 136, 1, 1, PackedMap.NORM, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 6, 10, 32, 34, 2, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 6, 10, 32, 34, 2, 1, PackedMap.RAW, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.outliers(7, 9, 64, 8, 2),
                () -> TensorConvolutionCases.outliers(7, 9, 64, 8, 1),
                () -> TensorConvolutionCases.conv(1, 16, 33, 320, 128, 3, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> DecoderCases.groupStatistics(2, 1000, 64),
                () -> DecoderCases.groupStatistics(1, 77, 96),
                () -> DecoderCases.groupStatistics(1, 9, 384));
    }
}
