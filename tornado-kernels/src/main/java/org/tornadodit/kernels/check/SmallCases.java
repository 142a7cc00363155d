package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.Exchange.Groups;
import org.tornadodit.kernels.MmaAttention;
import org.tornadodit.kernels.MmaConv2d;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.MmaLinear;
import org.tornadodit.kernels.OwnedWeights;
import org.tornadodit.kernels.OwnedWeights.Item;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorLinear.Tile;
import org.tornadodit.kernels.ptx.Installation;

/** The kernels at small shapes: on both sides of every border, by a rule, and layouts that borders do not meet. */
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
        cases.addAll(PortableBorderCases.all());
        return cases;
    }

    private static List<Supplier<KernelCase>> defaults() {
        return List.of(
                () -> TransformerCases.linear(1, 1, 1, Epilogue.BIAS, 1),
                () -> TransformerCases.linear(75, 36, 9, Epilogue.GATE_RESIDUAL, 25),
                () -> TransformerCases.linear(64, 48, 16, Epilogue.ADD_TABLE, 16),
                () -> TransformerCases.attention(2, 130, 2, 8),
                () -> TransformerCases.attention(new AttentionShape(2, 130, 2, 8, 41, 50)),
                () -> TransformerCases.layerNorm(2, 5, 48),
                () -> TransformerCases.patchify(2, 2, 4, 8, 2),
                () -> TransformerCases.patchify(3, 1, 3, 12, 4),
                () -> TransformerCases.condition(4, 2, 20, 10),
                () -> TransformerCases.conditionTwice(3, 1, 20, 10),
                () -> TransformerCases.patchEmbedding(1, 1, 1, 1),
                () -> TransformerCases.patchEmbedding(2, 16, 128, 16),
                () -> TransformerCases.patchEmbedding(3, 11, 129, 12),
                () -> TransformerCases.patchEmbedding(1, 31, 127, 32),
                () -> TransformerCases.patchEmbedding(1, 65, 48, 27),
                () -> TransformerCases.headNorm(2, 5, 3, 10),
                () -> SamplerCases.randn(333, 77),
                () -> SamplerCases.step(2, 4, 8, 2, 8, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(1, 4, 8, 4, 8, 4, DenoiseStep.DDIM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(3, 4, 6, 2, 8, 3, DenoiseStep.MULTISTEP, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(3, 4, 6, 2, 8, 3, DenoiseStep.PREDICTOR_CORRECTOR, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(3, 4, 6, 2, 8, 3, DenoiseStep.LINEAR, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(2, 4, 6, 2, 4, 4, DenoiseStep.LINEAR, DenoiseStep.NOISE_ARRAY),
                () -> SamplerCases.step(7, 4, 6, 2, 8, 3, DenoiseStep.STAGE, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(6, 3, 5, 1, 3, 0, DenoiseStep.STAGE, DenoiseStep.NOISE_ARRAY),
                () -> SamplerCases.step(3, 3, 6, 2, 3, 0, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX),
                () -> SamplerCases.step(2, 4, 6, 2, 8, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_ARRAY),
                () -> DecoderCases.conv(2, 6, 10, 12, 20, 1, Epilogue.BIAS),
                () -> DecoderCases.conv(1, 1, 1, 5, 2, 1, Epilogue.RESIDUAL),
                () -> DecoderCases.attention(2, 20, 16),
                () -> DecoderCases.postQuantConv(2, 4, 30),
                () -> DecoderCases.channelsFirst(2, 3, 4, 35),
                () -> PackingCases.copy(1, 1, 1),
                () -> PackingCases.copy(255, 3, 20),
                () -> PackingCases.copy(257, 33, 7),
                () -> PackingCases.copy(7, 5, 16));
    }

    /** Those whose kernels use PTX instructions: the host emulates them, other devices need {@link Installation}. */
    public static List<Supplier<KernelCase>> tensorCores() {
        List<Supplier<KernelCase>> cases = new ArrayList<>(chosen());
        cases.addAll(BorderCases.all());
        cases.addAll(MixedCases.all());
        cases.addAll(SendingCases.all());
        cases.add(() -> someQueries(AttentionCases::attention, 1));
        cases.add(() -> someQueries(AttentionCases::attention, 2));
        cases.add(() -> someQueries(
                (shape, planes) ->
                        AttentionCases.mma(shape, planes, new MmaAttention.Tiling(4, 2, 64, 2, MmaForm.AMPERE), 1),
                1));
        cases.add(() -> someQueries(
                (shape, planes) ->
                        AttentionCases.mma(shape, planes, new MmaAttention.Tiling(4, 1, 32, 2, MmaForm.VOLTA), 1),
                2));
        cases.add(() -> TransformerCases.sumOfParts(2, 1, 5, 12));
        cases.add(() -> TransformerCases.sumOfParts(8, 3, 16, 32));
        for (boolean second : new boolean[] {false, true}) {
            cases.add(() -> TransformerCases.takeRows(1, 1, 4, 4, second));
            cases.add(() -> TransformerCases.takeRows(3, 64, 16, 96, second));
            cases.add(() -> TransformerCases.takeRows(16, 7, 20, 1028, second));
        }
        for (boolean handOver : new boolean[] {false, true}) {
            cases.add(() -> TransformerCases.throughHost(handOver, 1, 36, Groups.VIRTUAL));
            cases.add(() -> TransformerCases.throughHost(handOver, 3, 132, Groups.VIRTUAL));
        }
        cases.add(() -> TransformerCases.ownedWeights(new Item(0, 64), 0, Groups.VIRTUAL));
        cases.add(() -> TransformerCases.ownedWeights(new Item(4, 33), 0, Groups.VIRTUAL));
        for (int half = 0; half < 2; half++) {
            Item modulations =
                    new Item(OwnedWeights.OWN_MODULATION, OwnedWeights.MODULATION, 3, 12, 3 * 24, 24, 12, 36, 12);
            int ofHalf = half;
            cases.add(() -> TransformerCases.ownedWeights(modulations, ofHalf, Groups.VIRTUAL));
        }
        return cases;
    }

    /** Attention of the second part of each sample's tokens. */
    private static KernelCase someQueries(BiFunction<AttentionShape, Integer, KernelCase> attention, int planes) {
        return attention.apply(new AttentionShape(2, 136, 2, 72, 56, 80), planes);
    }

    private static KernelCase mma(int m, int n, int k, int epilogue, int planes, MmaLinear.Tile tile, int workGroups) {
        return TensorCases.linear(m, n, k, epilogue, 8, planes, tile, workGroups);
    }

    private static KernelCase mma(
            int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int taps,
            int planes,
            int norm,
            int epilogue,
            MmaForm form) {
        return TensorConvolutionCases.conv(
                n, height, width, channels, outChannels, taps, planes, norm, epilogue, new MmaConv2d.Tile(form));
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
                () -> mma(
                        136,
                        96,
                        160,
                        Epilogue.BIAS_HEADS,
                        1,
                        new MmaLinear.Tile(64, 32, 2, 2, 1, 3, MmaForm.AMPERE),
                        1),
                () -> mma(
                        72,
                        88,
                        64,
                        Epilogue.GATE_RESIDUAL,
                        1,
                        new MmaLinear.Tile(64, 32, 1, 2, 2, 4, MmaForm.AMPERE),
                        1),
                // Tiles of one sample's rows.
                () -> TensorCases.linear(
                        128,
                        80,
                        64,
                        Epilogue.GATE_RESIDUAL,
                        64,
                        1,
                        new MmaLinear.Tile(64, 64, 1, 1, 2, 4, MmaForm.AMPERE),
                        2),
                () -> TensorCases.linear(
                        96,
                        96,
                        64,
                        Epilogue.GATE_RESIDUAL,
                        32,
                        2,
                        new MmaLinear.Tile(32, 96, 2, 1, 2, 3, MmaForm.AMPERE),
                        1),
                () -> mma(
                        72, 96, 416, Epilogue.BIAS_GELU, 2, new MmaLinear.Tile(32, 64, 1, 2, 2, 3, MmaForm.AMPERE), 1),
                () -> mma(48, 40, 32, Epilogue.BIAS, 2, new MmaLinear.Tile(32, 16, 2, 1, 2, 4, MmaForm.AMPERE), 2),
                () -> mma(
                        72,
                        88,
                        64,
                        Epilogue.GATE_RESIDUAL,
                        1,
                        new MmaLinear.Tile(64, 32, 1, 2, 2, 2, MmaForm.TURING),
                        1),
                () -> mma(
                        40, 96, 416, Epilogue.BIAS_HEADS, 2, new MmaLinear.Tile(32, 64, 1, 2, 1, 2, MmaForm.TURING), 1),
                () -> mma(72, 96, 64, Epilogue.BIAS_GELU, 1, new MmaLinear.Tile(64, 32, 2, 2, 1, 2, MmaForm.VOLTA), 1),
                () -> mma(
                        40,
                        80,
                        416,
                        Epilogue.GATE_RESIDUAL,
                        2,
                        new MmaLinear.Tile(32, 64, 1, 2, 2, 2, MmaForm.VOLTA),
                        1),
                () -> AttentionCases.mma(1, 64, 2, 72, 1, new MmaAttention.Tiling(4, 2, 64, 2, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(1, 136, 2, 72, 1, new MmaAttention.Tiling(4, 1, 32, 3, 4, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(2, 136, 2, 72, 2, new MmaAttention.Tiling(4, 1, 64, 3, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(1, 72, 1, 64, 2, new MmaAttention.Tiling(2, 2, 32, 3, MmaForm.AMPERE), 132),
                () -> AttentionCases.mma(1, 8, 2, 8, 2, new MmaAttention.Tiling(1, 1, 16, 2, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(1, 40, 1, 32, 1, new MmaAttention.Tiling(2, 1, 48, 4, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(1, 72, 2, 104, 1, new MmaAttention.Tiling(4, 1, 32, 3, MmaForm.AMPERE), 1),
                () -> AttentionCases.mma(1, 152, 1, 128, 2, new MmaAttention.Tiling(2, 1, 32, 2, MmaForm.AMPERE), 2),
                () -> AttentionCases.mma(1, 72, 2, 72, 2, new MmaAttention.Tiling(4, 1, 32, 2, MmaForm.TURING), 1),
                () -> AttentionCases.mma(1, 40, 2, 40, 1, new MmaAttention.Tiling(2, 2, 64, 2, MmaForm.TURING), 1),
                () -> AttentionCases.mma(1, 72, 2, 72, 2, new MmaAttention.Tiling(4, 1, 32, 2, MmaForm.VOLTA), 1),
                () -> AttentionCases.mma(2, 40, 1, 64, 1, new MmaAttention.Tiling(2, 1, 64, 2, MmaForm.VOLTA), 1),
                () -> AttentionCases.mma(1, 8, 2, 8, 2, new MmaAttention.Tiling(1, 1, 16, 2, MmaForm.VOLTA), 1),
                () -> TensorCases.packedRows(5, 48, 2),
                () -> TensorCases.packedRows(130, 16, 1),
                () -> TensorCases.layerNorm(2, 8, 48, 2),
                () -> TensorCases.layerNorm(1, 13, 1152, 2),
                () -> TensorCases.layerNorm(3, 5, 144, 1),
                () -> TensorConvolutionCases.conv(1, 5, 7, 32, 16, 3, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(1, 5, 7, 32, 16, 3, 1, PackedMap.RAW, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 4, 3, 2, PackedMap.NORM_SILU, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 4, 3, 1, PackedMap.NORM_SILU, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 24, 3, 2, PackedMap.NORM_SILU, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(2, 9, 15, 64, 24, 3, 1, PackedMap.NORM_SILU, Epilogue.RESIDUAL),
                () -> TensorConvolutionCases.conv(3, 8, 8, 48, 136, 1, 1, PackedMap.NORM, Epilogue.BIAS),
                () -> TensorConvolutionCases.conv(2, 3, 5, 16, 34, 2, 2, PackedMap.RAW, Epilogue.BIAS),
                () -> mma(1, 5, 7, 32, 16, 3, 2, PackedMap.RAW, Epilogue.BIAS, MmaForm.AMPERE),
                () -> mma(2, 9, 15, 64, 24, 3, 2, PackedMap.NORM_SILU, Epilogue.RESIDUAL, MmaForm.AMPERE),
                () -> mma(3, 8, 8, 48, 136, 1, 1, PackedMap.NORM, Epilogue.BIAS, MmaForm.AMPERE),
                () -> mma(2, 3, 5, 16, 34, 2, 2, PackedMap.RAW, Epilogue.BIAS, MmaForm.AMPERE),
                () -> mma(2, 3, 5, 16, 34, 2, 1, PackedMap.RAW, Epilogue.BIAS, MmaForm.TURING),
                () -> mma(1, 8, 8, 32, 16, 3, 2, PackedMap.RAW, Epilogue.BIAS, MmaForm.TURING),
                () -> mma(2, 3, 5, 16, 34, 2, 2, PackedMap.RAW, Epilogue.RESIDUAL, MmaForm.VOLTA),
                () -> mma(1, 8, 8, 80, 130, 3, 2, PackedMap.NORM, Epilogue.BIAS, MmaForm.VOLTA),
                () -> PackingCases.pack(8, 16, 1, 0),
                () -> PackingCases.pack(8, 16, 2, 1),
                () -> PackingCases.pack(136, 48, 2, 0),
                () -> PackingCases.pack(24, 112, 1, 0),
                () -> PackingCases.pack(72, 144, 2, 3),
                () -> PackingCases.pack(24, 80, 2, 2),
                () -> PackingCases.convolution(1, 16, 1, 2),
                () -> PackingCases.convolution(127, 16, 3, 1),
                () -> PackingCases.convolution(128, 32, 1, 1),
                () -> PackingCases.convolution(129, 32, 3, 2),
                () -> PackingCases.convolution(3, 48, 2, 2),
                () -> PackingCases.convolution(130, 16, 2, 1),
                () -> TensorConvolutionCases.outliers(7, 9, 64, 8, 2),
                () -> TensorConvolutionCases.outliers(7, 9, 64, 8, 1));
    }
}
