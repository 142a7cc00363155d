package org.tornadodit.scheduler.graph;

import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import org.tornadodit.kernels.Batch;
import org.tornadodit.kernels.Conv2dArguments;
import org.tornadodit.kernels.ConvolutionShape;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.ImageLayout;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.LinearArguments;
import org.tornadodit.kernels.LinearArguments.After;
import org.tornadodit.kernels.LinearArguments.Stack;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.ProductShape;
import org.tornadodit.kernels.Softmax;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Norm;
import org.tornadodit.model.vae.VaeWeights.Resnet;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.graph.Bands.Band;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/** The decoder's parts as tasks of portable FP32 kernels. Feature maps are (N, H, W, C). */
final class PortableDecoder implements DecoderOperations {
    private final VaeBuffers buffers;
    private final VaeConfig config;
    private final ArraySource arrays;
    private final BandExchanges exchanges;
    private final KernelContext context = new KernelContext();

    PortableDecoder(VaeBuffers buffers, VaeConfig config, BandExchanges exchanges) {
        this.buffers = buffers;
        this.arrays = buffers.arrays;
        this.config = config;
        this.exchanges = exchanges;
    }

    @Override
    public void head(GraphScope g, VaeWeights weights, int out) {
        int size = buffers.latentSize;
        int pixels = size * size;
        int channels = config.latentChannels();
        Linear quant = weights.postQuantConv() != null ? weights.postQuantConv() : identity(channels);
        FloatArray weight = DeviceArrays.of(arrays, quant.weight());
        FloatArray bias = DeviceArrays.of(arrays, quant.bias());
        upload(g, weight);
        upload(g, bias);
        g.sendEach(buffers.latents);
        double inputs = (double) buffers.count * pixels;
        g.task(
                "post_quant_conv",
                Work.convolution(
                        OperationShape.of("postQuantConv", buffers.count, pixels, channels),
                        inputs,
                        channels,
                        channels,
                        1,
                        Float.BYTES,
                        2 * Float.BYTES * inputs * channels),
                images -> Launch.elementwise(images * pixels * channels),
                graph -> graph.task(
                        "post_quant_conv",
                        ImageLayout::postQuantConv,
                        context,
                        buffers.latents,
                        weight,
                        bias,
                        buffers.normed,
                        buffers.count,
                        channels,
                        pixels,
                        (float) config.scalingFactor()));
        FloatArray branch = buffers.branch(size);
        conv(g, "conv_in", List.of(weights.convIn()), buffers.normed, branch, branch, size, 1, Epilogue.BIAS);
        int elements = buffers.count * pixels * out;
        g.task(
                "x",
                Work.moving(2.0 * Float.BYTES * elements, "copy", elements),
                images -> Launch.elementwise(images * pixels * out),
                graph -> graph.task("x", Embedding::copy, context, branch, buffers.x(size), elements));
    }

    @Override
    public void resnet(GraphScope g, List<Resnet> layers, int in, int out, int size) {
        FloatArray x = buffers.x(size);
        FloatArray branch = buffers.branch(size);
        FloatArray normed = buffers.normed;
        norm(g, "norm1", of(layers, Resnet::norm1), x, normed, in, size, true);
        conv(g, "conv1", of(layers, Resnet::conv1), normed, branch, branch, size, 1, Epilogue.BIAS);
        norm(g, "norm2", of(layers, Resnet::norm2), branch, normed, out, size, true);
        FloatArray residual = x;
        if (in != out) {
            pointwise(
                    g, "conv_shortcut", of(layers, PortableDecoder::shortcut), x, branch, branch, size, Epilogue.BIAS);
            residual = branch;
        }
        conv(g, "conv2", of(layers, Resnet::conv2), normed, x, residual, size, 1, Epilogue.RESIDUAL);
    }

    static Linear shortcut(Resnet resnet) {
        if (resnet.shortcut() == null) {
            throw new IllegalArgumentException("a residual layer that changes its channels has no conv_shortcut");
        }
        return resnet.shortcut();
    }

