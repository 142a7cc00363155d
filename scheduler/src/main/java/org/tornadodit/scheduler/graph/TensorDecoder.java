package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.tornadodit.kernels.ConvolutionShape;
import org.tornadodit.kernels.ConvolutionTile;
import org.tornadodit.kernels.ConvolutionWeights;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorConv2d;
import org.tornadodit.kernels.TensorConv2dArguments;
import org.tornadodit.kernels.TensorCores;
import org.tornadodit.model.Linear;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Norm;
import org.tornadodit.model.vae.VaeWeights.Resnet;
import org.tornadodit.model.vae.VaeWeights.UpBlock;
import org.tornadodit.scheduler.device.ArraySource;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.graph.Bands.Band;
import org.tornadodit.scheduler.graph.StagedWeights.Convolution;
import org.tornadodit.scheduler.graph.StagedWeights.Floats;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.types.arrays.FloatArray;
import uk.ac.manchester.tornado.api.types.arrays.IntArray;

/**
 * The decoder's parts with convolutions on tensor cores: whatever a convolution reads is packed first, by the kernel that
 * normalizes it where one does. What is small stays with the portable kernels: conv_in, which reads latents, and the
 * middle's attention.
 */
final class TensorDecoder implements DecoderOperations {
    /** conv_out's channels in memory, of which the image has three: a pair of floats is stored at a time. */
    private static final int EVEN = 2;

    private final VaeBuffers buffers;
    private final VaeConfig config;
    private final PortableDecoder portable;
    private final int planes;
    private final ArraySource arrays;
    private final KernelContext context = new KernelContext();
    /** By index in {@link #overflow}: the layer whose input it is about. */
    private final List<String> packedInputs = new ArrayList<>();

    private final int overflows;
    private final IntArray overflow;

    /** Of all convolutions, one after the other. */
    private final IntArray weights;
    /** Of all convolutions, see {@link TensorConv2dArguments#bias}. */
    private final FloatArray biases;

    private final List<StagedWeights> staged = new ArrayList<>();
    /** Elements of {@link #weights} and {@link #biases} that are taken. */
    private long weightsTaken;

    private long biasesTaken;

    TensorDecoder(VaeBuffers buffers, VaeConfig config, VaeWeights parameters, BandExchanges exchanges) {
        this.buffers = buffers;
        this.config = config;
        this.portable = new PortableDecoder(buffers, config, exchanges);
        this.planes = buffers.tier.planes();
        int blocks = config.blockOutChannels().size();
        int resnets = 2 + blocks * config.resnetsPerUpBlock();
        arrays = buffers.arrays;
        overflows = 3 * resnets + blocks + 1;
        overflow = arrays.ints(overflows);
        take(parameters);
        weights = arrays.weightInts(weightsTaken);
        biases = arrays.weightFloats(biasesTaken);
        weightsTaken = 0;
        biasesTaken = 0;
    }

    /** Takes what all convolutions take. */
    private void take(VaeWeights parameters) {
        List<Resnet> resnets = new ArrayList<>(List.of(parameters.midFirst(), parameters.midSecond()));
        for (UpBlock block : parameters.upBlocks()) {
            resnets.addAll(block.resnets());
            if (block.upsampler() != null) {
                take(block.upsampler(), 2);
            }
        }
        for (Resnet resnet : resnets) {
            take(resnet.conv1(), 3);
            take(resnet.conv2(), 3);
            if (resnet.shortcut() != null) {
                take(resnet.shortcut(), 1);
            }
        }
        take(parameters.convOut(), 3);
    }

    private void take(Linear layer, int taps) {
        weightsTaken += ConvolutionWeights.size(layer.out(), in(layer, taps), taps, planes);
        biasesTaken += ConvolutionWeights.biases(even(layer.out()));
    }

    private static int in(Linear layer, int taps) {
        return layer.in() / (taps == 1 ? 1 : 9);
    }

    private static int even(int channels) {
        return Launch.ceilDiv(channels, EVEN) * EVEN;
    }

    @Override
    public void head(GraphScope g, VaeWeights weights, int out) {
        portable.head(g, weights, out);
        // The first graph owns what all share: one element written makes the map its own.
        fill(g, "overflow", overflow, overflows);
        fill(g, "map", buffers.packed, 1);
    }

