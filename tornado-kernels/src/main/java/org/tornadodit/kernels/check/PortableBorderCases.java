package org.tornadodit.kernels.check;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import org.tornadodit.kernels.Attention;
import org.tornadodit.kernels.AttentionShape;
import org.tornadodit.kernels.Conv2d;
import org.tornadodit.kernels.DenoiseStep;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LayerNorm;
import org.tornadodit.kernels.Linear;
import org.tornadodit.kernels.LinearFewRows;
import org.tornadodit.kernels.Softmax;
import org.tornadodit.kernels.Variant;

/**
 * The portable kernels at sizes that come from a rule: where a launch takes another work group, or a loop another round, and
 * a step before and after, in every variant and with every epilogue.
 */
public final class PortableBorderCases {
    private PortableBorderCases() {}

    public static List<Supplier<KernelCase>> all() {
        List<Supplier<KernelCase>> cases = new ArrayList<>();
        linear(cases);
        fewRows(cases);
        attention(cases);
        layerNorm(cases);
        groupNorm(cases);
        convolution(cases);
        elementwise(cases);
        int columns = Borders.group(Softmax.grid(1));
        for (int step : Borders.STEPS) {
            cases.add(() -> DecoderCases.softmax(2, columns + step));
        }
        return cases;
    }

    private static void linear(List<Supplier<KernelCase>> cases) {
        int rows = Borders.tile(m -> Linear.grid(m, 1, 1));
        int columns = Borders.tile(n -> Linear.grid(1, n, 1));
        int buffers = 2 * Linear.K_TILE;
        for (int e = Epilogue.NONE; e <= Epilogue.BIAS_ROW; e++) {
            int epilogue = e;
            for (int step : Borders.STEPS) {
                int m = rows + step;
                int n = columns + Borders.turn(step + epilogue);
                int k = buffers + Borders.turn(step + epilogue / 3);
                cases.add(() -> TransformerCases.linear(m, n, k, epilogue, Launch.ceilDiv(m, 2)));
            }
        }
    }

    private static void fewRows(List<Supplier<KernelCase>> cases) {
        List<Integer> epilogues = List.of(Epilogue.BIAS, Epilogue.BIAS_SILU, Epilogue.NONE);
        List<Variant> variants = LinearFewRows.variants(1, 1);
        for (Variant variant : variants) {
            int number = variants.indexOf(variant);
            int rows = Borders.tile(m -> LinearFewRows.grid(m, 1, variant));
            int columns = Borders.tile(n -> LinearFewRows.grid(1, n, variant));
            int lanes = Borders.group(LinearFewRows.grid(1, 1, variant)) / variant.get(LinearFewRows.WARPS);
            for (int step : Borders.STEPS) {
                int m = rows + step;
                int n = columns + Borders.turn(step + number);
                int k = lanes + Borders.turn(step + number / 3);
                int manyLanes = LinearFewRows.AHEAD * lanes + Borders.turn(step + number / 3);
                int epilogue = epilogues.get(Borders.turn(number - step) + 1);
                cases.add(() ->
                        TransformerCases.fewRowsVariants(m, n, k, epilogue).apply(variant));
                cases.add(() -> TransformerCases.fewRowsVariants(m, n, manyLanes, epilogue)
                        .apply(variant));
            }
        }
    }

    /** Every size of heads; 32 columns are made at a time. */
    private static void attention(List<Supplier<KernelCase>> cases) {
        int tile = Borders.tile(tokens -> Attention.grid(new AttentionShape(1, tokens, 1, 8)));
        for (int size = 8; size <= Attention.MAX_HEAD_SIZE; size += 8) {
            int headSize = size;
            int tokens = tile + Borders.turn(size / 8);
            cases.add(() -> TransformerCases.attention(1, tokens, 1, headSize));
        }
    }

