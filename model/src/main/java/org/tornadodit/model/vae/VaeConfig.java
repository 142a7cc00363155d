package org.tornadodit.model.vae;

import java.nio.file.Path;
import java.util.Collections;
import java.util.List;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;

/**
 * The sizes of an AutoencoderKL, as far as its decoder needs them, named as diffusers' config.json names them.
 *
 * @param blockOutChannels channels at each resolution, the image's first
 * @param layersPerBlock residual layers of an encoder's block; the decoder's blocks have one more
 * @param latentChannels channels of a latent
 * @param outChannels channels of an image
 * @param normNumGroups groups of every GroupNorm
 * @param normEps added to the variance in every GroupNorm; diffusers' decoder has 1e-6
 * @param scalingFactor what the latents of the diffusion model are divided by before they are decoded
 * @param usePostQuantConv whether a 1x1 convolution comes first
 * @param midBlockAddAttention whether the middle block has attention
 */
public record VaeConfig(
        List<Integer> blockOutChannels,
        int layersPerBlock,
        int latentChannels,
        int outChannels,
        int normNumGroups,
        double normEps,
        double scalingFactor,
        boolean usePostQuantConv,
        boolean midBlockAddAttention) {

    private static final int MOST_CHANNELS = 16_384;

    /** @throws IllegalArgumentException when a size is out of range or does not divide as it must */
    public VaeConfig {
        blockOutChannels = List.copyOf(blockOutChannels);
        if (blockOutChannels.isEmpty() || blockOutChannels.size() > 8) {
            throw new IllegalArgumentException(
                    "block_out_channels has " + blockOutChannels.size() + " entries, expected 1 to 8");
        }
        requireRange("layers_per_block", layersPerBlock, 1, 64);
        requireRange("latent_channels", latentChannels, 1, 1024);
        requireRange("out_channels", outChannels, 1, 1024);
        requireRange("norm_num_groups", normNumGroups, 1, MOST_CHANNELS);
        for (int channels : blockOutChannels) {
            requireRange("block_out_channels", channels, 1, MOST_CHANNELS);
            if (channels % normNumGroups != 0) {
                throw new IllegalArgumentException(
                        "block_out_channels has %d, expected multiples of norm_num_groups, %d"
                                .formatted(channels, normNumGroups));
            }
        }
        if (!(normEps >= 0 && normEps < 1)) {
            throw new IllegalArgumentException("norm_eps is " + normEps + ", expected at least 0 and less than 1");
        }
        if (!(scalingFactor > 0 && scalingFactor < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException("scaling_factor is " + scalingFactor + ", expected a positive number");
        }
    }

    /** Image pixels a side for one latent pixel: every block but the last doubles. */
    public int upsampling() {
        return 1 << (blockOutChannels.size() - 1);
    }

    /** Residual layers of one of the decoder's blocks. */
    public int resnetsPerUpBlock() {
        return layersPerBlock + 1;
    }

    /** Channels at the latents' resolution, the last of {@code blockOutChannels}. */
    public int midChannels() {
        return blockOutChannels.getLast();
    }

    /** Output channels of the decoder's blocks, in the order that they run: the latents' resolution first. */
    public List<Integer> upBlockChannels() {
        return blockOutChannels.reversed();
    }

    /**
     * Reads diffusers' config.json of an AutoencoderKL; absent keys have its constructor's defaults.
     *
     * @param file a config.json, or the folder it is in
     * @throws CheckpointException when the file cannot be read, or describes no decoder that this engine runs
     */
    public static VaeConfig fromJson(Path file) {
        return fromJson(JsonConfig.read(file));
    }

    /** {@link #fromJson(Path)} of a config that has been read. */
    public static VaeConfig fromJson(JsonConfig json) {
        try {
            requireText(json, "_class_name", "AutoencoderKL");
            List<Integer> channels = json.has("block_out_channels") ? json.integers("block_out_channels") : List.of(64);
            List<String> blocks =
                    json.has("up_block_types") ? json.texts("up_block_types") : List.of("UpDecoderBlock2D");
            if (!blocks.equals(Collections.nCopies(channels.size(), "UpDecoderBlock2D"))) {
                throw new IllegalArgumentException(
                        "up_block_types is %s, expected one UpDecoderBlock2D for each of block_out_channels, %s"
                                .formatted(blocks, channels));
            }
            requireText(json, "act_fn", "silu");
            requireAbsent(json, "shift_factor");
            requireAbsent(json, "latents_mean");
            requireAbsent(json, "latents_std");
            return new VaeConfig(
                    channels,
                    json.integer("layers_per_block", 1),
                    json.integer("latent_channels", 4),
                    json.integer("out_channels", 3),
                    json.integer("norm_num_groups", 32),
                    json.number("norm_eps", 1e-6),
                    json.number("scaling_factor", 0.18215),
                    json.flag("use_post_quant_conv", true),
                    json.flag("mid_block_add_attention", true));
        } catch (IllegalArgumentException e) {
            throw json.refuse(e);
        }
    }

    private static void requireText(JsonConfig json, String key, String expected) {
        String found = json.text(key, expected);
        if (!found.equals(expected)) {
            throw new IllegalArgumentException("%s is \"%s\", expected \"%s\"".formatted(key, found, expected));
        }
    }

    private static void requireAbsent(JsonConfig json, String key) {
        if (json.has(key)) {
            throw new IllegalArgumentException(key + " is set; only VAEs without it are supported");
        }
    }

    private static void requireRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("%s is %d, expected %d to %d".formatted(name, value, least, most));
        }
    }
}
