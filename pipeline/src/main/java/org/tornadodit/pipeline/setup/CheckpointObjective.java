package org.tornadodit.pipeline.setup;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitWeights;
import org.tornadodit.model.io.checkpoint.Checkpoint;

/**
 * What a checkpoint's model was trained to predict. DiT's, SiT's and REPA's have the same blocks, and the published SiT has
 * DiT's very names and shapes, so that tensors do not always tell.
 *
 * @param objective what it is taken for
 * @param reason what says so
 */
public record CheckpointObjective(Objective objective, String reason) {
    private static final String LAST = "final_layer.linear.weight"; // (P P outChannels, D)
    private static final String QUERY_NORM = "blocks.0.attn.q_norm.weight";
    private static final int LISTED = 3;

    /**
     * Finds out.
     *
     * @param given by the user; null where the file is to tell
     * @param model as the user named it, such as SiT-XL/2; empty where nobody did
     * @param checkpoint the file or folder
     * @param sizes of the model, with the objective of its config.json
     */
    public static CheckpointObjective of(
            @Nullable Objective given, String model, Path checkpoint, Checkpoint weights, DitConfig sizes) {
        if (given != null) {
            return new CheckpointObjective(given, "as asked for");
        }
        if (sizes.objective() != Objective.DIT) {
            return new CheckpointObjective(sizes.objective(), "by its config.json");
        }
        if (any(weights, "r_embedder.")) {
            return new CheckpointObjective(Objective.MEANFLOW, "by its r_embedder");
        }
        if (any(weights, "projectors.")) {
            return new CheckpointObjective(Objective.REPA, "by its projectors");
        }
        if (isSit(model)) {
            return new CheckpointObjective(Objective.SIT, "by the model's name");
        }
        Optional<Objective> named = named(String.valueOf(checkpoint.getFileName()));
        if (named.isPresent()) {
            return new CheckpointObjective(named.get(), "by the file's name");
        }
        if (weights.names().contains(QUERY_NORM)) {
            return new CheckpointObjective(Objective.REPA, "by its q_norm");
        }
        return new CheckpointObjective(Objective.DIT, "as nothing says otherwise");
    }

    /** Whether a model is called as SiT's are: SiT-XL/2; or its config.json, wherever it lies. */
    public static boolean isSit(String model) {
        String name = model.endsWith(".json") ? String.valueOf(Path.of(model).getFileName()) : model;
        return name.toLowerCase(Locale.ROOT).startsWith("sit-");
    }

    private static boolean any(Checkpoint weights, String start) {
        return weights.names().stream().anyMatch(name -> name.startsWith(start));
    }

    /** What a word in a file's name says: {@code SiT-XL-2-256x256.pt}. */
    private static Optional<Objective> named(String file) {
        for (Objective objective : List.of(Objective.MEANFLOW, Objective.REPA, Objective.SIT)) {
            Pattern word = Pattern.compile("(?i)(^|[^a-z])" + objective.option() + "([^a-z]|$)");
            if (word.matcher(file).find()) {
                return Optional.of(objective);
            }
        }
        return Optional.empty();
    }

    /**
     * The sizes with what else the tensors tell: how many output channels there are, and whether queries are normalized.
     *
     * @param described whether a config.json has the sizes, whose number of output channels then counts
     */
    public DitConfig apply(DitConfig sizes, Checkpoint weights, boolean described) {
        boolean twice = sizes.learnSigma();
        if (!described && objective != Objective.DIT && weights.names().contains(LAST)) {
            Shape last = weights.shape(LAST);
            long once = (long) sizes.patchSize() * sizes.patchSize() * sizes.inChannels();
            twice = last.rank() != 2 || last.dim(0) != once;
        }
        return sizes.with(twice, sizes.qkNorm() || weights.names().contains(QUERY_NORM), objective);
    }

    /** What a user is told: nothing of a DiT. */
    public List<String> lines(Checkpoint weights, DitConfig config) {
        List<String> lines = new ArrayList<>();
        if (objective != Objective.DIT) {
            lines.add("a %s model, %s%s"
                    .formatted(objective, reason, config.qkNorm() ? "; queries and keys normalized" : ""));
        }
        List<String> leftOut = DitWeights.leftOut(weights, config);
        if (!leftOut.isEmpty()) {
            String more = leftOut.size() > LISTED ? " and %d more".formatted(leftOut.size() - LISTED) : "";
            lines.add("left out, no part of the model: "
                    + String.join(
                            ", ",
                            leftOut.stream().limit(LISTED).map(Printable::text).toList())
                    + more);
        }
        return lines;
    }
}
