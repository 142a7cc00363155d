package org.tornadodit.model.vae;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.CheckpointCheck;
import org.tornadodit.model.io.tensor.TensorSpec;

/**
 * The decoder's parameters. Convolutions are {@link Linear}s whose weights are (out, in, height, width). They may be a
 * mapped file: the checkpoint stays open as long as they are used.
 *
 * @param postQuantConv {@code post_quant_conv}: 1x1, or null where the autoencoder has none
 * @param convIn {@code decoder.conv_in}: 3x3, latent channels to the last of block_out_channels
 * @param midFirst {@code decoder.mid_block.resnets.0}
 * @param midAttention {@code decoder.mid_block.attentions.0}, or null where the middle block has none
 * @param midSecond {@code decoder.mid_block.resnets.1}
 * @param upBlocks {@code decoder.up_blocks.0} and on
 * @param normOut {@code decoder.conv_norm_out}
 * @param convOut {@code decoder.conv_out}: 3x3
 */
public record VaeWeights(
        @Nullable Linear postQuantConv,
        Linear convIn,
        Resnet midFirst,
        @Nullable Attention midAttention,
        Resnet midSecond,
        List<UpBlock> upBlocks,
        Norm normOut,
        Linear convOut) {

    public VaeWeights {
        upBlocks = List.copyOf(upBlocks);
    }

    /**
     * A GroupNorm's parameters.
     *
     * @param weight (C)
     * @param bias (C)
     */
    public record Norm(Tensor weight, Tensor bias) {}

    /**
     * A residual layer: norm1, SiLU, conv1, norm2, SiLU, conv2, plus the input.
     *
     * @param conv1 3x3, (out, in, 3, 3)
     * @param conv2 3x3, (out, out, 3, 3)
     * @param shortcut {@code conv_shortcut}: 1x1 on the input where the channels change, else null
     */
    public record Resnet(
            Norm norm1,
            Linear conv1,
            Norm norm2,
            Linear conv2,
            @Nullable Linear shortcut) {}

    /** Attention of one head over all pixels: {@code group_norm, to_q, to_k, to_v, to_out.0}, each (C, C). */
    public record Attention(Norm norm, Linear query, Linear key, Linear value, Linear out) {}

    /**
     * Residual layers at one resolution.
     *
     * @param upsampler {@code upsamplers.0.conv}: 3x3 on the doubled picture, null in the last block
     */
    public record UpBlock(List<Resnet> resnets, @Nullable Linear upsampler) {
        public UpBlock {
            resnets = List.copyOf(resnets);
        }
    }

    /** All parameters of the decoder and of post_quant_conv, by diffusers' present names. */
    public static List<TensorSpec> specs(VaeConfig config) {
        List<TensorSpec> specs = new ArrayList<>();
        int latent = config.latentChannels();
        int channels = config.midChannels();
        if (config.usePostQuantConv()) {
            addLinear(specs, "post_quant_conv", latent, latent, 1, 1);
        }
        addLinear(specs, "decoder.conv_in", channels, latent, 3, 3);
        addResnet(specs, "decoder.mid_block.resnets.0", channels, channels);
        if (config.midBlockAddAttention()) {
            addNorm(specs, "decoder.mid_block.attentions.0.group_norm", channels);
            for (String part : List.of("to_q", "to_k", "to_v", "to_out.0")) {
                addLinear(specs, "decoder.mid_block.attentions.0." + part, channels, channels);
            }
        }
        addResnet(specs, "decoder.mid_block.resnets.1", channels, channels);
        List<Integer> upBlocks = config.upBlockChannels();
        for (int i = 0; i < upBlocks.size(); i++) {
            String block = "decoder.up_blocks." + i;
            int out = upBlocks.get(i);
            for (int j = 0; j < config.resnetsPerUpBlock(); j++) {
                addResnet(specs, block + ".resnets." + j, j == 0 ? channels : out, out);
            }
            if (i < upBlocks.size() - 1) {
                addLinear(specs, block + ".upsamplers.0.conv", out, out, 3, 3);
            }
            channels = out;
        }
        addNorm(specs, "decoder.conv_norm_out", channels);
        addLinear(specs, "decoder.conv_out", config.outChannels(), channels, 3, 3);
        return specs;
    }

    private static void addResnet(List<TensorSpec> specs, String name, int in, int out) {
        addNorm(specs, name + ".norm1", in);
        addLinear(specs, name + ".conv1", out, in, 3, 3);
        addNorm(specs, name + ".norm2", out);
        addLinear(specs, name + ".conv2", out, out, 3, 3);
        if (in != out) {
            addLinear(specs, name + ".conv_shortcut", out, in, 1, 1);
        }
    }

    private static void addNorm(List<TensorSpec> specs, String name, int channels) {
        specs.add(new TensorSpec(name + ".weight", Shape.of(channels)));
        specs.add(new TensorSpec(name + ".bias", Shape.of(channels)));
    }

    private static void addLinear(List<TensorSpec> specs, String name, long... weight) {
        specs.add(new TensorSpec(name + ".weight", Shape.of(weight)));
        specs.add(new TensorSpec(name + ".bias", Shape.of(weight[0])));
    }

    /**
     * Compares all names and shapes of a checkpoint; reads no values.
     *
     * @throws org.tornadodit.model.io.file.CheckpointException when a tensor is missing, surplus or of another shape
     */
    public static void requireFit(Checkpoint checkpoint, VaeConfig config) {
        CheckpointCheck.requireExactly(
                checkpoint,
                specs(config),
                name -> name.startsWith("encoder.")
                        || name.startsWith("quant_conv.")
                        || (!config.usePostQuantConv() && name.startsWith("post_quant_conv.")));
    }

    /**
     * Takes the decoder's parameters from a checkpoint, after all names and shapes have been compared. The encoder's
     * ({@code encoder., quant_conv.}) may be there and are not read. Values are compared with the file's checksums
     * meanwhile: {@link Checkpoint#requireIntact} is to be asked before anything made of them is used.
     *
     * @throws org.tornadodit.model.io.file.CheckpointException when a tensor is missing, surplus or of another shape
     */
    public static VaeWeights load(Checkpoint checkpoint, VaeConfig config) {
        requireFit(checkpoint, config);
        CheckpointCheck.readAll(checkpoint, specs(config));
        List<UpBlock> upBlocks = new ArrayList<>();
        int count = config.blockOutChannels().size();
        for (int i = 0; i < count; i++) {
            String block = "decoder.up_blocks." + i;
            List<Resnet> resnets = new ArrayList<>();
            for (int j = 0; j < config.resnetsPerUpBlock(); j++) {
                resnets.add(resnet(checkpoint, block + ".resnets." + j));
            }
            upBlocks.add(new UpBlock(resnets, i < count - 1 ? linear(checkpoint, block + ".upsamplers.0.conv") : null));
        }
        return new VaeWeights(
                config.usePostQuantConv() ? linear(checkpoint, "post_quant_conv") : null,
                linear(checkpoint, "decoder.conv_in"),
                resnet(checkpoint, "decoder.mid_block.resnets.0"),
                config.midBlockAddAttention() ? attention(checkpoint, "decoder.mid_block.attentions.0") : null,
                resnet(checkpoint, "decoder.mid_block.resnets.1"),
                upBlocks,
                norm(checkpoint, "decoder.conv_norm_out"),
                linear(checkpoint, "decoder.conv_out"));
    }

    private static Resnet resnet(Checkpoint checkpoint, String name) {
        boolean changesChannels = checkpoint.names().contains(name + ".conv_shortcut.weight");
        return new Resnet(
                norm(checkpoint, name + ".norm1"),
                linear(checkpoint, name + ".conv1"),
                norm(checkpoint, name + ".norm2"),
                linear(checkpoint, name + ".conv2"),
                changesChannels ? linear(checkpoint, name + ".conv_shortcut") : null);
    }

    private static Attention attention(Checkpoint checkpoint, String name) {
        return new Attention(
                norm(checkpoint, name + ".group_norm"),
                linear(checkpoint, name + ".to_q"),
                linear(checkpoint, name + ".to_k"),
                linear(checkpoint, name + ".to_v"),
                linear(checkpoint, name + ".to_out.0"));
    }

    private static Norm norm(Checkpoint checkpoint, String name) {
        return new Norm(checkpoint.tensor(name + ".weight"), checkpoint.tensor(name + ".bias"));
    }

    private static Linear linear(Checkpoint checkpoint, String name) {
        return new Linear(checkpoint.tensor(name + ".weight"), checkpoint.tensor(name + ".bias"));
    }
}
