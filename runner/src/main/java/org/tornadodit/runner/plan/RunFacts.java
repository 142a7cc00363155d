package org.tornadodit.runner.plan;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.Ddim;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.output.ImageGrid;

/**
 * What the pictures of a run tell about it. Names are those of the options that make them again.
 *
 * @param row what a row of pictures goes over; null where it is none
 * @param version of this program
 * @param fingerprints of the weights, waited for when they are needed
 */
public record RunFacts(
        SamplingPlan plan,
        @Nullable Interpolation row,
        OutputOptions output,
        Fingerprints fingerprints,
        String version) {
    /** Name of the fact that tells the DiT's weights by their fingerprint. */
    static final String WEIGHTS = "weights";

    /** The same of the autoencoder's. */
    static final String VAE_WEIGHTS = "vae-weights";

    /**
     * The texts of a picture.
     *
     * @param batch of the run, 0 for the first
     * @param picture place in the batch; null for the grid of all
     */
    public Map<String, String> texts(int batch, @Nullable Integer picture) {
        SamplingOptions options = plan.sampling();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", modelName());
        facts.putAll(fingerprints.await());
        facts.put("image-size", String.valueOf(plan.config().imageSize()));
        facts.put(
                "class-labels",
                plan.request().labels().stream().map(String::valueOf).collect(Collectors.joining(",")));
        if (row != null) {
            facts.putAll(row.facts());
        }
        facts.put("num-sampling-steps", options.steps.strip());
        facts.put("sampler", plan.request().sampler().method().option());
        if (plan.request().sampler() instanceof Ddim ddim) {
            facts.put("eta", String.valueOf(ddim.eta()));
        }
        if (plan.request().sampler().method().multistep()) {
            options.solver.facts().forEach((name, value) -> {
                if (!value.equals("default")) {
                    facts.put(name.substring(2), value);
                }
            });
        }
        facts.put("cfg-scale", String.valueOf(plan.request().cfgScale()));
        facts.put("cfg-channels", options.cfgChannels);
        facts.put("seed", String.valueOf(TorchRandn.parseSeed(options.seed)));
        facts.put("rng", options.rng.name().toLowerCase(Locale.ROOT));
        facts.put(
                "matmul-precision",
                options.kernelArguments.options().precision().name().toLowerCase(Locale.ROOT));
        if (output.skipBatches + batch > 0) {
            facts.put("skip-batches", String.valueOf(output.skipBatches + batch));
        }
        if (picture != null) {
            facts.put("picture", String.valueOf(picture));
        } else if (output.perRow != ImageGrid.IMAGES_PER_ROW) {
            facts.put("nrow", String.valueOf(output.perRow));
        }
        return new PictureFacts(version, description(picture), facts).texts();
    }

    private String description(@Nullable Integer picture) {
        String classes = picture == null
                ? plan.labels().stream().distinct().collect(Collectors.joining(", "))
                : plan.labels().get(picture);
        return "%s: %s; %d %s steps, guidance %s, seed %s"
                .formatted(
                        modelName(),
                        classes,
                        plan.request().steps(),
                        plan.request().sampler().method(),
                        plan.request().cfgScale(),
                        TorchRandn.parseSeed(plan.sampling().seed));
    }

    /** Of a file, its name alone: where it lies is nobody's business. */
    private String modelName() {
        String name = plan.source().name();
        return name.endsWith(".json") ? String.valueOf(Path.of(name).getFileName()) : name;
    }
}