    @Override
    public void attention(GraphScope g, VaeWeights.Attention layer, int channels, int size) {
        int tokens = size * size;
        int image = tokens * channels;
        FloatArray x = buffers.x(size);
        FloatArray normed = buffers.normed;
        g.scratch(buffers.query, buffers.key, buffers.value, buffers.scores);
        norm(g, "group_norm", List.of(layer.norm()), x, normed, channels, size, false);
        pointwise(g, "to_q", List.of(layer.query()), normed, buffers.query, buffers.query, size, Epilogue.BIAS);
        pointwise(g, "to_k", List.of(layer.key()), normed, buffers.key, buffers.key, size, Epilogue.BIAS);
        // The values come transposed, W_v x^T, as the right operand of the product with the probabilities.
        FloatArray weight = upload(g, DeviceArrays.of(arrays, layer.value().weight()));
        FloatArray bias = upload(g, DeviceArrays.of(arrays, layer.value().bias()));
        matrices(
                g,
                "to_v",
                weight,
                normed,
                bias,
                buffers.value,
                new ProductShape(channels, tokens, channels),
                Epilogue.BIAS_ROW,
                new Stack(buffers.count, 0, image, image));
        matrices(
                g,
                "scores",
                buffers.query,
                buffers.key,
                bias,
                buffers.scores,
                new ProductShape(tokens, tokens, channels),
                Epilogue.NONE,
                new Stack(buffers.count, image, image, tokens * tokens));
        float scale = (float) (1 / Math.sqrt(channels));
        g.task(
                "softmax",
                Work.moving(
                        2.0 * Float.BYTES * buffers.count * tokens * tokens, "softmax", buffers.count * tokens, tokens),
                images -> Softmax.grid(images * tokens),
                graph -> graph.task("softmax", Softmax::softmax, context, buffers.scores, tokens, scale));
        matrices(
                g,
                "values",
                buffers.scores,
                buffers.value,
                bias,
                normed,
                new ProductShape(tokens, channels, tokens),
                Epilogue.NONE,
                new Stack(buffers.count, tokens * tokens, image, image));
        pointwise(g, "to_out", List.of(layer.out()), normed, x, x, size, Epilogue.RESIDUAL);
    }

    @Override
    public void upsampler(GraphScope g, Linear conv, int channels, int size) {
        FloatArray out = buffers.x(2 * size);
        FloatArray x = rows(g, channels, size, buffers.normed);
        conv(g, "upsampler", List.of(conv), x, out, out, 2 * size, 2, Epilogue.BIAS);
    }

    /** The rows of a map that its upsampler reads, in an array of their own where they are not all that are there. */
    FloatArray rows(GraphScope g, int channels, int size, FloatArray own) {
        FloatArray x = buffers.x(size);
        Band there = buffers.bands.at(size);
        Band read = buffers.bands.before(size);
        if (there.pixels() == read.pixels()) {
            return x;
        }
        int elements = read.pixels() * channels;
        int first = (read.first() - there.first()) * size * channels;
        g.task(
                "rows",
                Work.moving(2.0 * Float.BYTES * elements, "rows", elements),
                () -> Launch.elementwise(elements),
                graph -> graph.task("rows", ImageLayout::rows, context, x, own, first, elements));
        return own;
    }

    @Override
    public void tail(GraphScope g, VaeWeights weights, int in, int out, int size) {
        FloatArray branch = buffers.branch(size);
        norm(g, "conv_norm_out", List.of(weights.normOut()), buffers.x(size), buffers.normed, in, size, true);
        conv(g, "conv_out", List.of(weights.convOut()), buffers.normed, branch, branch, size, 1, Epilogue.BIAS);
        images(g, branch, out, size);
    }

    /** The images channels first, from an array (N, H, W, stride) whose first channels they are. */
    void images(GraphScope g, FloatArray x, int stride, int size) {
        int pixels = buffers.bands.at(size).pixels();
        double elements = (double) buffers.count * pixels;
        g.task(
                "images",
                Work.moving(
                        Float.BYTES * elements * (stride + config.outChannels()),
                        "channelsFirst",
                        buffers.count,
                        config.outChannels(),
                        stride,
                        pixels),
                images -> Launch.elementwise(images * config.outChannels() * pixels),
                graph -> graph.task(
                        "images",
                        ImageLayout::channelsFirst,
                        context,
                        x,
                        buffers.images,
                        buffers.count,
                        config.outChannels(),
                        stride,
                        pixels));
    }

