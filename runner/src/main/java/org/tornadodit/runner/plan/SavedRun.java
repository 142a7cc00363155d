package org.tornadodit.runner.plan;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.Shape;
import org.tornadodit.model.diffusion.Ddim;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.model.io.file.StateFile;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.pipeline.setup.Fingerprints;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.scheduler.engine.SamplingState;
import org.tornadodit.scheduler.plan.PatchFlow;

/**
 * A run whose state is kept in a file beside its output, so that it can go on after it was killed.
 *
 * @param facts everything that decides the pictures but the weights, by the name of its option
 * @param model sizes of the DiT and the autoencoder, as text
 * @param fingerprints of the weights, waited for when a state is written or read
 * @param shape of a batch's latents
 * @param history arrays of that shape that the sampler keeps from step to step
 */
public record SavedRun(
        Map<String, String> facts, List<String> model, Fingerprints fingerprints, Shape shape, int history) {

    private static final String MODEL = "model";
    private static final String BATCH = "batch";
    private static final String DONE = "steps done";
    private static final String ENGINE = "engine";

    /**
     * Where a run was.
     *
     * @param batch index of the batch
     * @param state of that batch
     * @param engine that made it
     */
    public record Point(int batch, SamplingState state, String engine) {

        /** In words. */
        public String place() {
            return (batch == 0 ? "" : "in batch " + (batch + 1) + " ") + "after step " + state.done();
        }
    }

    /** What a state was made with that does not say so: an older version's. */
    private static final Map<String, String> UNSAID = Map.ofEntries(
            Map.entry("--skip-batches", "0"),
            Map.entry("--timestep-spacing", "linspace"),
            Map.entry("--solver-order", "2"),
            Map.entry("--solver-type", "default"),
            Map.entry("--final-sigmas-type", "zero"),
            Map.entry("--last-step", "mean"),
            Map.entry("--last-step-size", "0.04"),
            Map.entry("--diffusion-form", "sigma"),
            Map.entry("--diffusion-norm", "1.0"),
            Map.entry("--guidance-low", "0.0"),
            Map.entry("--guidance-high", "1.0"),
            Map.entry(PatchFlow.NUMBER, "1"),
            Map.entry(PatchFlow.WARMUP, "1"));

    /**
     * A run of some weights.
     *
     * @param row what a row of pictures goes over; null where it is none
     * @param fingerprints of the weights
     * @param skipped batches that are left out at the beginning of the stream of noise
     */
    public static SavedRun of(SamplingPlan plan, Fingerprints fingerprints, @Nullable Interpolation row, int skipped) {
        SamplingOptions options = plan.sampling();
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "--class-labels",
                plan.request().labels().stream().map(String::valueOf).collect(Collectors.joining(",")));
        if (row != null) {
            row.facts().forEach((name, value) -> facts.put("--" + name, value));
        }
        if (!options.sampler.adaptive()) {
            facts.put("--num-sampling-steps", options.steps);
        }
        facts.put("--sampler", String.valueOf(plan.request().sampler().method()));
        facts.put("--eta", String.valueOf(plan.request().sampler() instanceof Ddim ddim ? ddim.eta() : 0.0));
        options.flow
                .choices()
                .facts(plan.config().objective(), options.sampler)
                .forEach((name, value) -> facts.put("--" + name, value));
        if (options.sampler.multistep()) {
            facts.putAll(options.solver.facts());
        }
        facts.put("--cfg-scale", String.valueOf(plan.request().cfgScale()));
        facts.put("--cfg-channels", options.cfgChannels);
        facts.put("--guidance-low", String.valueOf(plan.request().interval().low()));
        facts.put("--guidance-high", String.valueOf(plan.request().interval().high()));
        facts.put("--rng", String.valueOf(options.rng));
        facts.put("--seed", String.valueOf(TorchRandn.parseSeed(options.seed)));
        facts.put(
                "--matmul-precision",
                String.valueOf(options.kernelArguments.options().precision()));
        facts.put(PatchFlow.NUMBER, String.valueOf(plan.flow().number()));
        facts.put(PatchFlow.WARMUP, String.valueOf(plan.flow().warmupSteps()));
        facts.put("--batches", String.valueOf(plan.batches()));
        facts.put("--skip-batches", String.valueOf(skipped));
        int size = plan.config().inputSize();
        return new SavedRun(
                facts,
                List.of(plan.config().toString(), plan.vaeConfig().toString()),
                fingerprints,
                Shape.of(plan.request().samples(), plan.config().inChannels(), size, size),
                plan.request().sampler().history());
    }

    /** {@link #facts}, and the model's weights by their fingerprints. */
    private Map<String, String> allFacts() {
        Map<String, String> made = fingerprints.require();
        Map<String, String> all = new LinkedHashMap<>();
        all.put(
                MODEL,
                "%s %s %s %s"
                        .formatted(
                                model.getFirst(),
                                made.get(PictureFacts.WEIGHTS),
                                model.getLast(),
                                made.get(PictureFacts.VAE_WEIGHTS)));
        all.putAll(facts);
        return all;
    }

    /** Writes the state of a batch, in the place of the one before. */
    public void write(Path file, Point point) throws IOException {
        Map<String, String> all = new LinkedHashMap<>(allFacts());
        all.put(BATCH, String.valueOf(point.batch()));
        all.put(DONE, String.valueOf(point.state().done()));
        all.put(ENGINE, point.engine());
        RunFiles.requireState(file);
        new StateFile(all, shape, point.state().arrays()).write(file);
    }

    /** Deletes the state of a run that is complete, and nothing else that may have its name by now. */
    public static void delete(Path file) throws IOException {
        if (StateFile.isState(file)) {
            Files.deleteIfExists(file);
        }
    }

    /**
     * Reads where the run was.
     *
     * @throws CheckpointException when the file is no state, or damaged, or of another model
     * @throws IllegalArgumentException when it is the state of a run with other options, of which one is named
     */
    public Point read(Path file, int steps) {
        StateFile stored = StateFile.read(file, found -> requireSame(file, found), shape, 1 + history);
        for (float[] array : stored.arrays()) {
            for (float value : array) {
                if (!Float.isFinite(value)) {
                    throw new CheckpointException(file + ": the state's latents hold " + value + ", expected numbers");
                }
            }
        }
        try {
            int batch = Integer.parseInt(stored.facts().getOrDefault(BATCH, ""));
            int done = Integer.parseInt(stored.facts().getOrDefault(DONE, ""));
            if (batch < 0
                    || batch >= Integer.parseInt(facts.getOrDefault("--batches", "1"))
                    || done < 1
                    || done > steps) {
                throw new NumberFormatException();
            }
            return new Point(
                    batch,
                    new SamplingState(done, stored.arrays()),
                    stored.facts().getOrDefault(ENGINE, "?"));
        } catch (NumberFormatException e) {
            throw new CheckpointException(file + ": the state tells of a batch or step that the run does not have", e);
        }
    }

    private void requireSame(Path file, Map<String, String> found) {
        Map<String, String> all = allFacts();
        all.forEach((name, wanted) -> {
            String other = found.containsKey(name) ? found.get(name) : UNSAID.get(name);
            if (Objects.equals(wanted, other)) {
                return;
            }
            if (name.equals(MODEL)) {
                throw new CheckpointException(file + ": the state is of another model or other weights");
            }
            throw other(file, name, other, wanted);
        });
        found.forEach((name, made) -> {
            if (name.startsWith("--") && !all.containsKey(name)) {
                throw other(file, name, made, null);
            }
        });
    }

    private static IllegalArgumentException other(
            Path file, String name, @Nullable String made, @Nullable String wanted) {
        return new IllegalArgumentException("--resume %s: the state was made with %s %s, the command has %s"
                .formatted(
                        file,
                        name,
                        made == null ? "(nothing)" : Printable.text(made),
                        wanted == null ? "(nothing)" : wanted));
    }
}
