package org.tornadodit.pipeline.setup;

import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.tornadodit.model.diffusion.Ddim;
import org.tornadodit.model.diffusion.FlowChoices;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.diffusion.SolverChoices;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.Guidance;
import org.tornadodit.model.dit.GuidanceInterval;
import org.tornadodit.scheduler.engine.MatmulPrecision;
import org.tornadodit.scheduler.engine.SamplingRequest;

/**
 * What decides a batch's pictures, by the names of the command line's options.
 *
 * @param model its name, or that of its file
 * @param request the batch
 * @param steps as they were asked for
 * @param solver of a multistep sampler
 * @param flow of SiT's
 */
public record SamplingFacts(
        String model,
        DitConfig config,
        SamplingRequest request,
        String steps,
        SolverChoices solver,
        FlowChoices flow,
        long seed,
        Enum<?> rng,
        MatmulPrecision precision) {

    /** @param fingerprints of the weights */
    public Map<String, String> facts(Map<String, String> fingerprints) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("model", model);
        facts.putAll(fingerprints);
        facts.put("image-size", String.valueOf(config.imageSize()));
        facts.put("class-labels", request.labels().stream().map(String::valueOf).collect(Collectors.joining(",")));
        SamplingMethod method = request.sampler().method();
        if (!method.adaptive()) {
            facts.put("num-sampling-steps", steps.strip());
        }
        facts.put("sampler", method.option());
        if (request.sampler() instanceof Ddim ddim) {
            facts.put("eta", String.valueOf(ddim.eta()));
        }
        facts.putAll(flow.facts(config.objective(), method));
        if (method.multistep()) {
            facts.put("timestep-spacing", word(solver.timestepSpacing()));
            facts.put("solver-order", String.valueOf(solver.solverOrder()));
            if (solver.solverType() != null) {
                facts.put("solver-type", word(solver.solverType()));
            }
            facts.put("final-sigmas-type", word(solver.finalSigmasType()));
        }
        facts.put("cfg-scale", String.valueOf(request.cfgScale()));
        facts.put("cfg-channels", request.guidance() == Guidance.ALL ? "all" : "3");
        if (config.objective() != Objective.DIT) {
            facts.put("objective", config.objective().option());
        }
        if (!request.interval().equals(GuidanceInterval.ALWAYS) || config.objective() != Objective.DIT) {
            facts.put("guidance-low", String.valueOf(request.interval().low()));
            facts.put("guidance-high", String.valueOf(request.interval().high()));
        }
        facts.put("seed", String.valueOf(seed));
        facts.put("rng", word(rng));
        facts.put("matmul-precision", word(precision));
        return facts;
    }

    /** This program's version, as its jar has it. */
    public static String version() {
        String version = SamplingFacts.class.getPackage().getImplementationVersion();
        return version == null ? "(not packaged)" : version;
    }

    /** In a few words. */
    public String description(String classes) {
        return "%s: %s; %s steps, guidance %s, seed %s"
                .formatted(model, classes, request.sampler().inWords(), request.cfgScale(), seed);
    }

    private static String word(Enum<?> choice) {
        return choice.name().toLowerCase(Locale.ROOT);
    }
}
