package org.tornadodit.kernels.check;

import java.util.Map;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.Conv2d;
import org.tornadodit.kernels.Conv2dArguments;
import org.tornadodit.kernels.ConvolutionShape;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.ImageLayout;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.LinearArguments.After;
import org.tornadodit.kernels.LinearArguments.Stack;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.Softmax;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.common.TornadoFunctions.Task8;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the VAE decoder's kernels. */
public final class DecoderCases {
    public static final int GROUPS = 32;

    private DecoderCases() {}

    public static KernelCase conv(
            int n, int height, int width, int channels, int outChannels, int scale, int epilogue) {
        int pixels = n * height * width;
        FloatArray x = Data.random(1, pixels / (scale * scale) * channels, 1);
        // The second of two layers.
        IntArray layer = Data.ints(1);
        FloatArray weight = Data.random(2, 2 * outChannels * 9 * channels, 1 / Math.sqrt(9 * channels));
        FloatArray bias = Data.random(3, 2 * outChannels, 1);
        FloatArray residual = Data.random(4, epilogue == Epilogue.RESIDUAL ? pixels * outChannels : 1, 1);
        FloatArray out = ArrayPages.floats(pixels * outChannels);
        Conv2dArguments arguments = new Conv2dArguments(
                layer,
                x,
                weight,
                bias,
                residual,
                out,
                new ConvolutionShape(n, height, width, channels, outChannels),
                scale,
                epilogue);
        return new KernelCase(
                "conv3x3 scale " + scale,
                n + "x" + height + "x" + width + "x" + channels + "->" + outChannels,
                new Object[] {layer, x, weight, bias, residual},
                graph -> arguments.task(graph, "conv"),
                Map.of("conv", arguments.grid(n)),
                out,
                i -> Conv2d.reference(
                        layer,
                        x,
                        weight,
                        bias,
                        residual,
                        height,
                        width,
                        channels,
                        outChannels,
                        scale,
                        epilogue,
                        i / outChannels,
                        i % outChannels),
                TransformerCases.productBound(9 * channels),
                18.0 * pixels * channels * outChannels,
                4.0 * (x.getSize() + (double) weight.getSize() + out.getSize()));
    }

    public static KernelCase groupNorm(int n, int pixels, int channels, int silu) {
        return groupNorm(n, pixels, channels, silu, "groupNorm", GroupNorm::partial);
    }

    /** {@link GroupNorm} with the statistics of {@link GroupStatistics}. */
    public static KernelCase groupStatistics(int n, int pixels, int channels) {
        return groupNorm(n, pixels, channels, 0, "groupStatistics", GroupStatistics::partial);
    }

    private static KernelCase groupNorm(
            int n,
            int pixels,
            int channels,
            int silu,
            String name,
            Task8<KernelContext, FloatArray, FloatArray, Integer, Integer, Integer, Integer, Integer> partial) {
        KernelContext context = new KernelContext();
        FloatArray x = Data.random(1, n * pixels * channels, 1);
        for (int i = 0; i < x.getSize(); i++) {
            x.set(i, x.get(i) + 20f);
        }
        IntArray layer = Data.ints(1);
        FloatArray weight = Data.random(2, 2 * channels, 1);
        FloatArray bias = Data.random(3, 2 * channels, 1);
        int parts = GroupNorm.parts(pixels);
        FloatArray sums = ArrayPages.floats(n * parts * GROUPS * 2);
        FloatArray statistics = ArrayPages.floats(n * GROUPS * 2);
        FloatArray out = ArrayPages.floats(x.getSize());
        double[] exact = exactStatistics(x, n, pixels, channels, GROUPS);
        return new KernelCase(
                name,
                n + "x" + pixels + "x" + channels,
                new Object[] {layer, x, weight, bias},
                graph -> GroupNorm.finishTask(
                                graph.task("partial", partial, context, x, sums, 0, pixels, channels, GROUPS, parts),
                                "finish",
                                context,
                                sums,
                                statistics,
                                n,
                                pixels,
                                channels,
                                GROUPS,
                                parts,
                                1e-6f)
                        .task(
                                "apply",
                                GroupNorm::scaleAndShift,
                                context,
                                layer,
                                x,
                                statistics,
                                weight,
                                bias,
                                out,
                                n,
                                pixels,
                                channels,
                                GROUPS,
                                silu),
                Map.of(
                        "partial", GroupNorm.partialGrid(n, pixels),
                        "finish", GroupNorm.finishGrid(n, GROUPS, parts),
                        "apply", Launch.elementwise(x.getSize())),
                out,
                i -> {
                    int channel = i % channels;
                    int at = (i / (pixels * channels) * GROUPS + channel / (channels / GROUPS)) * 2;
                    double v = (x.get(i) - exact[at]) * exact[at + 1] * weight.get(channels + channel)
                            + bias.get(channels + channel);
                    return silu == 1 ? v / (1 + Math.exp(-v)) : v;
                },
                // The mean of values near 20 is rounded to 1e-6 of their deviation.
                5e-6,
                0,
                12.0 * x.getSize());
    }

