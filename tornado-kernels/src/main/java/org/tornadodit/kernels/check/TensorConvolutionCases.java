package org.tornadodit.kernels.check;

import java.util.Arrays;
import java.util.Map;
import java.util.function.IntToDoubleFunction;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.ConvolutionShape;
import org.tornadodit.kernels.ConvolutionTile;
import org.tornadodit.kernels.ConvolutionWeights;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.MmaConv2d;
import org.tornadodit.kernels.MmaForm;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorConv2d;
import org.tornadodit.kernels.TensorConv2dArguments;
import org.tornadodit.kernels.ptx.Halves;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** Cases of the tensor cores' convolutions, each with the kernels that normalize and pack its input. */
public final class TensorConvolutionCases {
    /** Multiprocessors of the H200: blocks of a large convolution. */
    private static final int MULTIPROCESSORS = 132;
    /** Numbers of a small shape. */
    private static final int FEW = 1 << 20;

    private TensorConvolutionCases() {}

    /**
     * @param taps 3; 1; or 2 for 3 x 3 of the doubled image
     * @param norm of {@link PackedMap}
     */
    public static KernelCase conv(
            int n, int height, int width, int channels, int outChannels, int taps, int planes, int norm, int epilogue) {
        return conv(n, height, width, channels, outChannels, taps, planes, norm, epilogue, new TensorConv2d.Tile());
    }

    /** By either kernel. */
    public static KernelCase conv(
            int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int taps,
            int planes,
            int norm,
            int epilogue,
            ConvolutionTile tile) {
        FloatArray x = Data.random(1, n * height * width * channels, 1);
        int kernel = taps == 1 ? 1 : 3;
        FloatArray weight =
                Data.random(2, outChannels * channels * kernel * kernel, 1 / Math.sqrt(kernel * kernel * channels));
        return conv(n, height, width, channels, outChannels, taps, planes, norm, epilogue, tile, x, weight, "");
    }

    /** Inputs up to 10^4, and weights from 10^-6 to 10 in one matrix. */
    public static KernelCase outliers(int height, int width, int channels, int outChannels, int planes) {
        FloatArray x = Data.random(1, height * width * channels, 1);
        for (int i = 0; i < x.getSize(); i += 97) {
            x.set(i, x.get(i) * 5000f);
        }
        FloatArray weight = Data.random(2, outChannels * channels * 9, 1);
        for (int i = 0; i < weight.getSize(); i++) {
            weight.set(i, weight.get(i) * (float) Math.pow(10, -6 + 7.0 * (i % 101) / 100));
        }
        return conv(
                1,
                height,
                width,
                channels,
                outChannels,
                3,
                planes,
                PackedMap.RAW,
                Epilogue.BIAS,
                new TensorConv2d.Tile(),
                x,
                weight,
                " outliers");
    }

