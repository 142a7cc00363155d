package org.tornadodit.scheduler.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.tornadodit.kernels.ArrayPages;
import org.tornadodit.kernels.ConvolutionWeights;
import org.tornadodit.kernels.Embedding;
import org.tornadodit.kernels.Epilogue;
import org.tornadodit.kernels.GroupNorm;
import org.tornadodit.kernels.GroupStatistics;
import org.tornadodit.kernels.Launch;
import org.tornadodit.kernels.PackedMap;
import org.tornadodit.kernels.TensorConv2d;
import org.tornadodit.model.Linear;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Norm;
import org.tornadodit.model.vae.VaeWeights.Resnet;
import org.tornadodit.scheduler.device.DeviceArrays;
import org.tornadodit.scheduler.device.GraphScope;
import uk.ac.manchester.tornado.api.KernelContext;
import uk.ac.manchester.tornado.api.enums.DataTransferMode;
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
    private final KernelContext context = new KernelContext();
    /** By index in {@link #overflow}: the layer whose input it is about. */
    private final List<String> packedInputs = new ArrayList<>();

    private final IntArray overflow;

    TensorDecoder(VaeBuffers buffers, VaeConfig config) {
        this.buffers = buffers;
        this.config = config;
        this.portable = new PortableDecoder(buffers, config);
        this.planes = buffers.tier.planes();
        int blocks = config.blockOutChannels().size();
        int resnets = 2 + blocks * config.resnetsPerUpBlock();
        overflow = ArrayPages.ints(3 * resnets + blocks + 1);
        overflow.init(0);
    }

    @Override
    public void head(GraphScope g, VaeWeights weights, int out) {
        portable.head(g, weights, out);
        // The first graph owns what all share: one element written makes the map its own.
        g.graph()
                .task("overflow", Embedding::fill, context, overflow, overflow.getSize(), 0)
                .task("map", Embedding::fill, context, buffers.packed, 1, 0);
        g.launch("overflow", Launch.elementwise(overflow.getSize()));
        g.launch("map", Launch.elementwise(1));
    }

    @Override
    public void resnet(GraphScope g, List<Resnet> layers, int in, int out, int size) {
        FloatArray x = buffers.x(size);
        FloatArray branch = buffers.branch(size);
        List<Linear> conv1 = PortableDecoder.of(layers, Resnet::conv1);
        List<Linear> conv2 = PortableDecoder.of(layers, Resnet::conv2);
        norm(g, "norm1", PortableDecoder.of(layers, Resnet::norm1), conv1, x, in, size);
        conv(g, "conv1", conv1, 3, branch, branch, out, size, Epilogue.BIAS, PackedMap.NORM_SILU);
        if (in != out) {
            // In place: the packed copy is what it reads.
            List<Linear> shortcut = PortableDecoder.of(layers, PortableDecoder::shortcut);
            packRaw(g, "shortcut_pack", shortcut, x, in, size);
            conv(g, "conv_shortcut", shortcut, 1, x, x, out, size, Epilogue.BIAS, PackedMap.RAW);
        }
        norm(g, "norm2", PortableDecoder.of(layers, Resnet::norm2), conv2, branch, out, size);
        conv(g, "conv2", conv2, 3, x, x, out, size, Epilogue.RESIDUAL, PackedMap.NORM_SILU);
    }

    @Override
    public void attention(GraphScope g, VaeWeights.Attention layer, int channels, int size) {
        portable.attention(g, layer, channels, size);
    }

    @Override
    public void upsampler(GraphScope g, Linear conv, int channels, int size) {
        FloatArray x = buffers.x(size);
        FloatArray out = buffers.x(2 * size);
        packRaw(g, "upsampler_pack", List.of(conv), x, channels, size);
        conv(g, "upsampler", List.of(conv), 2, out, out, channels, size, Epilogue.BIAS, PackedMap.RAW);
    }

    @Override
    public void tail(GraphScope g, VaeWeights weights, int in, int out, int size) {
        FloatArray branch = buffers.branch(size);
        List<Linear> conv = List.of(weights.convOut());
        int stride = Launch.ceilDiv(out, EVEN) * EVEN;
        norm(g, "conv_norm_out", List.of(weights.normOut()), conv, buffers.x(size), in, size);
        conv(g, "conv_out", conv, 3, branch, branch, stride, size, Epilogue.BIAS, PackedMap.NORM_SILU);
        portable.images(g, branch, stride, size);
    }

    @Override
    public Object[] carried() {
        return Stream.concat(Arrays.stream(buffers.maps()), Stream.of(buffers.packed, overflow))
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
                g, DeviceArrays.stacked(norms.stream().map(Norm::weight).toList()));
        FloatArray bias = PortableDecoder.upload(
                g, DeviceArrays.stacked(norms.stream().map(Norm::bias).toList()));
        g.graph()
                .task(
                        task + "_partial",
                        GroupStatistics::partial,
                        context,
                        x,
                        buffers.sums,
                        size * size,
                        channels,
                        config.normNumGroups(),
                        GroupNorm.parts(size * size));
        g.launch(task + "_partial", GroupNorm.partialGrid(buffers.count, size * size));
        portable.finish(g, task, channels, size);
        pack(g, task, next, x, buffers.statistics, weight, bias, channels, size, PackedMap.NORM_SILU);
    }

    /** {@code x} as it is, packed for the convolutions that follow. */
    private void packRaw(GraphScope g, String task, List<Linear> next, FloatArray x, int channels, int size) {
        pack(g, task, next, x, x, x, x, channels, size, PackedMap.RAW);
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
            int size,
            int norm) {
        int kind = packedInputs.size();
        for (Linear layer : next) {
            packedInputs.add(layer.weight().name().replaceFirst("\\.weight$", ""));
        }
        g.graph()
                .task(
                        task,
                        PackedMap::pack,
                        context,
                        buffers.layer,
                        x,
                        statistics,
                        weight,
                        bias,
                        buffers.packed,
                        overflow,
                        kind,
                        buffers.count,
                        size,
                        size,
                        channels,
                        config.normNumGroups(),
                        planes,
                        norm);
        g.launch(task, PackedMap.grid(buffers.count, size, size, channels));
    }

    /**
     * A convolution of the packed map.
     *
     * @param taps see {@link TensorConv2d}
     * @param outChannels in memory: at least the layers' own
     * @param size of the packed map
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
            int size,
            int epilogue,
            int norm) {
        Linear first = layers.getFirst();
        int in = first.in() / (taps == 1 ? 1 : 9);
        IntArray weight = ArrayPages.ints(
                Math.multiplyExact(layers.size(), ConvolutionWeights.size(first.out(), in, taps, planes)));
        FloatArray scale = ArrayPages.floats(layers.size());
        FloatArray bias = ArrayPages.floats(layers.size() * outChannels);
        bias.init(0);
        for (int layer = 0; layer < layers.size(); layer++) {
            Linear parameters = layers.get(layer);
            float undo = ConvolutionWeights.pack(
                    parameters.weight().toArray(), first.out(), in, taps, planes, weight, layer);
            scale.set(layer, norm == PackedMap.RAW ? undo / PackedMap.RAW_SCALE : undo);
            for (int i = 0; i < first.out(); i++) {
                bias.set(layer * outChannels + i, parameters.bias().get(i));
            }
        }
        int blocks = TensorConv2d.blocks(
                buffers.count, size, size, outChannels, taps, planes, buffers.tier.multiprocessors());
        g.graph()
                .transferToDevice(DataTransferMode.FIRST_EXECUTION, weight, scale, bias)
                .task(
                        task,
                        TensorConv2d::conv,
                        context,
                        buffers.layer,
                        buffers.packed,
                        weight,
                        scale,
                        bias,
                        residual,
                        out,
                        buffers.count,
                        size,
                        size,
                        in,
                        outChannels,
                        taps,
                        planes,
                        epilogue,
                        blocks);
        g.launch(task, TensorConv2d.grid(blocks));
    }
}