    /**
     * {@link GroupNorm#finish} of so few parts that shares are rounded to nearest: bit by bit. Parts before that of the group's number
     * have mean 0, this one 1, and those behind it what the mean then is, so that another rounding of any share shows.
     */
    public static KernelCase groupNormJoin(int pixels, int channels) {
        KernelContext context = new KernelContext();
        int parts = GroupNorm.parts(pixels);
        int perPart = Launch.ceilDiv(pixels, parts);
        float[] means = new float[GROUPS];
        FloatArray sums = ArrayPages.floats(parts * GROUPS * 2);
        for (int group = 0; group < GROUPS; group++) {
            int one = group % parts;
            float more = (Math.min(pixels, (one + 1) * perPart) - one * perPart) * (channels / GROUPS);
            means[group] = more / (one * perPart * (channels / GROUPS) + more);
            for (int part = 0; part < parts; part++) {
                sums.set((part * GROUPS + group) * 2, part < one ? 0f : part == one ? 1f : means[group]);
                sums.set((part * GROUPS + group) * 2 + 1, 0f);
            }
        }
        FloatArray statistics = ArrayPages.floats(GROUPS * 2);
        return new KernelCase(
                "groupNormJoin",
                pixels + "x" + channels,
                new Object[] {sums},
                graph -> GroupNorm.finishTask(
                        graph, "finish", context, sums, statistics, 1, pixels, channels, GROUPS, parts, 1e-6f),
                Map.of("finish", GroupNorm.finishGrid(1, GROUPS, parts)),
                statistics,
                GROUPS,
                i -> statistics.get(2 * i),
                i -> means[i],
                0,
                0,
                4.0 * sums.getSize());
    }

    /** Mean and 1 / sqrt(variance + 1e-6) of every image and group, in two passes of float64. */
    static double[] exactStatistics(FloatArray x, int n, int pixels, int channels, int groups) {
        int perGroup = channels / groups;
        double[] result = new double[n * groups * 2];
        for (int pass = 0; pass < 2; pass++) {
            for (int i = 0; i < x.getSize(); i++) {
                int at = (i / (pixels * channels) * groups + i % channels / perGroup) * 2;
                double difference = x.get(i) - result[at];
                result[at + pass] += pass == 0 ? x.get(i) : difference * difference;
            }
            for (int at = 0; at < result.length; at += 2) {
                double average = result[at + pass] / pixels / perGroup;
                result[at + pass] = pass == 0 ? average : 1 / Math.sqrt(average + 1e-6);
            }
        }
        return result;
    }

    /** The mid block's attention after its projections: values come transposed from the product W_v x^T. */
    public static KernelCase attention(int n, int tokens, int channels) {
        KernelContext context = new KernelContext();
        IntArray layer = Data.ints(0);
        FloatArray q = Data.random(1, n * tokens * channels, 1);
        FloatArray k = Data.random(2, n * tokens * channels, 1);
        FloatArray x = Data.random(3, n * tokens * channels, 1);
        IntArray batch = Batch.allRows();
        FloatArray valueWeight = Data.random(4, channels * channels, 1 / Math.sqrt(channels));
        FloatArray valueBias = Data.random(5, channels, 1);
        FloatArray values = ArrayPages.floats(n * channels * tokens);
        FloatArray scores = ArrayPages.floats(n * tokens * tokens);
        FloatArray out = ArrayPages.floats(n * tokens * channels);
        float scale = (float) (1 / Math.sqrt(channels));
        int image = tokens * channels;
        LinearArguments valuesArguments = new LinearArguments(
                layer,
                batch,
                valueWeight,
                x,
                valueBias,
                values,
                new ProductShape(channels, tokens, channels),
                After.of(Epilogue.BIAS_ROW, q, 1),
                new Stack(n, 0, image, image));
        LinearArguments scoresArguments = new LinearArguments(
                layer,
                batch,
                q,
                k,
                valueBias,
                scores,
                new ProductShape(tokens, tokens, channels),
                After.of(Epilogue.NONE, q, 1),
                new Stack(n, image, image, tokens * tokens));
        LinearArguments weightedArguments = new LinearArguments(
                layer,
                batch,
                scores,
                values,
                valueBias,
                out,
                new ProductShape(tokens, channels, tokens),
                After.of(Epilogue.NONE, q, 1),
                new Stack(n, tokens * tokens, image, image));
        return new KernelCase(
                "vae attention",
                n + "x" + tokens + "x" + channels,
                new Object[] {layer, batch, q, k, x, valueWeight, valueBias},
                graph -> weightedArguments.task(
                        scoresArguments
                                .task(valuesArguments.task(graph, "values"), "scores")
                                .task("softmax", Softmax::softmax, context, scores, tokens, scale),
                        "weighted"),
                Map.of(
                        "values", valuesArguments.grid(),
                        "scores", scoresArguments.grid(),
                        "softmax", Softmax.grid(n * tokens),
                        "weighted", weightedArguments.grid()),
                out,
                i -> attentionReference(q, k, x, valueWeight, valueBias, tokens, channels, i),
                2e-6,
                2.0 * n * tokens * channels * (channels + 2.0 * tokens),
                0);
    }