    private static void layerNorm(List<Supplier<KernelCase>> cases) {
        for (Variant variant : LayerNorm.VARIANTS) {
            int rows = Borders.tile(m -> LayerNorm.grid(m, variant));
            int lanes = Borders.group(LayerNorm.grid(1, variant)) / variant.get(LayerNorm.ROWS);
            for (int step : Borders.STEPS) {
                int tokens = Math.max(1, rows + Borders.turn(step + 1));
                cases.add(() -> TransformerCases.layerNormVariants(1, tokens, lanes + step)
                        .apply(variant));
                cases.add(() -> TransformerCases.layerNormVariants(1, tokens, LayerNorm.TOGETHER * lanes + step)
                        .apply(variant));
            }
        }
    }

    private static void groupNorm(List<Supplier<KernelCase>> cases) {
        int part = Borders.tile(pixels -> GroupNorm.partialGrid(1, pixels));
        int whole = part * GroupNorm.parts(Integer.MAX_VALUE);
        int threads = Borders.group(GroupNorm.partialGrid(1, 1));
        for (int step : Borders.STEPS) {
            int channels = threads + step * DecoderCases.GROUPS;
            cases.add(() -> DecoderCases.groupNorm(2, part + Borders.turn(step + 1), channels, 1));
            cases.add(() -> DecoderCases.groupNorm(1, whole + step, DecoderCases.GROUPS, 0));
        }
        for (int parts : new int[] {3, 16, 21}) {
            cases.add(() -> DecoderCases.groupNormJoin(parts * part, DecoderCases.GROUPS));
            cases.add(() -> DecoderCases.groupNormJoin(parts * part - parts / 2, 3 * DecoderCases.GROUPS));
        }
    }

    private static void convolution(List<Supplier<KernelCase>> cases) {
        int rows = Borders.tile(width -> Conv2d.grid(1, 1, width, 1));
        int columns = Borders.tile(outChannels -> Conv2d.grid(1, 1, 1, outChannels));
        for (int epilogue : new int[] {Epilogue.BIAS, Epilogue.RESIDUAL}) {
            for (int step : Borders.STEPS) {
                int outChannels = columns + Borders.turn(step + epilogue);
                int channels = Linear.K_TILE + Borders.turn(step + 1);
                int pixels = rows + step;
                int height = Borders.height(pixels);
                cases.add(() -> DecoderCases.conv(1, height, pixels / height, channels, outChannels, 1, epilogue));
                // Of a doubled image: four pixels a step.
                int small = rows / 4 + step;
                int half = Borders.height(small);
                cases.add(() -> DecoderCases.conv(1, 2 * half, 2 * (small / half), channels, outChannels, 2, epilogue));
            }
        }
    }

    /** A thread a number: the group's last ones have none. */
    private static void elementwise(List<Supplier<KernelCase>> cases) {
        for (int step : Borders.STEPS) {
            for (Variant variant : Launch.ELEMENTWISE_VARIANTS) {
                int threads = Borders.tile(elements -> Launch.elementwise(elements, variant)) + step;
                cases.add(() ->
                        TransformerCases.patchifyVariants(1, 0, threads, 1, 1).apply(variant));
            }
            int size = Borders.tile(Launch::elementwise) + step;
            cases.add(() -> TransformerCases.condition(1, 0, size, 10));
            cases.add(() -> SamplerCases.randn(size, 0));
            cases.add(() -> SamplerCases.step(1, size, 1, 1, 2 * size, 3, DenoiseStep.DDPM, DenoiseStep.NOISE_PHILOX));
            cases.add(() -> SamplerCases.step(1, size, 1, 1, size, 0, DenoiseStep.MULTISTEP, DenoiseStep.NOISE_ARRAY));
            cases.add(() -> SamplerCases.step(
                    1, size, 1, 1, size, 0, DenoiseStep.PREDICTOR_CORRECTOR, DenoiseStep.NOISE_ARRAY));
            cases.add(() -> SamplerCases.step(1, size, 1, 1, size, 0, DenoiseStep.STAGE, DenoiseStep.NOISE_ARRAY));
            cases.add(() -> SamplerCases.step(1, size, 1, 1, size, size, DenoiseStep.DDIM, DenoiseStep.NOISE_ARRAY));
            cases.add(() -> DecoderCases.postQuantConv(1, 1, size));
            cases.add(() -> DecoderCases.channelsFirst(1, 1, 2, size));
        }
    }
}
