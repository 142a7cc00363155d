package org.tornadodit.model;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.SafetensorsWriter;
import org.tornadodit.model.io.tensor.TensorSpec;
import org.tornadodit.model.vae.VaeConfig;
import org.tornadodit.model.vae.VaeWeights;

/** A model of 16 x 16 or 32 x 32 pixels with random weights, small enough for devices that are emulated. */
public final class TinyModelFiles {
    private final Path folder;

    private TinyModelFiles(Path folder) {
        this.folder = folder;
    }

    public static TinyModelFiles write(Path folder) throws IOException {
        return write(folder, 2, 1, 8);
    }

    /** The smallest that the tensor cores' kernels take: 16 tokens, and a decoder of 16 channels. */
    public static TinyModelFiles writeForTensorCores(Path folder) throws IOException {
        return write(folder, 4, 1, 16);
    }

    /** Two blocks, which two devices can have one each of. */
    public static TinyModelFiles writeOfTwoBlocks(Path folder) throws IOException {
        return write(folder, 2, 2, 8);
    }

    private static TinyModelFiles write(Path folder, int inputSize, int depth, int channels) throws IOException {
        Path dit = Files.writeString(folder.resolve("tiny.json"), """
            {"input_size": %d, "patch_size": 1, "in_channels": 4, "hidden_size": 32, "depth": %d, "num_heads": 2,
             "mlp_ratio": 2.0, "num_classes": 6, "learn_sigma": true}
            """.formatted(inputSize, depth));
        Path vae = Files.createDirectory(folder.resolve("vae"));
        Files.writeString(vae.resolve("config.json"), """
            {"_class_name": "AutoencoderKL", "block_out_channels": [%1$d, %1$d, %1$d, %1$d], "layers_per_block": 1,
             "norm_num_groups": 4, "scaling_factor": 0.5, "mid_block_add_attention": false,
             "up_block_types":
                 ["UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D", "UpDecoderBlock2D"]}
            """.formatted(channels));
        Files.write(folder.resolve("tiny.safetensors"), random(DitWeights.specs(DitConfig.fromJson(dit)), 1));
        Files.write(
                vae.resolve("diffusion_pytorch_model.safetensors"),
                random(VaeWeights.specs(VaeConfig.fromJson(vae)), 2));
        return new TinyModelFiles(folder);
    }

    /** Its sizes. */
    public Path config() {
        return folder.resolve("tiny.json");
    }

    /** The DiT's weights. */
    public Path checkpoint() {
        return folder.resolve("tiny.safetensors");
    }

    /** The autoencoder's folder. */
    public Path vae() {
        return folder.resolve("vae");
    }

    private static byte[] random(List<TensorSpec> specs, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        SafetensorsWriter writer = new SafetensorsWriter();
        for (TensorSpec spec : specs) {
            float[] values = new float[(int) spec.shape().elements()];
            for (int i = 0; i < values.length; i++) {
                values[i] = (float) random.nextDouble(-0.15, 0.15);
            }
            writer.add(spec.name(), spec.shape(), values);
        }
        return writer.end();
    }

    /** {@code sample} of this model, with more options. */
    public List<Object> sample(Object... options) {
        return command(List.of("sample"), options);
    }

    /** A command with this model, with more options. */
    public List<Object> command(List<String> words, Object... options) {
        List<Object> arguments = new ArrayList<>(words);
        arguments.addAll(List.of("--model", config(), "--ckpt", checkpoint(), "--vae", vae()));
        arguments.addAll(List.of(options));
        return arguments;
    }
}
