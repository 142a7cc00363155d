package org.tornadodit.runner.bulk;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.pipeline.setup.SamplingFacts;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.runner.plan.SamplingPlan;
import org.tornadodit.scheduler.engine.SamplingRequest;

/**
 * What decides each picture of a run.
 *
 * @param plan the run
 * @param seed of the run, see {@link PictureSeed}
 * @param labels class of each picture
 * @param version of this program
 * @param fingerprints of the weights
 */
record Pictures(SamplingPlan plan, long seed, Labels labels, String version, Map<String, String> fingerprints) {

    /** In all. */
    int total() {
        return labels.each().length;
    }

    int label(int number) {
        return labels.each()[number];
    }

    /** A batch of one. */
    SamplingRequest request(int number) {
        SamplingRequest run = plan.request();
        return new SamplingRequest(
                List.of(label(number)), run.sampler(), run.cfgScale(), run.guidance(), run.interval());
    }

    /** Its own stream of noise, at the beginning. */
    NoiseStream noise(int number) {
        return plan.sampling().rng.stream(PictureSeed.of(seed, number));
    }

    /** What a picture's file tells: what {@code sample --like} makes it again from. */
    PictureFacts facts(int number) {
        SamplingFacts sampling = sampling(request(number), PictureSeed.of(seed, number));
        Map<String, String> facts = new LinkedHashMap<>(sampling.facts(fingerprints));
        facts.put(RunManifest.PICTURE, "0");
        return new PictureFacts(version, sampling.description(plan.classes().name(label(number))), facts);
    }

    /** What decides the pixels of all of them. */
    RunManifest manifest() {
        return RunManifest.of(this, sampling(request(0), seed).facts(fingerprints));
    }

    private SamplingFacts sampling(SamplingRequest request, long ofSeed) {
        SamplingOptions options = plan.sampling();
        return new SamplingFacts(
                plan.source().toldName(),
                plan.config(),
                request,
                options.steps,
                options.solver.choices(),
                options.flow.choices(),
                ofSeed,
                options.rng,
                options.kernelArguments.options().precision());
    }
}