    /** {@link Softmax}, in place: right after one execution only. */
    public static KernelCase softmax(int rows, int columns) {
        KernelContext context = new KernelContext();
        FloatArray x = Data.random(1, rows * columns, 3);
        FloatArray before = Data.copy(x);
        float scale = 0.7f;
        return new KernelCase(
                "softmax",
                rows + "x" + columns,
                new Object[] {x},
                graph -> graph.task("softmax", Softmax::softmax, context, x, columns, scale),
                Map.of("softmax", Softmax.grid(rows)),
                x,
                i -> Softmax.reference(before, columns, scale, i / columns, i % columns),
                1e-6,
                0,
                8.0 * rows * columns);
    }

    private static double attentionReference(
            FloatArray q,
            FloatArray k,
            FloatArray x,
            FloatArray valueWeight,
            FloatArray valueBias,
            int tokens,
            int channels,
            int index) {
        int image = index / (tokens * channels) * tokens;
        int query = index / channels * channels;
        int channel = index % channels;
        double[] weights = new double[tokens];
        double sum = 0;
        for (int token = 0; token < tokens; token++) {
            double dot = 0;
            for (int c = 0; c < channels; c++) {
                dot += (double) q.get(query + c) * k.get((image + token) * channels + c);
            }
            weights[token] = Math.exp(dot / Math.sqrt(channels));
            sum += weights[token];
        }
        double result = valueBias.get(channel);
        for (int c = 0; c < channels; c++) {
            double mean = 0;
            for (int token = 0; token < tokens; token++) {
                mean += weights[token] / sum * x.get((image + token) * channels + c);
            }
            result += mean * valueWeight.get(channel * channels + c);
        }
        return result;
    }

    public static KernelCase postQuantConv(int n, int channels, int pixels) {
        KernelContext context = new KernelContext();
        FloatArray latents = Data.random(1, n * channels * pixels, 1);
        FloatArray weight = Data.random(2, channels * channels, 0.5);
        FloatArray bias = Data.random(3, channels, 1);
        FloatArray out = ArrayPages.floats(latents.getSize());
        float factor = 0.18215f;
        return new KernelCase(
                "postQuantConv",
                n + "x" + channels + "x" + pixels,
                new Object[] {latents, weight, bias},
                graph -> graph.task(
                        "conv",
                        ImageLayout::postQuantConv,
                        context,
                        latents,
                        weight,
                        bias,
                        out,
                        n,
                        channels,
                        pixels,
                        factor),
                Map.of("conv", Launch.elementwise(out.getSize())),
                out,
                i -> ImageLayout.postQuantConvReference(latents, weight, bias, channels, pixels, factor, i),
                5e-7,
                0,
                8.0 * out.getSize());
    }

    public static KernelCase channelsFirst(int n, int channels, int stride, int pixels) {
        KernelContext context = new KernelContext();
        FloatArray x = Data.random(1, n * stride * pixels, 1);
        FloatArray out = ArrayPages.floats(n * channels * pixels);
        return new KernelCase(
                "channelsFirst",
                n + "x" + pixels + "x" + channels,
                new Object[] {x},
                graph -> graph.task("layout", ImageLayout::channelsFirst, context, x, out, n, channels, stride, pixels),
                Map.of("layout", Launch.elementwise(out.getSize())),
                out,
                i -> x.get((i / (channels * pixels) * pixels + i % pixels) * stride + i / pixels % channels),
                0,
                0,
                8.0 * out.getSize());
    }
}
