package org.tornadodit.model.dit;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Linear;
import org.tornadodit.model.Shape;
import org.tornadodit.model.Tensor;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.CheckpointCheck;
import org.tornadodit.model.io.tensor.TensorSpec;

/**
 * A DiT's parameters. D is the hidden size, T the tokens, P the patch size, C the input channels, M the MLP's width.
 * They may be a mapped file: the checkpoint stays open as long as they are used.
 *
 * @param patchEmbedding {@code x_embedder.proj}: (D, C, P, P)
 * @param positionEmbedding {@code pos_embed}: (1, T, D)
 * @param timestepIn {@code t_embedder.mlp.0}: (D, 256)
 * @param timestepOut {@code t_embedder.mlp.2}: (D, D)
 * @param intervalIn {@code r_embedder.mlp.0}: (D, 256), of a model with a second time; else null
 * @param intervalOut {@code r_embedder.mlp.2}: (D, D), likewise
 * @param labelTable {@code y_embedder.embedding_table.weight}: (classes + 1, D), the null class last
 * @param blocks {@code blocks.0} and on
 * @param finalModulation {@code final_layer.adaLN_modulation.1}: (2 D, D), shift and scale
 * @param finalLinear {@code final_layer.linear}: (P * P * outChannels, D)
 */
public record DitWeights(
        Linear patchEmbedding,
        Tensor positionEmbedding,
        Linear timestepIn,
        Linear timestepOut,
        @Nullable Linear intervalIn,
        @Nullable Linear intervalOut,
        Tensor labelTable,
        List<Block> blocks,
        Linear finalModulation,
        Linear finalLinear) {

    private static final String POSITION_EMBEDDING = "pos_embed";

    /** What a forward pass reads; other tensors are of the training. */
    private static final Pattern PART_OF_THE_MODEL =
            Pattern.compile("(pos_embed|[xtyr]_embedder|blocks|decoder_blocks|final_layer)(\\..*)?");

    public DitWeights {
        blocks = List.copyOf(blocks);
    }

    /** Without a second time. */
    public DitWeights(
            Linear patchEmbedding,
            Tensor positionEmbedding,
            Linear timestepIn,
            Linear timestepOut,
            Tensor labelTable,
            List<Block> blocks,
            Linear finalModulation,
            Linear finalLinear) {
        this(
                patchEmbedding,
                positionEmbedding,
                timestepIn,
                timestepOut,
                null,
                null,
                labelTable,
                blocks,
                finalModulation,
                finalLinear);
    }

    /**
     * One transformer block.
     *
     * @param qkv {@code attn.qkv}: (3 D, D), rows ordered as query, key, value, each by head
     * @param projection {@code attn.proj}: (D, D)
     * @param fc1 {@code mlp.fc1}: (M, D)
     * @param fc2 {@code mlp.fc2}: (D, M)
     * @param modulation {@code adaLN_modulation.1}: (6 D, D), shift, scale and gate of attention, then of the MLP
     * @param headNorms {@code attn.q_norm} and {@code attn.k_norm} of a model that has them; else null
     */
    public record Block(
            Linear qkv,
            Linear projection,
            Linear fc1,
            Linear fc2,
            Linear modulation,
            @Nullable HeadNorms headNorms) {
        /** Without norms of queries and keys. */
        public Block(Linear qkv, Linear projection, Linear fc1, Linear fc2, Linear modulation) {
            this(qkv, projection, fc1, fc2, modulation, null);
        }
    }

    /**
     * LayerNorms over the head size, with an epsilon of 1e-5 (timm's).
     *
     * @param query weight (head size) and bias
     * @param key likewise
     */
    public record HeadNorms(Linear query, Linear key) {}

    /** All parameters that a model of these sizes has, in the order of the reference's state_dict. */
    public static List<TensorSpec> specs(DitConfig config) {
        long hidden = config.hiddenSize();
        long patch = config.patchSize();
        List<TensorSpec> specs = new ArrayList<>();
        specs.add(new TensorSpec(POSITION_EMBEDDING, Shape.of(1, config.tokens(), hidden)));
        addLinear(specs, "x_embedder.proj", Shape.of(hidden, config.inChannels(), patch, patch));
        addLinear(specs, "t_embedder.mlp.0", Shape.of(hidden, DitConfig.FREQUENCY_SIZE));
        addLinear(specs, "t_embedder.mlp.2", Shape.of(hidden, hidden));
        if (config.secondTime()) {
            addLinear(specs, "r_embedder.mlp.0", Shape.of(hidden, DitConfig.FREQUENCY_SIZE));
            addLinear(specs, "r_embedder.mlp.2", Shape.of(hidden, hidden));
        }
        specs.add(new TensorSpec("y_embedder.embedding_table.weight", Shape.of(config.numClasses() + 1L, hidden)));
        for (int i = 0; i < config.depth(); i++) {
            String block = "blocks." + i;
            addLinear(specs, block + ".attn.qkv", Shape.of(3 * hidden, hidden));
            if (config.qkNorm()) {
                addLinear(specs, block + ".attn.q_norm", Shape.of(config.headSize()));
                addLinear(specs, block + ".attn.k_norm", Shape.of(config.headSize()));
            }
            addLinear(specs, block + ".attn.proj", Shape.of(hidden, hidden));
            addLinear(specs, block + ".mlp.fc1", Shape.of(config.mlpHidden(), hidden));
            addLinear(specs, block + ".mlp.fc2", Shape.of(hidden, config.mlpHidden()));
            addLinear(specs, block + ".adaLN_modulation.1", Shape.of(6 * hidden, hidden));
        }
        addLinear(specs, "final_layer.linear", Shape.of(config.patchOutputs(), hidden));
        addLinear(specs, "final_layer.adaLN_modulation.1", Shape.of(2 * hidden, hidden));
        return specs;
    }

    private static void addLinear(List<TensorSpec> specs, String name, Shape weight) {
        specs.add(new TensorSpec(name + ".weight", weight));
        specs.add(new TensorSpec(name + ".bias", Shape.of(weight.dim(0))));
    }

    /**
     * Compares all names and shapes of a checkpoint; reads no values.
     *
     * @throws org.tornadodit.model.io.file.CheckpointException when a tensor is missing, surplus or of another shape
     */
    public static void requireFit(Checkpoint checkpoint, DitConfig config) {
        List<TensorSpec> expected = specs(config);
        if (!checkpoint.names().contains(POSITION_EMBEDDING)) {
            expected.removeIf(spec -> spec.name().equals(POSITION_EMBEDDING));
        }
        List<String> leftOut = leftOut(checkpoint, config);
        CheckpointCheck.requireExactly(checkpoint, expected, leftOut::contains);
    }

    /**
     * Tensors of a checkpoint that are no part of the model and are not read, such as the projectors that REPA trains beside
     * it. Of a DiT there are none: what is surplus there makes it another model.
     */
    public static List<String> leftOut(Checkpoint checkpoint, DitConfig config) {
        if (config.objective() == Objective.DIT) {
            return List.of();
        }
        return checkpoint.names().stream()
                .filter(name -> !PART_OF_THE_MODEL.matcher(name).matches())
                .toList();
    }

    /**
     * Takes the parameters from a checkpoint, after all names and shapes have been compared. A checkpoint without
     * {@code pos_embed} (diffusers does not store it) gets {@link PositionEmbedding#sinCos}. Values are compared with the
     * file's checksums meanwhile: {@link Checkpoint#requireIntact} is to be asked before anything made of them is used.
     *
     * @throws org.tornadodit.model.io.file.CheckpointException when a tensor is missing, surplus or of another shape
     */
    public static DitWeights load(Checkpoint checkpoint, DitConfig config) {
        requireFit(checkpoint, config);
        CheckpointCheck.readAll(checkpoint, specs(config));
        boolean stored = checkpoint.names().contains(POSITION_EMBEDDING);
        List<Block> blocks = new ArrayList<>();
        for (int i = 0; i < config.depth(); i++) {
            String block = "blocks." + i;
            blocks.add(new Block(
                    linear(checkpoint, block + ".attn.qkv"),
                    linear(checkpoint, block + ".attn.proj"),
                    linear(checkpoint, block + ".mlp.fc1"),
                    linear(checkpoint, block + ".mlp.fc2"),
                    linear(checkpoint, block + ".adaLN_modulation.1"),
                    config.qkNorm()
                            ? new HeadNorms(
                                    linear(checkpoint, block + ".attn.q_norm"),
                                    linear(checkpoint, block + ".attn.k_norm"))
                            : null));
        }
        return new DitWeights(
                linear(checkpoint, "x_embedder.proj"),
                stored ? checkpoint.tensor(POSITION_EMBEDDING) : computedPositions(config),
                linear(checkpoint, "t_embedder.mlp.0"),
                linear(checkpoint, "t_embedder.mlp.2"),
                config.secondTime() ? linear(checkpoint, "r_embedder.mlp.0") : null,
                config.secondTime() ? linear(checkpoint, "r_embedder.mlp.2") : null,
                checkpoint.tensor("y_embedder.embedding_table.weight"),
                blocks,
                linear(checkpoint, "final_layer.adaLN_modulation.1"),
                linear(checkpoint, "final_layer.linear"));
    }

    private static Linear linear(Checkpoint checkpoint, String name) {
        return new Linear(checkpoint.tensor(name + ".weight"), checkpoint.tensor(name + ".bias"));
    }

    private static Tensor computedPositions(DitConfig config) {
        return Tensor.of(
                POSITION_EMBEDDING,
                Shape.of(1, config.tokens(), config.hiddenSize()),
                PositionEmbedding.sinCos(config.hiddenSize(), config.gridSize()));
    }
}
