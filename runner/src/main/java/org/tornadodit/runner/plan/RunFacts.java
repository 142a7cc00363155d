package org.tornadodit.runner.plan;

import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.pipeline.setup.SamplingFacts;
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
    /**
     * The texts of a picture.
     *
     * @param batch of the run, 0 for the first
     * @param picture place in the batch; null for the grid of all
     */
    public Map<String, String> texts(int batch, @Nullable Integer picture) {
        SamplingOptions options = plan.sampling();
        SamplingFacts sampling = new SamplingFacts(
                plan.source().toldName(),
                plan.config(),
                plan.request(),
                options.steps,
                options.solver.choices(),
                options.flow.choices(),
                TorchRandn.parseSeed(options.seed),
                options.rng,
                options.kernelArguments.options().precision());
        Map<String, String> facts = sampling.facts(fingerprints.await());
        if (row != null) {
            facts.putAll(row.facts());
        }
        if (output.skipBatches + batch > 0) {
            facts.put("skip-batches", String.valueOf(output.skipBatches + batch));
        }
        if (picture != null) {
            facts.put("picture", String.valueOf(picture));
        } else if (output.perRow != ImageGrid.IMAGES_PER_ROW) {
            facts.put("nrow", String.valueOf(output.perRow));
        }
        if (plan.flow().isDivided()) {
            facts.put(PictureFacts.APPROXIMATE, plan.flow().toString());
        }
        String classes = picture == null
                ? plan.labels().stream().distinct().collect(Collectors.joining(", "))
                : plan.labels().get(picture);
        return new PictureFacts(version, sampling.description(classes), facts).texts();
    }
}