    private void norm(
            GraphScope g,
            String task,
            List<Norm> norms,
            FloatArray x,
            FloatArray out,
            int channels,
            int size,
            boolean silu) {
        int pixels = buffers.bands.at(size).pixels();
        int groups = config.normNumGroups();
        FloatArray weight = upload(
                g, DeviceArrays.stacked(arrays, norms.stream().map(Norm::weight).toList()));
        FloatArray bias = upload(
                g, DeviceArrays.stacked(arrays, norms.stream().map(Norm::bias).toList()));
        statistics(g, task, x, channels, size);
        double elements = (double) buffers.count * pixels * channels;
        g.task(
                task,
                new Work(
                        OperationShape.of("groupNorm", buffers.count, pixels, channels),
                        0,
                        2.0 * Float.BYTES * channels,
                        2 * Float.BYTES * elements,
                        null),
                images -> Launch.elementwise(images * pixels * channels),
                graph -> graph.task(
                        task,
                        GroupNorm::scaleAndShift,
                        context,
                        buffers.run(),
                        x,
                        buffers.statistics,
                        weight,
                        bias,
                        out,
                        buffers.count,
                        pixels,
                        channels,
                        groups,
                        silu ? 1 : 0));
    }

    /** Mean and deviation of each image and group of x, for the norm that is {@code task}. */
    private void statistics(GraphScope g, String task, FloatArray x, int channels, int size) {
        Band band = buffers.bands.at(size);
        g.task(
                task + "_partial",
                statistics(channels, size),
                images -> GroupNorm.partsGrid(images, band.ownParts()),
                graph -> graph.task(
                        task + "_partial",
                        GroupNorm::partial,
                        context,
                        x,
                        buffers.sums,
                        band.skipped(),
                        band.ownPixels(),
                        channels,
                        config.normNumGroups(),
                        band.ownParts()));
        finish(g, task, channels, size);
    }

    /** What reading a map for its statistics takes. */
    Work statistics(int channels, int size) {
        int pixels = buffers.bands.at(size).ownPixels();
        return Work.moving(
                (double) Float.BYTES * buffers.count * pixels * channels,
                "groupStatistics",
                buffers.count,
                pixels,
                channels);
    }

    /** Joins the parts' statistics, of all devices. */
    void finish(GraphScope g, String task, int channels, int size) {
        int groups = config.normNumGroups();
        Band band = buffers.bands.at(size);
        g.scratch(buffers.sums, buffers.statistics);
        FloatArray sums = exchanges.sums(g, task, band, groups);
        int parts = band.allParts();
        g.task(
                task + "_finish",
                Work.moving(
                        2.0 * Float.BYTES * buffers.count * groups * (parts + 1),
                        "groupFinish",
                        buffers.count,
                        groups,
                        parts),
                images -> GroupNorm.finishGrid(images, groups, parts),
                graph -> GroupNorm.finishTask(
                        graph,
                        task + "_finish",
                        context,
                        sums,
                        buffers.statistics,
                        buffers.count,
                        size * size,
                        channels,
                        groups,
                        parts,
                        (float) config.normEps()));
    }

    /** A 3 x 3 convolution whose output is {@code size} pixels a side; the input is half that with scale 2. */
    private void conv(
            GraphScope g,
            String task,
            List<Linear> layers,
            FloatArray x,
            FloatArray out,
            FloatArray residual,
            int size,
            int scale,
            int epilogue) {
        Linear first = layers.getFirst();
        int in = first.in() / 9;
        FloatArray weight = upload(g, DeviceArrays.stackedConvolutions(arrays, layers, first.out(), in));
        FloatArray bias = upload(
                g,
                DeviceArrays.stacked(arrays, layers.stream().map(Linear::bias).toList()));
        int height = buffers.bands.at(size).height();
        double pixels = (double) buffers.count * height * size;
        double moved = pixels * in / (scale * scale) + pixels * first.out() * (epilogue == Epilogue.RESIDUAL ? 2 : 1);
        Work work = Work.convolution(
                OperationShape.of("conv3x3", buffers.count, size, in, first.out(), scale),
                pixels,
                first.out(),
                in,
                9,
                Float.BYTES,
                Float.BYTES * moved);
        Conv2dArguments arguments = new Conv2dArguments(
                buffers.run(),
                x,
                weight,
                bias,
                residual,
                out,
                new ConvolutionShape(buffers.count, height, size, in, first.out()),
                scale,
                epilogue);
        g.task(task, work, arguments::grid, graph -> arguments.task(graph, task));
    }

