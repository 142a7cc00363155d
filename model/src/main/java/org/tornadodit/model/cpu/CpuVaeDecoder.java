package org.tornadodit.model.cpu;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.cpu.Attention.Heads;
import org.tornadodit.model.cpu.MatrixProduct.Left;
import org.tornadodit.model.cpu.MatrixProduct.Output;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;
import org.tornadodit.model.vae.VaeWeights.Norm;
import org.tornadodit.model.vae.VaeWeights.Resnet;
import org.tornadodit.model.vae.VaeWeights.UpBlock;

/**
 * AutoencoderKL's decoder on the CPU: latents to pictures, one image after another, so that the memory is that of one.
 * C channels, H and W pixels of a latent, F the decoder's enlargement. Results depend neither on the batch nor on the
 * number of threads, bit for bit. Not for use by several threads at once.
 */
public final class CpuVaeDecoder implements AutoCloseable {

    private final VaeConfig config;
    private final VaeWeights weights;
    private final Workers workers;
    private final Layers layers;
    private final Elementwise elementwise;
    private final Attention attention;
    private final GroupNorm groupNorm;
    private @Nullable Probe probe;
    private @Nullable FiniteSearch search;

    /** The image as it is so far; each step leaves its result here. */
    private Picture x = new Picture();

    /** What goes into a convolution: its input stays while its output is written. */
    private Picture normed = new Picture();

    private Picture branch = new Picture();
    private float[] qkv = {};

    public CpuVaeDecoder(VaeConfig config, VaeWeights weights, CpuOptions options) {
        this.config = config;
        this.weights = weights;
        this.workers = new Workers(options.threads());
        MatrixProduct product = new PanelProduct();
        this.layers = new Layers(workers, product, keeps(config, options));
        this.elementwise = new Elementwise(workers);
        this.attention = new Attention(workers, product);
        this.groupNorm = new GroupNorm(workers, config.normNumGroups(), config.normEps());
    }

    /**
     * Heap that it takes from the first call on: packed weights, and what each thread works with.
     *
     * @param pixels of a latent
     */
    public static long keptBytes(VaeConfig config, long pixels, CpuOptions options) {
        return Layers.heapBytes(VaeWeights.specs(config), keeps(config, options))
                + (config.midBlockAddAttention()
                        ? Attention.heapBytes(options.threads(), pixels, config.midChannels())
                        : 0);
    }

    /**
     * Heap that one image's activations take in a call, without the latents and the images.
     *
     * @param pixels of a latent
     */
    public static long activationBytes(VaeConfig config, long pixels) {
        List<Integer> channels = config.upBlockChannels();
        long widest = pixels * Math.max(config.midChannels(), config.latentChannels());
        long size = pixels;
        List<Long> enlarged = new ArrayList<>(List.of(widest, 0L)); // what the upsamplers make
        for (int i = 1; i < channels.size(); i++) {
            size *= 4;
            enlarged.add(size * channels.get(i - 1));
            widest = Math.max(widest, size * channels.get(i));
        }
        enlarged.sort(Comparator.reverseOrder());
        // A layer's input, the same normalized, and its output or the input of another layer.
        long largest = Math.max(widest, enlarged.getFirst());
        long pictures = 2 * largest + Math.max(widest, enlarged.get(1));
        long attention = config.midBlockAddAttention() ? 3 * pixels * config.midChannels() : 0;
        return Float.BYTES * (pictures + attention) + Integer.BYTES * Picture.NEIGHBOURS * size;
    }

    private static boolean keeps(VaeConfig config, CpuOptions options) {
        long parameters = VaeWeights.specs(config).stream()
                .mapToLong(spec -> spec.shape().elements())
                .sum();
        return parameters <= options.packedWeightBytes() / Float.BYTES;
    }

    /** Shows the outputs of all parts to a probe from the next call on; null ends it. Without a probe, nothing is copied. */
    public void observe(@Nullable Probe newProbe) {
        probe = newProbe;
    }

    /**
     * Decodes square latents as the diffusion model leaves them; they are divided by the scaling factor here.
     *
     * @param latents (N, C, H, H)
     * @param n N
     * @return (N, outChannels, F H, F H), about -1 to 1
     * @throws IllegalArgumentException when the values are not those of n square latents
     */
    public float[] decode(float[] latents, int n) {
        int side = n < 1 ? 0 : (int) Math.round(Math.sqrt((double) latents.length / n / config.latentChannels()));
        return decode(latents, n, side, side);
    }

    /**
     * Decodes latents as the diffusion model leaves them; they are divided by the scaling factor here. Keeps no memory but
     * the packed weights'.
     *
     * @param latents (N, C, H, W)
     * @return (N, outChannels, F H, F W), about -1 to 1
     * @throws IllegalArgumentException when the number of values is another, or the activations would not fit
     */
    public float[] decode(float[] latents, int n, int height, int width) {
        long latent = (long) config.latentChannels() * height * width;
        if (n < 1 || height < 1 || width < 1 || latents.length != n * latent) {
            throw new IllegalArgumentException("%d values, expected %d latents of %d x %d x %d"
                    .formatted(latents.length, n, config.latentChannels(), height, width));
        }
        int f = config.upsampling();
        int image = Math.toIntExact((long) config.outChannels() * height * f * width * f);
        float[] out = new float[Math.multiplyExact(n, image)];
        for (int i = 0; i < n; i++) {
            x.resize(height, width, config.latentChannels());
            x.fromChannelsFirst(latents, (int) (i * latent), (float) config.scalingFactor());
            decodeOne();
            x.toChannelsFirst(out, i * image);
        }
        x = new Picture();
        normed = new Picture();
        branch = new Picture();
        qkv = new float[0];
        return out;
    }