    private void fill(GraphScope g, String task, IntArray array, int elements) {
        g.task(
                task,
                Work.moving((double) Integer.BYTES * elements, "fill", elements),
                () -> Launch.elementwise(elements),
                graph -> graph.task(task, Embedding::fill, context, array, elements, 0));
    }

    @Override
    public void resnet(GraphScope g, List<Resnet> layers, int in, int out, int size) {
        FloatArray x = buffers.x(size);
        FloatArray branch = buffers.branch(size);
        Band band = buffers.bands.at(size);
        List<Linear> conv1 = PortableDecoder.of(layers, Resnet::conv1);
        List<Linear> conv2 = PortableDecoder.of(layers, Resnet::conv2);
        norm(g, "norm1", PortableDecoder.of(layers, Resnet::norm1), conv1, x, in, size);
        conv(g, "conv1", conv1, 3, branch, branch, out, band, Epilogue.BIAS, PackedMap.NORM_SILU);
        if (in != out) {
            // In place: the packed copy is what it reads.
            List<Linear> shortcut = PortableDecoder.of(layers, PortableDecoder::shortcut);
            packRaw(g, "shortcut_pack", shortcut, x, in, band);
            conv(g, "conv_shortcut", shortcut, 1, x, x, out, band, Epilogue.BIAS, PackedMap.RAW);
        }
        norm(g, "norm2", PortableDecoder.of(layers, Resnet::norm2), conv2, branch, out, size);
        conv(g, "conv2", conv2, 3, x, x, out, band, Epilogue.RESIDUAL, PackedMap.NORM_SILU);
    }

    @Override
    public void attention(GraphScope g, VaeWeights.Attention layer, int channels, int size) {
        portable.attention(g, layer, channels, size);
    }

    @Override
    public void upsampler(GraphScope g, Linear conv, int channels, int size) {
        Band band = buffers.bands.before(size);
        FloatArray x = portable.rows(g, channels, size, buffers.branch(size));
        FloatArray out = buffers.x(2 * size); // the packed copy is what it reads
        packRaw(g, "upsampler_pack", List.of(conv), x, channels, band);
        conv(g, "upsampler", List.of(conv), 2, out, out, channels, band, Epilogue.BIAS, PackedMap.RAW);
    }

    @Override
    public void tail(GraphScope g, VaeWeights weights, int in, int out, int size) {
        FloatArray branch = buffers.branch(size);
        List<Linear> conv = List.of(weights.convOut());
        int stride = even(out);
        norm(g, "conv_norm_out", List.of(weights.normOut()), conv, buffers.x(size), in, size);
        conv(
                g,
                "conv_out",
                conv,
                3,
                branch,
                branch,
                stride,
                buffers.bands.at(size),
                Epilogue.BIAS,
                PackedMap.NORM_SILU);
        portable.images(g, branch, stride, size);
    }

    @Override
    public Object[] weights() {
        return new Object[] {weights, biases};
    }

    @Override
    public List<StagedWeights> staged() {
        return List.copyOf(staged);
    }

    @Override
    public Object[] carried() {
        return Stream.concat(Arrays.stream(buffers.maps()), Stream.of(buffers.packed, overflow, weights, biases))
                .toArray();
    }

    @Override
    public Object[] results() {
        return new Object[] {buffers.images, overflow};
    }

    @Override
    public Optional<String> overflow() {
        for (int i = 0; i < packedInputs.size(); i++) {
            if (overflow.get(i) != 0) {
                return Optional.of(packedInputs.get(i));
            }
        }
        return Optional.empty();
    }

    /** {@code silu(norm(x))}, packed for the convolutions that follow. */
    private void norm(
            GraphScope g, String task, List<Norm> norms, List<Linear> next, FloatArray x, int channels, int size) {
        FloatArray weight = PortableDecoder.upload(
                g, DeviceArrays.stacked(arrays, norms.stream().map(Norm::weight).toList()));
        FloatArray bias = PortableDecoder.upload(
                g, DeviceArrays.stacked(arrays, norms.stream().map(Norm::bias).toList()));
        Band band = buffers.bands.at(size);
        g.task(
                task + "_partial",
                portable.statistics(channels, size),
                images -> GroupNorm.partsGrid(images, band.ownParts()),
                graph -> graph.task(
                        task + "_partial",
                        GroupStatistics::partial,
                        context,
                        x,
                        buffers.sums,
                        band.skipped(),
                        band.ownPixels(),
                        channels,
                        config.normNumGroups(),
                        band.ownParts()));
        portable.finish(g, task, channels, size);
        pack(g, task, next, x, buffers.statistics, weight, bias, channels, band, PackedMap.NORM_SILU);
    }

