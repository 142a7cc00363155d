package org.tornadodit.pipeline.setup;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;
import org.tornadodit.model.vae.VaeConfig;

/** A model's sizes as its checkpoint's shapes tell them. Whether all of it fits is for the loading to say. */
public final class CheckpointSizes {
    private static final String POSITIONS = "pos_embed"; // (1, T, D)
    private static final String LABELS = "y_embedder.embedding_table.weight"; // (classes and the null class, D)
    private static final String PATCHES = "x_embedder.proj.weight"; // (D, C, P, P)

    private CheckpointSizes() {}

    /**
     * Pixels a side that a model was trained for.
     *
     * @return the reference's default where the positions do not tell
     */
    public static int imageSize(Checkpoint weights, int patchSize) {
        if (weights.names().contains(POSITIONS)) {
            Shape shape = weights.shape(POSITIONS);
            int grid = shape.rank() == 3 ? (int) Math.round(Math.sqrt(shape.dim(1))) : 0;
            if (grid > 0 && grid <= 512 && (long) grid * grid == shape.dim(1)) {
                return grid * patchSize * DitConfig.IMAGE_PIXELS_PER_LATENT;
            }
        }
        return 256;
    }

    /**
     * Classes that a model knows.
     *
     * @return ImageNet's number where the table does not tell
     */
    public static int numClasses(Checkpoint weights) {
        if (weights.names().contains(LABELS)) {
            Shape shape = weights.shape(LABELS);
            if (shape.rank() == 2 && shape.dim(0) > 1 && shape.dim(0) <= 10_000_000) {
                return (int) shape.dim(0) - 1;
            }
        }
        return 1000;
    }

    /**
     * All sizes: those of a config.json beside the weights that describes a DiT, else of the variant of the paper that has
     * these shapes.
     *
     * @param imageSize pixels a side; null for what the model was trained for
     * @throws CheckpointException when neither tells
     */
    public static DitConfig of(Path checkpoint, Checkpoint weights, @Nullable Integer imageSize) {
        DitConfig found = described(checkpoint)
                .or(() -> variant(weights)
                        .map(variant -> variant.config(
                                imageSize != null ? imageSize : imageSize(weights, variant.patchSize()),
                                numClasses(weights))))
                .orElseThrow(() -> new CheckpointException(Printable.path(checkpoint)
                        + ": the shapes are of no variant of the paper, and no config.json of a DiT is beside it; give"
                        + " its sizes in a config.json"));
        if (imageSize != null && imageSize != found.imageSize()) {
            throw new CheckpointException(
                    "%s: made for images of %d pixels a side, wanted %d; take the weights of that size"
                            .formatted(Printable.path(checkpoint), found.imageSize(), imageSize));
        }
        return found;
    }

    /**
     * Passes where an autoencoder decodes what a model makes.
     *
     * @param name of the model, for the message
     * @throws IllegalArgumentException otherwise
     */
    public static void requireFit(DitConfig config, String name, VaeConfig vaeConfig, Path vae) {
        if (vaeConfig.latentChannels() != config.inChannels()) {
            throw new IllegalArgumentException("the autoencoder in %s has %d latent channels, %s has %d"
                    .formatted(vae, vaeConfig.latentChannels(), name, config.inChannels()));
        }
        if (vaeConfig.upsampling() != DitConfig.IMAGE_PIXELS_PER_LATENT) {
            throw new IllegalArgumentException("the autoencoder in %s enlarges %d times, expected %d"
                    .formatted(vae, vaeConfig.upsampling(), DitConfig.IMAGE_PIXELS_PER_LATENT));
        }
    }

    /** Whether a config.json beside the weights describes the model. */
    public static boolean isDescribed(Path checkpoint) {
        return described(checkpoint).isPresent();
    }

    private static Optional<DitConfig> described(Path checkpoint) {
        return Checkpoints.configFolder(checkpoint, "transformer")
                .map(JsonConfig::read)
                .filter(json -> json.has("hidden_size") || json.has("num_attention_heads"))
                .map(DitConfig::fromJson);
    }

    private static Optional<DitVariant> variant(Checkpoint weights) {
        if (!weights.names().contains(PATCHES)) {
            return Optional.empty();
        }
        Shape patches = weights.shape(PATCHES);
        long depth = weights.names().stream()
                .filter(name -> name.matches("blocks\\.\\d+\\.attn\\.qkv\\.weight"))
                .count();
        for (DitVariant variant : DitVariant.values()) {
            DitConfig sizes = variant.config(8 * DitConfig.IMAGE_PIXELS_PER_LATENT, 1);
            if (patches.equals(Shape.of(sizes.hiddenSize(), sizes.inChannels(), sizes.patchSize(), sizes.patchSize()))
                    && depth == sizes.depth()) {
                return Optional.of(variant);
            }
        }
        return Optional.empty();
    }
}
