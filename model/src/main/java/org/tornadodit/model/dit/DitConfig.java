package org.tornadodit.model.dit;

import java.nio.file.Path;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.JsonConfig;

/**
 * The sizes of a DiT, named as the reference's constructor names them.
 *
 * @param inputSize latent pixels a side (H = W), an eighth of the image's
 * @param patchSize latent pixels a side of one token (P)
 * @param inChannels latent channels (C)
 * @param hiddenSize width of a token (D)
 * @param depth number of blocks
 * @param numHeads attention heads (H)
 * @param mlpRatio hidden width of a block's MLP over {@code hiddenSize}
 * @param numClasses labels, without the null class of classifier-free guidance, whose index is this number
 * @param learnSigma whether the model has twice as many output channels: DiT's second half is a variance, SiT's means
 *     nothing
 * @param qkNorm whether queries and keys go through a LayerNorm of each head
 * @param objective what it was trained to predict; MeanFlow's has a second embedding, of t - r
 */
public record DitConfig(
        int inputSize,
        int patchSize,
        int inChannels,
        int hiddenSize,
        int depth,
        int numHeads,
        double mlpRatio,
        int numClasses,
        boolean learnSigma,
        boolean qkNorm,
        Objective objective) {

    /** Image pixels a side for one latent pixel: the autoencoder halves three times. */
    public static final int IMAGE_PIXELS_PER_LATENT = 8;

    /** Width of the sinusoidal embedding of a timestep ({@code frequency_embedding_size}). */
    public static final int FREQUENCY_SIZE = 256;

    private static final long MOST_ELEMENTS = 1L << 28;

    /** @throws IllegalArgumentException when a size is out of range or does not divide as it must */
    public DitConfig {
        requireRange("input_size", inputSize, 1, 4096);
        requireRange("patch_size", patchSize, 1, 64);
        requireRange("in_channels", inChannels, 1, 1024);
        requireRange("hidden_size", hiddenSize, 4, 65_536);
        requireRange("depth", depth, 1, 1024);
        requireRange("num_heads", numHeads, 1, 1024);
        requireRange("num_classes", numClasses, 1, 10_000_000);
        if (!(mlpRatio > 0 && mlpRatio <= 64 && (int) (hiddenSize * mlpRatio) >= 1)) {
            throw new IllegalArgumentException("mlp_ratio is " + mlpRatio + ", expected more than 0 and at most 64");
        }
        requireElements("an image", 2L * inChannels * inputSize * inputSize);
        requireElements("the position embedding", (long) inputSize / patchSize * (inputSize / patchSize) * hiddenSize);
        requireMultiple("input_size", inputSize, "patch_size", patchSize);
        requireMultiple("hidden_size", hiddenSize, "num_heads", numHeads);
        if (hiddenSize % 4 != 0) {
            throw new IllegalArgumentException("hidden_size is " + hiddenSize
                    + ", expected a multiple of 4: sines and cosines of rows and columns share it");
        }
    }

    /** The same of so many classes. */
    public DitConfig withClasses(int numClasses) {
        return with(numClasses, learnSigma, qkNorm, objective);
    }

    /** A DiT of the paper. */
    public DitConfig(
            int inputSize,
            int patchSize,
            int inChannels,
            int hiddenSize,
            int depth,
            int numHeads,
            double mlpRatio,
            int numClasses,
            boolean learnSigma) {
        this(
                inputSize,
                patchSize,
                inChannels,
                hiddenSize,
                depth,
                numHeads,
                mlpRatio,
                numClasses,
                learnSigma,
                false,
                Objective.DIT);
    }

    /** The same sizes of a model that was trained otherwise. */
    public DitConfig with(boolean learnSigma, boolean qkNorm, Objective objective) {
        return with(numClasses, learnSigma, qkNorm, objective);
    }

    private DitConfig with(int numClasses, boolean learnSigma, boolean qkNorm, Objective objective) {
        return new DitConfig(
                inputSize,
                patchSize,
                inChannels,
                hiddenSize,
                depth,
                numHeads,
                mlpRatio,
                numClasses,
                learnSigma,
                qkNorm,
                objective);
    }

    /** Whether the model is told t - r besides t. */
    public boolean secondTime() {
        return objective == Objective.MEANFLOW;
    }

    /** Whether the second half of the output channels is a learned variance. */
    public boolean learnsVariance() {
        return learnSigma && objective == Objective.DIT;
    }

    /** Tokens a side. */
    public int gridSize() {
        return inputSize / patchSize;
    }

    /** Number of tokens (T). */
    public int tokens() {
        return gridSize() * gridSize();
    }

    /** Width of one attention head (D / H). */
    public int headSize() {
        return hiddenSize / numHeads;
    }

    /** Hidden width of a block's MLP. */
    public int mlpHidden() {
        return (int) (hiddenSize * mlpRatio);
    }

    /** Channels of the output: noise, and with {@code learnSigma} as many for its variance. */
    public int outChannels() {
        return learnSigma ? 2 * inChannels : inChannels;
    }

    /** Values that the final layer gives for one token: P * P * outChannels. */
    public int patchOutputs() {
        return patchSize * patchSize * outChannels();
    }

    /** Values of one input image: C * H * W. */
    public int inputElements() {
        return inChannels * inputSize * inputSize;
    }

    /** Values of one output image: outChannels * H * W. */
    public int outputElements() {
        return outChannels() * inputSize * inputSize;
    }

    /** Pixels a side of the decoded image. */
    public int imageSize() {
        return inputSize * IMAGE_PIXELS_PER_LATENT;
    }

    /** Index of the null class, the label of the unconditional half of classifier-free guidance. */
    public int nullClass() {
        return numClasses;
    }

    /** Number of parameters, the position embedding included, as the DiT paper counts them. */
    public long parameters() {
        return DitWeights.specs(this).stream()
                .mapToLong(spec -> spec.shape().elements())
                .sum();
    }

    /**
     * Reads a config.json: the reference's constructor arguments ({@code input_size, patch_size, in_channels,
     * hidden_size, depth, num_heads, mlp_ratio, num_classes, learn_sigma}), or diffusers' of a DiTTransformer2DModel
     * ({@code sample_size, num_attention_heads, attention_head_dim, num_layers, num_embeds_ada_norm, out_channels}).
     * Absent keys have their constructor's defaults.
     *
     * @param file a config.json, or the folder it is in
     * @throws CheckpointException when the file cannot be read or its sizes make no DiT
     */
    public static DitConfig fromJson(Path file) {
        return fromJson(JsonConfig.read(file));
    }

    /** {@link #fromJson(Path)} of a config that has been read. */
    public static DitConfig fromJson(JsonConfig json) {
        try {
            return json.has("num_attention_heads") || json.has("sample_size") ? diffusers(json) : reference(json);
        } catch (IllegalArgumentException e) {
            throw json.refuse(e);
        }
    }

    private static DitConfig reference(JsonConfig json) {
        return new DitConfig(
                json.integer("input_size", 32),
                json.integer("patch_size", 2),
                json.integer("in_channels", 4),
                json.integer("hidden_size", 1152),
                json.integer("depth", 28),
                json.integer("num_heads", 16),
                json.number("mlp_ratio", 4.0),
                json.integer("num_classes", 1000),
                json.flag("learn_sigma", true),
                json.flag("qk_norm", false),
                objective(json));
    }

    private static DitConfig diffusers(JsonConfig json) {
        int inChannels = json.integer("in_channels", 4);
        int outChannels = json.integer("out_channels", inChannels);
        int heads = json.integer("num_attention_heads", 16);
        if (outChannels != inChannels && outChannels != 2L * inChannels) {
            throw new IllegalArgumentException(
                    "out_channels is %d, expected in_channels (%d) or twice that".formatted(outChannels, inChannels));
        }
        requireRange("num_attention_heads", heads, 1, 1024);
        int headSize = json.integer("attention_head_dim", 72);
        requireRange("attention_head_dim", headSize, 1, 65_536);
        requireText(json, "norm_type", "ada_norm_zero");
        requireText(json, "activation_fn", "gelu-approximate");
        return new DitConfig(
                json.integer("sample_size", 32),
                json.integer("patch_size", 2),
                inChannels,
                heads * headSize,
                json.integer("num_layers", 28),
                heads,
                4.0,
                json.integer("num_embeds_ada_norm", 1000),
                outChannels == 2 * inChannels);
    }

    private static Objective objective(JsonConfig json) {
        String name = json.text("objective", Objective.DIT.option());
        return Objective.named(name)
                .orElseThrow(() -> new IllegalArgumentException(
                        "objective is \"%s\", expected one of %s".formatted(name, Objective.options())));
    }

    /** As records have it; of a DiT of the paper without what only others differ in. */
    @Override
    public String toString() {
        String sizes = "inputSize=%d, patchSize=%d, inChannels=%d, hiddenSize=%d, depth=%d, numHeads=%d, mlpRatio=%s"
                .formatted(inputSize, patchSize, inChannels, hiddenSize, depth, numHeads, mlpRatio);
        String rest = ", numClasses=%d, learnSigma=%s".formatted(numClasses, learnSigma);
        String other = qkNorm || objective != Objective.DIT
                ? ", qkNorm=%s, objective=%s".formatted(qkNorm, objective.option())
                : "";
        return "DitConfig[" + sizes + rest + other + "]";
    }

    private static void requireText(JsonConfig json, String key, String expected) {
        String found = json.text(key, expected);
        if (!found.equals(expected)) {
            throw new IllegalArgumentException("%s is \"%s\", expected \"%s\"".formatted(key, found, expected));
        }
    }

    private static void requireRange(String name, int value, int least, int most) {
        if (value < least || value > most) {
            throw new IllegalArgumentException("%s is %d, expected %d to %d".formatted(name, value, least, most));
        }
    }

    private static void requireElements(String what, long elements) {
        if (elements > MOST_ELEMENTS) {
            throw new IllegalArgumentException(
                    "%s would have %d values, expected at most %d".formatted(what, elements, MOST_ELEMENTS));
        }
    }

    private static void requireMultiple(String name, int value, String divisor, int divisorValue) {
        if (value % divisorValue != 0) {
            throw new IllegalArgumentException(
                    "%s is %d, expected a multiple of %s, %d".formatted(name, value, divisor, divisorValue));
        }
    }
}