    /** {@code x} as it is, packed for the convolutions that follow. */
    private void packRaw(GraphScope g, String task, List<Linear> next, FloatArray x, int channels, Band band) {
        pack(g, task, next, x, x, x, x, channels, band, PackedMap.RAW);
    }

    private void pack(
            GraphScope g,
            String task,
            List<Linear> next,
            FloatArray x,
            FloatArray statistics,
            FloatArray weight,
            FloatArray bias,
            int channels,
            Band band,
            int norm) {
        int height = band.height();
        int width = band.size();
        int kind = packedInputs.size();
        for (Linear layer : next) {
            packedInputs.add(layer.weight().name().replaceFirst("\\.weight$", ""));
        }
        double elements = (double) buffers.count * band.pixels() * channels;
        Work work = new Work(
                OperationShape.of("packedMap", buffers.count, height, width, channels, planes),
                0,
                norm == PackedMap.RAW ? 0 : 2.0 * Float.BYTES * channels,
                (Float.BYTES + 2.0 * planes) * elements,
                null);
        g.task(
                task,
                work,
                images -> PackedMap.grid(images, height, width, channels),
                graph -> graph.task(
                        task,
                        PackedMap::pack,
                        context,
                        buffers.run(),
                        x,
                        statistics,
                        weight,
                        bias,
                        buffers.packed,
                        overflow,
                        kind,
                        buffers.count,
                        height,
                        width,
                        channels,
                        config.normNumGroups(),
                        planes,
                        norm));
    }

    /**
     * A convolution of the packed map.
     *
     * @param taps see {@link TensorConv2d}
     * @param outChannels in memory: at least the layers' own
     * @param band of the packed map
     * @param norm how the map was packed
     */
    private void conv(
            GraphScope g,
            String task,
            List<Linear> layers,
            int taps,
            FloatArray out,
            FloatArray residual,
            int outChannels,
            Band band,
            int epilogue,
            int norm) {
        Linear first = layers.getFirst();
        int in = in(first, taps);
        int weightAt = Math.toIntExact(weightsTaken);
        int biasAt = Math.toIntExact(biasesTaken);
        int undoTimes = norm == PackedMap.RAW ? Math.round(1 / PackedMap.RAW_SCALE) : 1;
        for (Linear layer : layers) {
            int bias = Math.toIntExact(biasesTaken);
            staged.add(new Convolution(
                    weights,
                    Math.toIntExact(weightsTaken),
                    layer.weight(),
                    taps,
                    planes,
                    biases,
                    bias + outChannels,
                    undoTimes));
            staged.add(new Floats(biases, bias, layer.bias()));
            take(layer, taps);
        }
        ConvolutionShape shape = new ConvolutionShape(buffers.count, band.height(), band.size(), in, outChannels);
        TensorCores cores = buffers.tier.cores();
        ConvolutionTile tile = cores.convolution();
        TensorConv2dArguments arguments = new TensorConv2dArguments(
                buffers.run(),
                buffers.packed,
                weights,
                biases,
                residual,
                out,
                weightAt,
                biasAt,
                shape,
                taps,
                planes,
                epilogue,
                tile,
                tile.blocks(shape, taps, planes, cores.multiprocessors()));
        g.task(
                task,
                work(taps, in, first.out(), band, epilogue),
                arguments::grid,
                graph -> arguments.task(graph, task));
    }

    /**
     * A convolution's work as the model has it: an upsampler's kernel of 3 x 3 on the doubled map, which four of 2 x 2 on the
     * map do with less.
     */
    private Work work(int taps, int in, int out, Band band, int epilogue) {
        double inputs = (double) buffers.count * band.pixels();
        double pixels = taps == 2 ? 4 * inputs : inputs;
        double moved = 2 * planes * inputs * in + Float.BYTES * pixels * out * (epilogue == Epilogue.RESIDUAL ? 2 : 1);
        return Work.convolution(
                OperationShape.of(
                        buffers.tier.cores().prefix() + "Conv",
                        buffers.count,
                        band.height(),
                        band.size(),
                        in,
                        out,
                        taps,
                        planes),
                pixels,
                out,
                in,
                taps == 1 ? 1 : 9,
                2 * planes,
                moved);
    }
}