    private static KernelCase conv(
            int n,
            int height,
            int width,
            int channels,
            int outChannels,
            int taps,
            int planes,
            int norm,
            int epilogue,
            ConvolutionTile tile,
            FloatArray x,
            FloatArray weight,
            String suffix) {
        KernelContext context = new KernelContext();
        int kernel = taps == 1 ? 1 : 3;
        int doubling = taps == 2 ? 2 : 1;
        int groups = Math.min(32, channels / 4);
        int pixels = height * width;
        int outSize = n * pixels * doubling * doubling * outChannels;
        // The second of two layers.
        IntArray run = Data.ints(1, n);
        // Behind another's, as in a decoder.
        int layerSize = ConvolutionWeights.size(outChannels, channels, taps, planes);
        int biases = ConvolutionWeights.biases(outChannels);
        IntArray packedWeight = ArrayPages.ints(3 * layerSize);
        float[] weights = weight.toHeapArray();
        float undo = ConvolutionWeights.packOnHost(weights, outChannels, channels, taps, planes, packedWeight, 2);
        FloatArray bias = Data.random(3, 3 * biases, 1);
        bias.set(2 * biases + outChannels, norm == PackedMap.RAW ? undo / PackedMap.RAW_SCALE : undo);
        FloatArray gamma = Data.random(5, 2 * channels, 1);
        FloatArray beta = Data.random(6, 2 * channels, 1);
        FloatArray residual = Data.random(4, epilogue == Epilogue.RESIDUAL ? outSize : 1, 1);
        FloatArray sums = ArrayPages.floats(n * GroupNorm.parts(pixels) * groups * 2);
        FloatArray statistics = ArrayPages.floats(n * groups * 2);
        IntArray map = ArrayPages.ints(PackedMap.size(n, height, width, channels, planes));
        IntArray overflow = Data.ints(0);
        FloatArray out = ArrayPages.floats(outSize);
        int parts = GroupNorm.parts(pixels);
        // Small shapes, too, have blocks that take several tiles.
        int together = outSize < FEW ? 2 : MULTIPROCESSORS;
        ConvolutionShape shape = new ConvolutionShape(n, height, width, channels, outChannels);
        TensorConv2dArguments arguments = new TensorConv2dArguments(
                run,
                map,
                packedWeight,
                bias,
                residual,
                out,
                layerSize,
                biases,
                shape,
                taps,
                planes,
                epilogue,
                tile,
                tile.blocks(shape, taps, planes, together));
        IntToDoubleFunction input = known(
                norm == PackedMap.RAW
                        ? x::get
                        : normalized(x, gamma, beta, n, pixels, channels, groups, norm == PackedMap.NORM_SILU),
                x.getSize());
        return new KernelCase(
                (tile instanceof MmaConv2d.Tile(MmaForm form) ? "mmaConv " + form : "tensorConv") + " taps " + taps
                        + " planes " + planes + suffix,
                n + "x" + height + "x" + width + "x" + channels + "->" + outChannels,
                new Object[] {run, x, packedWeight, bias, gamma, beta, residual, overflow},
                graph -> arguments.task(
                        (norm == PackedMap.RAW
                                        ? graph
                                        : GroupNorm.finishTask(
                                                graph.task(
                                                        "partial",
                                                        GroupStatistics::partial,
                                                        context,
                                                        x,
                                                        sums,
                                                        0,
                                                        pixels,
                                                        channels,
                                                        groups,
                                                        parts),
                                                "finish",
                                                context,
                                                sums,
                                                statistics,
                                                n,
                                                pixels,
                                                channels,
                                                groups,
                                                parts,
                                                1e-6f))
                                .task(
                                        "pack",
                                        PackedMap::pack,
                                        context,
                                        run,
                                        x,
                                        norm == PackedMap.RAW ? gamma : statistics,
                                        gamma,
                                        beta,
                                        map,
                                        overflow,
                                        0,
                                        n,
                                        height,
                                        width,
                                        channels,
                                        groups,
                                        planes,
                                        norm),
                        "conv"),
                norm == PackedMap.RAW
                        ? Map.of("pack", PackedMap.grid(n, height, width, channels), "conv", arguments.grid())
                        : Map.of(
                                "partial", GroupNorm.partialGrid(n, pixels),
                                "finish", GroupNorm.finishGrid(n, groups, parts),
                                "pack", PackedMap.grid(n, height, width, channels),
                                "conv", arguments.grid()),
                out,
                i -> reference(
                        input,
                        weights,
                        bias,
                        residual,
                        height * doubling,
                        width * doubling,
                        channels,
                        outChannels,
                        kernel,
                        doubling,
                        epilogue,
                        i),
                planes == 2 ? TransformerCases.productBound(kernel * kernel * channels) : 6e-4,
                2.0 * kernel * kernel * outSize * channels,
                4.0 * (x.getSize() + out.getSize()));
    }