    /**
     * What is the first not to be finite in {@link #decode}, for a message: the latents are decoded once more, and all
     * tensors are looked at.
     *
     * @return for example {@code the output of decoder.conv_in}; empty when all are finite
     */
    public Optional<String> firstNotFinite(float[] latents, int n, int height, int width) {
        FiniteSearch all = new FiniteSearch();
        search = all;
        try {
            all.look("the input", latents, latents.length);
            decode(latents, n, height, width);
            return all.found();
        } finally {
            search = null;
        }
    }

    private void decodeOne() {
        Linear first = weights.postQuantConv();
        if (first != null) {
            pointwise(first, x, branch);
            swap();
            show("post_quant_conv");
        }
        conv(weights.convIn(), "decoder.conv_in");
        resnet(weights.midFirst(), "decoder.mid_block.resnets.0");
        VaeWeights.Attention midAttention = weights.midAttention();
        if (midAttention != null) {
            attend(midAttention, "decoder.mid_block.attentions.0");
        }
        resnet(weights.midSecond(), "decoder.mid_block.resnets.1");
        show("decoder.mid_block");
        for (int i = 0; i < weights.upBlocks().size(); i++) {
            upBlock(weights.upBlocks().get(i), "decoder.up_blocks." + i);
        }
        normSilu(weights.normOut());
        conv(weights.convOut(), "decoder.conv_out");
        show("decoder");
    }

    private void upBlock(UpBlock block, String name) {
        for (int i = 0; i < block.resnets().size(); i++) {
            resnet(block.resnets().get(i), name + ".resnets." + i);
        }
        Linear upsampler = block.upsampler();
        if (upsampler != null) {
            convolve(upsampler, x, 2, branch);
            swap();
            show(name + ".upsamplers.0");
        }
        show(name);
    }

    /** {@code x + conv2(silu(norm2(conv1(silu(norm1(x))))))}, x through a 1x1 convolution where the channels change. */
    private void resnet(Resnet resnet, String name) {
        groupNorm.apply(x, resnet.norm1(), true, normed);
        convolve(resnet.conv1(), normed, 1, branch);
        show(name + ".conv1", branch);
        groupNorm.apply(branch, resnet.norm2(), true, normed);
        convolve(resnet.conv2(), normed, 1, branch);
        show(name + ".conv2", branch);
        Linear shortcut = resnet.shortcut();
        if (shortcut != null) {
            pointwise(shortcut, x, normed);
            show(name + ".conv_shortcut", normed);
        }
        elementwise.add(branch.data(), (shortcut == null ? x : normed).data(), branch.pixels() * branch.channels());
        swap();
        show(name);
    }

    /** {@code x + to_out(attention(to_q(h), to_k(h), to_v(h)))} with h = group_norm(x), one head over all pixels. */
    private void attend(VaeWeights.Attention weights, String name) {
        int channels = x.channels();
        int pixels = x.pixels();
        int size = pixels * channels;
        groupNorm.apply(x, weights.norm(), false, normed);
        if (qkv.length < 3L * size) {
            qkv = new float[Math.multiplyExact(3, size)];
        }
        Left rows = normed.rows();
        layers.apply(rows, pixels, weights.query(), new Output(qkv, 0, channels));
        layers.apply(rows, pixels, weights.key(), new Output(qkv, size, channels));
        layers.apply(rows, pixels, weights.value(), new Output(qkv, 2 * size, channels));
        show(name + ".to_q", 0, pixels, channels);
        show(name + ".to_k", size, pixels, channels);
        show(name + ".to_v", 2 * size, pixels, channels);
        attention.apply(new Heads(qkv, 0, size, 2 * size, channels, channels), normed.data(), 1, pixels, 1);
        pointwise(weights.out(), normed, branch);
        elementwise.add(x.data(), branch.data(), size);
        show(name);
    }

    private void normSilu(Norm norm) {
        groupNorm.apply(x, norm, true, branch);
        swap();
    }

    private void conv(Linear layer, String name) {
        convolve(layer, x, 1, branch);
        swap();
        show(name);
    }

    /** A 3x3 convolution of a picture enlarged {@code factor} times. */
    private void convolve(Linear layer, Picture in, int factor, Picture out) {
        out.resize(in.height() * factor, in.width() * factor, layer.out());
        Left neighbourhoods = in.neighbourhoods(factor, workers);
        layers.apply(neighbourhoods, out.pixels(), layer, new Output(out.data(), 0, layer.out()));
    }

    /** A 1x1 convolution, or a linear layer of the channels. */
    private void pointwise(Linear layer, Picture in, Picture out) {
        out.resize(in.height(), in.width(), layer.out());
        layers.apply(in.rows(), in.pixels(), layer, new Output(out.data(), 0, layer.out()));
    }

    private void swap() {
        Picture result = branch;
        branch = x;
        x = result;
    }

    private void show(String module) {
        show(module, x);
    }

    private void show(String module, Picture picture) {
        look(module, picture.data(), picture.pixels() * picture.channels());
        Probe observer = probe;
        if (observer != null) {
            Shape shape = picture.shape();
            float[] values = new float[(int) shape.elements()];
            picture.toChannelsFirst(values, 0);
            observer.output(module, shape, values);
        }
    }

    private void look(String module, float[] values, int count) {
        FiniteSearch all = search;
        if (all != null) {
            all.look("the output of " + module, values, count);
        }
    }

    private void show(String module, int from, int pixels, int channels) {
        Probe observer = probe;
        if (observer != null) {
            float[] values = Arrays.copyOfRange(qkv, from, from + pixels * channels);
            observer.output(module, Shape.of(1, pixels, channels), values);
        }
    }

    /** Ends the threads. */
    @Override
    public void close() {
        workers.close();
    }
}
