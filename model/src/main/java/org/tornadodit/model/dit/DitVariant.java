package org.tornadodit.model.dit;

import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;

/** The twelve models of the DiT paper (table 1), named by size and patch. */
public enum DitVariant {
    XL_2("DiT-XL/2", 28, 1152, 2, 16),
    XL_4("DiT-XL/4", 28, 1152, 4, 16),
    XL_8("DiT-XL/8", 28, 1152, 8, 16),
    L_2("DiT-L/2", 24, 1024, 2, 16),
    L_4("DiT-L/4", 24, 1024, 4, 16),
    L_8("DiT-L/8", 24, 1024, 8, 16),
    B_2("DiT-B/2", 12, 768, 2, 12),
    B_4("DiT-B/4", 12, 768, 4, 12),
    B_8("DiT-B/8", 12, 768, 8, 12),
    S_2("DiT-S/2", 12, 384, 2, 6),
    S_4("DiT-S/4", 12, 384, 4, 6),
    S_8("DiT-S/8", 12, 384, 8, 6);

    private final String modelName;
    private final int depth;
    private final int hiddenSize;
    private final int patchSize;
    private final int numHeads;

    DitVariant(String modelName, int depth, int hiddenSize, int patchSize, int numHeads) {
        this.modelName = modelName;
        this.depth = depth;
        this.hiddenSize = hiddenSize;
        this.patchSize = patchSize;
        this.numHeads = numHeads;
    }

    /** The reference's name, such as {@code DiT-XL/2}. */
    public String modelName() {
        return modelName;
    }

    /** Latent pixels a side of one token. */
    public int patchSize() {
        return patchSize;
    }

    /**
     * The variant of this name, in any case; {@code SiT-XL/2} names the same sizes.
     *
     * @throws IllegalArgumentException when there is none; the message lists all names
     */
    public static DitVariant parse(String name) {
        String wanted = name.toLowerCase(Locale.ROOT).replaceFirst("^sit-", "dit-");
        for (DitVariant variant : values()) {
            if (variant.modelName.toLowerCase(Locale.ROOT).equals(wanted)) {
                return variant;
            }
        }
        throw new IllegalArgumentException("no model is named \"%s\", expected one of %s"
                .formatted(name, Arrays.stream(values()).map(v -> v.modelName).collect(Collectors.joining(", "))));
    }

    /**
     * The sizes for square images of {@code imageSize} pixels a side, with 4 latent channels and a learned variance.
     *
     * @throws IllegalArgumentException when the image size is no positive multiple of 8 * patch size, or there is no
     *     class
     */
    public DitConfig config(int imageSize, int numClasses) {
        int unit = DitConfig.IMAGE_PIXELS_PER_LATENT * patchSize;
        if (imageSize <= 0 || imageSize % unit != 0) {
            throw new IllegalArgumentException(
                    "image size is %d, expected a multiple of %d for %s (8 pixels a latent pixel, patches of %d)"
                            .formatted(imageSize, unit, modelName, patchSize));
        }
        int inputSize = imageSize / DitConfig.IMAGE_PIXELS_PER_LATENT;
        return new DitConfig(inputSize, patchSize, 4, hiddenSize, depth, numHeads, 4.0, numClasses, true);
    }
}