    /**
     * {@link PackedMap} alone, all positions: pixels and the zeros between and around them.
     *
     * @param norm of {@link PackedMap}
     */
    static KernelCase map(int n, int height, int width, int channels, int planes, int norm) {
        KernelContext context = new KernelContext();
        int pixels = height * width;
        int groups = channels / 4;
        // The second of two layers.
        IntArray run = Data.ints(1, n);
        IntArray overflow = Data.ints(0, 0);
        FloatArray x = Data.random(1, n * pixels * channels, 1);
        FloatArray gamma = Data.random(5, 2 * channels, 1);
        FloatArray beta = Data.random(6, 2 * channels, 1);
        double[] exact = DecoderCases.exactStatistics(x, n, pixels, channels, groups);
        FloatArray statistics = ArrayPages.floats(exact.length);
        for (int i = 0; i < exact.length; i++) {
            statistics.set(i, (float) exact[i]);
        }
        IntToDoubleFunction value = norm == PackedMap.RAW
                ? i -> x.get(i) * PackedMap.RAW_SCALE
                : normalized(x, gamma, beta, n, pixels, channels, groups, norm == PackedMap.NORM_SILU);
        IntArray out = ArrayPages.ints(PackedMap.size(n, height, width, channels, planes));
        int length = PackedMap.length(n, height, width);
        int[] pixelAt = new int[length];
        Arrays.fill(pixelAt, -1);
        for (int pixel = 0; pixel < n * pixels; pixel++) {
            int row = pixel / pixels * (height + 1) + pixel % pixels / width;
            pixelAt[PackedMap.front(width) + row * (width + 1) + pixel % width] = pixel;
        }
        return new KernelCase(
                "packedMap " + norm + " planes " + planes,
                n + "x" + height + "x" + width + "x" + channels,
                new Object[] {run, x, statistics, gamma, beta, overflow},
                graph -> graph.task(
                        "pack",
                        PackedMap::pack,
                        context,
                        run,
                        x,
                        statistics,
                        gamma,
                        beta,
                        out,
                        overflow,
                        0,
                        n,
                        height,
                        width,
                        channels,
                        groups,
                        planes,
                        norm),
                Map.of("pack", PackedMap.grid(n, height, width, channels)),
                out,
                length * channels,
                i -> packed(out, i / channels, i % channels, length, planes),
                i -> pixelAt[i / channels] < 0
                        ? 0
                        : value.applyAsDouble(pixelAt[i / channels] * channels + i % channels),
                planes == 2 ? 1e-6 : 4e-4,
                0,
                4.0 * (x.getSize() + out.getSize()));
    }

    private static double packed(IntArray map, int position, int channel, int length, int planes) {
        int at = (channel / 8 * planes * length + position) * 4 + channel % 8 / 2;
        double value = half(map.get(at), channel);
        return planes == 2 ? value + half(map.get(at + 4 * length), channel) / PackedMap.LOW : value;
    }

    private static double half(int pair, int channel) {
        return channel % 2 == 0 ? Halves.first(pair) : Halves.second(pair);
    }

    /** The same values, computed once where there are few: a convolution takes each a thousand times. */
    private static IntToDoubleFunction known(IntToDoubleFunction values, int size) {
        if (size > FEW) {
            return values;
        }
        double[] all = new double[size];
        Arrays.setAll(all, values);
        return i -> all[i];
    }

    private static IntToDoubleFunction normalized(
            FloatArray x,
            FloatArray gamma,
            FloatArray beta,
            int n,
            int pixels,
            int channels,
            int groups,
            boolean silu) {
        double[] statistics = DecoderCases.exactStatistics(x, n, pixels, channels, groups);
        return i -> {
            int channel = i % channels;
            int at = (i / (pixels * channels) * groups + channel / (channels / groups)) * 2;
            double v = (x.get(i) - statistics[at]) * statistics[at + 1] * gamma.get(channels + channel)
                    + beta.get(channels + channel);
            return silu ? v / (1 + Math.exp(-v)) : v;
        };
    }

    /** The float64 value of out[index], for an output of (height, width). */
    private static double reference(
            IntToDoubleFunction x,
            float[] weight,
            FloatArray bias,
            FloatArray residual,
            int height,
            int width,
            int channels,
            int outChannels,
            int kernel,
            int doubling,
            int epilogue,
            int index) {
        int pixel = index / outChannels;
        int o = index % outChannels;
        int image = pixel / (height * width);
        double sum = bias.get(2 * ConvolutionWeights.biases(outChannels) + o);
        for (int tap = 0; tap < kernel * kernel; tap++) {
            int row = pixel / width % height + tap / kernel - kernel / 2;
            int column = pixel % width + tap % kernel - kernel / 2;
            if (row < 0 || row >= height || column < 0 || column >= width) {
                continue;
            }
            int from = ((image * (height / doubling) + row / doubling) * (width / doubling) + column / doubling)
                    * channels;
            for (int c = 0; c < channels; c++) {
                sum += x.applyAsDouble(from + c) * weight[(o * channels + c) * kernel * kernel + tap];
            }
        }
        return epilogue == Epilogue.RESIDUAL ? sum + residual.get(index) : sum;
    }
}
