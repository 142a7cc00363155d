package org.tornadodit.runner.measure;

import com.google.gson.JsonObject;
import java.nio.file.Path;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.Checkpoints;
import org.tornadodit.pipeline.setup.CheckpointObjective;
import org.tornadodit.runner.option.KernelArguments;
import org.tornadodit.runner.option.ModelOptions;
import org.tornadodit.runner.option.ModelSource;
import org.tornadodit.runner.terminal.Surroundings;

/** A model's sizes where its weights do not matter. */
final class ModelSizes {
    /** What the challenge samples. */
    private static final int IMAGE_SIZE = 512;

    private static final int CLASSES = 1000;

    private ModelSizes() {}

    /**
     * The sizes that the options tell; those of a checkpoint where one is given, else pictures of 512 x 512 and 1000
     * classes.
     *
     * @throws IllegalArgumentException when the options make no model
     */
    static DitConfig of(ModelOptions options, Surroundings surroundings) {
        boolean variant = !options.model.equals(ModelSource.DEMO) && !options.model.endsWith(".json");
        if (options.checkpoint == null && variant) {
            DitConfig sizes = ModelSource.variant(options.model)
                    .config(
                            options.imageSize != null ? options.imageSize : IMAGE_SIZE,
                            options.numClasses != null ? options.numClasses : CLASSES);
            Objective named = CheckpointObjective.isSit(options.model) ? Objective.SIT : Objective.DIT;
            return trainedFor(options.objective != null ? options.objective : named, sizes);
        }
        if (options.checkpoint == null && options.model.endsWith(".json")) {
            DitConfig sizes = DitConfig.fromJson(Path.of(options.model));
            return options.objective != null ? trainedFor(options.objective, sizes) : sizes;
        }
        ModelSource source = ModelSource.withoutDecoder(options, surroundings);
        try (Checkpoint weights = Checkpoints.open(source.checkpoint())) {
            return source.sizes(weights);
        }
    }

    /** The published MeanFlow models have no second half of output channels, the others do. */
    private static DitConfig trainedFor(Objective objective, DitConfig sizes) {
        return sizes.with(sizes.learnSigma() && objective != Objective.MEANFLOW, sizes.qkNorm(), objective);
    }

    /** Model and batch as a record's options. */
    static JsonObject json(String model, DitConfig config, int batch, KernelArguments kernels) {
        JsonObject options = new JsonObject();
        options.addProperty("model", model);
        options.addProperty("image_size", config.imageSize());
        options.addProperty("batch", batch);
        options.addProperty("precision", kernels.precisionName());
        options.addProperty("kernels", kernels.kernels.word());
        return options;
    }
}