    /** A 1 x 1 convolution. */
    private void pointwise(
            GraphScope g,
            String task,
            List<Linear> layers,
            FloatArray x,
            FloatArray out,
            FloatArray residual,
            int size,
            int epilogue) {
        Linear first = layers.getFirst();
        FloatArray weight = upload(
                g,
                DeviceArrays.stacked(arrays, layers.stream().map(Linear::weight).toList()));
        FloatArray bias = upload(
                g,
                DeviceArrays.stacked(arrays, layers.stream().map(Linear::bias).toList()));
        int pixels = buffers.bands.at(size).pixels();
        int rows = buffers.count * pixels;
        IntArray allRows = allRows(g);
        double moved = (double) rows * (first.in() + first.out() * (epilogue == Epilogue.RESIDUAL ? 2 : 1));
        Work work = Work.convolution(
                OperationShape.of("linear, " + Epilogue.name(epilogue), rows, first.out(), first.in()),
                rows,
                first.out(),
                first.in(),
                1,
                Float.BYTES,
                Float.BYTES * moved);
        LinearArguments arguments = new LinearArguments(
                buffers.run(),
                allRows,
                x,
                weight,
                bias,
                out,
                new ProductShape(rows, first.out(), first.in()),
                epilogue == Epilogue.RESIDUAL ? After.residual(residual, bias, 1) : After.of(epilogue, bias, 1),
                Stack.ONE);
        g.task(
                task,
                work,
                images -> org.tornadodit.kernels.Linear.grid(images * pixels, first.out(), 1),
                graph -> arguments.task(graph, task));
    }

    /** One product for each image: left (m, k) times right (n, k) transposed. */
    private void matrices(
            GraphScope g,
            String task,
            FloatArray left,
            FloatArray right,
            FloatArray bias,
            FloatArray out,
            ProductShape shape,
            int epilogue,
            Stack stack) {
        IntArray allRows = allRows(g);
        double count = stack.count();
        int m = shape.m();
        int n = shape.n();
        int k = shape.k();
        Work work = new Work(
                OperationShape.of("linear, " + Epilogue.name(epilogue), stack.count(), m, n, k),
                2 * count * m * n * k,
                0,
                Float.BYTES * count * ((double) m * k + (double) n * k + (double) m * n),
                null);
        LinearArguments arguments = new LinearArguments(
                buffers.run(), allRows, left, right, bias, out, shape, After.of(epilogue, bias, 1), stack);
        g.task(
                task,
                work,
                images -> org.tornadodit.kernels.Linear.grid(m, n, images),
                graph -> arguments.task(graph, task));
    }

    /** For products that are no passes of the model. */
    private IntArray allRows(GraphScope g) {
        IntArray allRows = arrays.ints(Batch.length(0), Batch::fillAllRows);
        g.sendOnce(allRows);
        return allRows;
    }

    static FloatArray upload(GraphScope g, FloatArray array) {
        g.sendOnce(array);
        return array;
    }

    static <T, R> List<R> of(List<T> layers, Function<T, R> part) {
        return layers.stream().map(part).toList();
    }

    @Override
    public Object[] weights() {
        return new Object[0];
    }

    @Override
    public List<StagedWeights> staged() {
        return List.of();
    }

    @Override
    public Object[] carried() {
        return buffers.maps();
    }

    @Override
    public Object[] results() {
        return new Object[] {buffers.images};
    }

    @Override
    public Optional<String> overflow() {
        return Optional.empty();
    }

    private static Linear identity(int channels) {
        float[] weight = new float[channels * channels];
        for (int i = 0; i < channels; i++) {
            weight[i * channels + i] = 1;
        }
        return new Linear(
                Tensor.of("post_quant_conv.weight", Shape.of(channels, channels), weight),
                Tensor.of("post_quant_conv.bias", Shape.of(channels), new float[channels]));
    }
}
