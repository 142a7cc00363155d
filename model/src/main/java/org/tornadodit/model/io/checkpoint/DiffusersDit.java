package org.tornadodit.model.io.checkpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.Refusal;
import org.tornadodit.model.io.tensor.StoredTensor;

/**
 * Names of diffusers' DiT (Transformer2DModel with ada_norm_zero, DiTTransformer2DModel) as facebookresearch/DiT's.
 * Query, key and value are joined to {@code attn.qkv}. Each block of diffusers carries its own copy of the timestep and
 * label embedders, of which DiT has one: they must be equal. {@code pos_embed}, a constant, is not stored by diffusers.
 */
final class DiffusersDit {

    private static final Pattern BLOCK = Pattern.compile("transformer_blocks\\.(\\d{1,4})\\.(.+)");

    private static final Map<String, String> TOP = Map.of(
            "pos_embed.pos_embed", "pos_embed",
            "pos_embed.proj.weight", "x_embedder.proj.weight",
            "pos_embed.proj.bias", "x_embedder.proj.bias",
            "proj_out_1.weight", "final_layer.adaLN_modulation.1.weight",
            "proj_out_1.bias", "final_layer.adaLN_modulation.1.bias",
            "proj_out_2.weight", "final_layer.linear.weight",
            "proj_out_2.bias", "final_layer.linear.bias");

    /** Copied into every block by diffusers. */
    private static final Map<String, String> SHARED = Map.of(
            "norm1.emb.timestep_embedder.linear_1.weight", "t_embedder.mlp.0.weight",
            "norm1.emb.timestep_embedder.linear_1.bias", "t_embedder.mlp.0.bias",
            "norm1.emb.timestep_embedder.linear_2.weight", "t_embedder.mlp.2.weight",
            "norm1.emb.timestep_embedder.linear_2.bias", "t_embedder.mlp.2.bias",
            "norm1.emb.class_embedder.embedding_table.weight", "y_embedder.embedding_table.weight");

    private static final Map<String, String> IN_BLOCK = Map.of(
            "norm1.linear.weight", "adaLN_modulation.1.weight",
            "norm1.linear.bias", "adaLN_modulation.1.bias",
            "attn1.to_out.0.weight", "attn.proj.weight",
            "attn1.to_out.0.bias", "attn.proj.bias",
            "ff.net.0.proj.weight", "mlp.fc1.weight",
            "ff.net.0.proj.bias", "mlp.fc1.bias",
            "ff.net.2.weight", "mlp.fc2.weight",
            "ff.net.2.bias", "mlp.fc2.bias");

    private static final List<String> QKV = List.of("attn1.to_q.", "attn1.to_k.", "attn1.to_v.");

    private DiffusersDit() {}

    /** Whether these are diffusers' names. */
    static boolean recognizes(Checkpoint checkpoint) {
        return checkpoint.names().stream().anyMatch(name -> name.startsWith("transformer_blocks."));
    }

    /**
     * The same tensors under DiT's names; a name that is not known stays, for the model's own check to report.
     *
     * @throws CheckpointException when a query, key or value lacks the other two, or copies differ
     */
    static Checkpoint map(StoredCheckpoint source) {
        Map<String, DerivedCheckpoint.Origin> origins = new LinkedHashMap<>();
        for (String name : source.names()) {
            Matcher block = BLOCK.matcher(name);
            if (!block.matches()) {
                put(source, origins, TOP.getOrDefault(name, name), name);
                continue;
            }
            String number = block.group(1);
            String rest = block.group(2);
            @Nullable String shared = SHARED.get(rest);
            @Nullable String own = IN_BLOCK.get(rest);
            if (shared != null) {
                DerivedCheckpoint.@Nullable Origin first = origins.get(shared);
                if (first == null) {
                    put(source, origins, shared, name);
                } else {
                    requireEqual(source, first.parts().getFirst(), name);
                }
            } else if (own != null) {
                put(source, origins, "blocks." + number + "." + own, name);
            } else if (QKV.stream().anyMatch(rest::startsWith)) {
                String suffix = rest.substring(rest.lastIndexOf('.') + 1);
                origins.computeIfAbsent(
                        "blocks." + number + ".attn.qkv." + suffix, joined -> join(source, number, suffix));
            } else {
                put(source, origins, name, name);
            }
        }
        return new DerivedCheckpoint(source, origins);
    }

    private static void put(
            StoredCheckpoint source, Map<String, DerivedCheckpoint.Origin> origins, String target, String name) {
        if (origins.put(target, new DerivedCheckpoint.Origin(List.of(name), source.shape(name))) != null) {
            throw Refusal.of(source.path(), Refusal.tensor(name), "one tensor for " + target, "two");
        }
    }

    private static DerivedCheckpoint.Origin join(StoredCheckpoint source, String block, String suffix) {
        List<String> parts = new ArrayList<>();
        for (String part : QKV) {
            parts.add("transformer_blocks." + block + "." + part + suffix);
        }
        Shape first = source.shape(parts.getFirst());
        if (first.rank() == 0) {
            throw Refusal.of(source.path(), Refusal.tensor(parts.getFirst()), "a weight or bias", "a scalar");
        }
        for (String part : parts) {
            if (!source.shape(part).equals(first)) {
                throw Refusal.of(
                        source.path(),
                        Refusal.tensor(part),
                        "shape %s, as its query".formatted(first),
                        "shape " + source.shape(part));
            }
        }
        List<Long> dims = new ArrayList<>(first.dims());
        dims.set(0, dims.getFirst() * parts.size());
        return new DerivedCheckpoint.Origin(parts, new Shape(dims));
    }

    private static void requireEqual(StoredCheckpoint source, String first, String copy) {
        StoredTensor expected = source.stored(first);
        StoredTensor found = source.stored(copy);
        boolean equal = expected.dtype() == found.dtype()
                && expected.shape().equals(found.shape())
                && expected.strides().equals(found.strides())
                && found.data().mismatch(expected.data()) < 0;
        if (!equal) {
            throw Refusal.of(source.path(), Refusal.tensor(copy), "a copy of " + first, "other values");
        }
    }
}
