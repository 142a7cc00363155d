package org.tornadodit.runner.option;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.Objective;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** Which model: the options that every command with a model shares. */
public final class ModelOptions {
    @Option(
            names = "--model",
            paramLabel = "NAME",
            defaultValue = "DiT-XL/2",
            description = "DiT-{XL,L,B,S}/{2,4,8} or SiT-..., demo, or a config.json of a custom size (keys input_size,"
                    + " patch_size, in_channels, hidden_size, depth, num_heads, mlp_ratio, num_classes,"
                    + " learn_sigma, qk_norm, objective). Default: ${DEFAULT-VALUE}")
    public String model = "DiT-XL/2";

    @Option(
            names = "--image-size",
            paramLabel = "PIXELS",
            description = "Width and height of an image. Default: what the checkpoint was trained for")
    @Nullable
    public Integer imageSize;

    @Option(
            names = "--num-classes",
            paramLabel = "N",
            description = "Classes that the model knows. Default: what the checkpoint holds")
    @Nullable
    public Integer numClasses;

    @Option(
            names = "--objective",
            paramLabel = "dit|sit|repa|meanflow",
            converter = ObjectiveName.class,
            description =
                    "What the model was trained to predict: DiT's noise, or the velocity of SiT, REPA or MeanFlow."
                            + " Default: what its tensors, --model SiT-XL/2 or the file's name tell; else dit")
    @Nullable
    public Objective objective;

    @Option(
            names = "--ckpt",
            paramLabel = "FILE|DIR",
            description =
                    "DiT weights: .pt, .safetensors (also sharded, by its index), a diffusers folder, or the name of"
                            + " a Hugging Face repository that is in its cache. Default: what dit download has fetched")
    @Nullable
    public Path checkpoint;

    @Option(
            names = "--vae",
            paramLabel = "DIR",
            description =
                    "AutoencoderKL in diffusers' layout: config.json and weights; or sd-vae-ft-ema or sd-vae-ft-mse"
                        + " (ema, mse), once downloaded. Default: beside the DiT's weights, or downloaded with them")
    @Nullable
    public Path vae;

    /** Reads an objective's name. */
    static final class ObjectiveName implements ITypeConverter<Objective> {
        @Override
        public Objective convert(String name) {
            return Objective.named(name)
                    .orElseThrow(
                            () -> new TypeConversionException("expected one of [%s] (case-insensitive) but was '%s'"
                                    .formatted(Objective.options(), name)));
        }
    }

    /** What these options name and a command reads; names that are no files are passed over. */
    public List<Path> inputs() {
        List<Path> inputs = new ArrayList<>();
        if (model.endsWith(".json")) {
            inputs.add(Path.of(model));
        }
        if (checkpoint != null) {
            inputs.add(checkpoint);
        }
        if (vae != null) {
            inputs.add(vae);
        }
        return inputs;
    }
}
