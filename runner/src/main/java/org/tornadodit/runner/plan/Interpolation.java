package org.tornadodit.runner.plan;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.diffusion.Ddim;
import org.tornadodit.model.diffusion.Objective;
import org.tornadodit.model.diffusion.Sampler;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.checkpoint.LabelsBetween;
import org.tornadodit.model.noise.NoiseStream;
import org.tornadodit.model.noise.Slerp;
import org.tornadodit.model.noise.TorchRandn;
import org.tornadodit.runner.option.InterpolationOptions;
import org.tornadodit.runner.option.SamplingOptions;
import org.tornadodit.scheduler.engine.SamplingRequest;
import org.tornadodit.scheduler.engine.SamplingState;

/**
 * A row of pictures that go over into one another. Labels are embeddings on the line between two classes', which the model has
 * as classes of their own behind the others; noises are on the great circle between two seeds'.
 *
 * @param from class of the first picture
 * @param to class of the last
 * @param pictures of the row, 2 or more
 * @param toSeed of the last picture's noise; null where all start from the same
 */
public record Interpolation(
        int from, int to, int pictures, @Nullable String toSeed) {
    private static final int MOST_PICTURES = 4096;

    /**
     * What the options ask for; null where they ask for no row.
     *
     * @param request as it would be without
     * @param objective of the model
     * @param labelsTyped whether the user has named classes
     * @throws IllegalArgumentException with one line for the user, when the options do not go together
     */
    public static @Nullable Interpolation of(
            InterpolationOptions options,
            SamplingRequest request,
            Objective objective,
            boolean labelsTyped,
            OutputOptions output) {
        if (options.pictures == null) {
            if (options.toSeed != null) {
                throw new IllegalArgumentException("--to-seed has no effect without --interpolate N");
            }
            return null;
        }
        if (options.pictures < 2 || options.pictures > MOST_PICTURES) {
            throw new IllegalArgumentException(
                    "--interpolate is %d, expected 2 to %d pictures".formatted(options.pictures, MOST_PICTURES));
        }
        int labels = request.samples();
        if (!labelsTyped || labels > 2 || (labels == 1 && options.toSeed == null)) {
            throw new IllegalArgumentException(
                    "--interpolate wants --class-labels of two classes, or of one and --to-seed; %s"
                            .formatted(
                                    labelsTyped
                                            ? "there " + (labels == 1 ? "is 1" : "are " + labels)
                                            : "there are none"));
        }
        if (output.batches != 1 || output.skipBatches != 0) {
            throw new IllegalArgumentException(
                    "--interpolate makes one batch, from the first noise of its seeds: leave out --batches and"
                            + " --skip-batches");
        }
        if (!isQuiet(request.sampler())) {
            throw new IllegalArgumentException(
                    "--interpolate wants a sampler without noise in its steps, so that pictures go over into one"
                            + " another: "
                            + (request.sampler() instanceof Ddim ? "leave out --eta" : quietSamplers(objective)));
        }
        if (options.toSeed != null) {
            TorchRandn.parseSeed(options.toSeed);
        }
        return new Interpolation(
                request.labels().getFirst(), request.labels().getLast(), options.pictures, options.toSeed);
    }

    private static boolean isQuiet(Sampler sampler) {
        return sampler instanceof Ddim ddim ? ddim.eta() == 0 : sampler.draws(sampler.steps()) == 0;
    }

    /** What to give in the place of a sampler that draws. */
    private static String quietSamplers(Objective objective) {
        List<String> names = objective.samplers().stream()
                .filter(method -> isQuiet(objective.sampler(method, "9", 0)))
                .map(SamplingMethod::option)
                .toList();
        return "--sampler " + String.join(", ", names.subList(0, names.size() - 1)) + " or " + names.getLast();
    }

    private double share(int picture) {
        return (double) picture / (pictures - 1);
    }

    /** How far the pictures are from one class to the other, but for the first and the last. */
    private List<Double> between() {
        return from == to
                ? List.of()
                : IntStream.range(1, pictures - 1).mapToObj(this::share).toList();
    }

    /** The model's sizes, with classes between the two. */
    public DitConfig config(DitConfig config) {
        return config.withClasses(config.numClasses() + between().size());
    }

    /** The model's weights, with the classes between the two. */
    public Checkpoint weights(Checkpoint weights) {
        return between().isEmpty() ? weights : new LabelsBetween(weights, from, to, between());
    }

    /** Names of the classes, with those between the two. */
    public ClassNames classes(ClassNames classes, DitConfig config) {
        List<String> names = new ArrayList<>();
        for (int label = 0; label < config.numClasses(); label++) {
            names.add(classes.name(label));
        }
        for (double share : between()) {
            names.add("%s %d%% %s".formatted(classes.name(from), Math.round(100 * share), classes.name(to)));
        }
        return new ClassNames(names, classes.favourites());
    }

    /** What tells of it, by the options' names without hyphens. */
    Map<String, String> facts() {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("class-labels", from == to ? String.valueOf(from) : from + "," + to);
        facts.put("interpolate", String.valueOf(pictures));
        if (toSeed != null) {
            facts.put("to-seed", String.valueOf(TorchRandn.parseSeed(toSeed)));
        }
        return facts;
    }

    /** The row as a batch. */
    public SamplingRequest request(SamplingRequest request, DitConfig config) {
        List<Integer> labels = new ArrayList<>(Collections.nCopies(pictures, from));
        if (from != to) {
            for (int i = 1; i < pictures - 1; i++) {
                labels.set(i, config.numClasses() + i - 1);
            }
            labels.set(pictures - 1, to);
        }
        return new SamplingRequest(
                labels, request.sampler(), request.cfgScale(), request.guidance(), request.interval());
    }

    /**
     * What the pictures start from: the first from the first noise of {@code --seed} for one picture, the last from
     * {@code --to-seed}'s.
     */
    public SamplingState start(SamplingOptions options, DitConfig config) {
        int elements = config.inputElements();
        float[] first = options.noise().next(elements);
        float[] last = toSeed == null ? first : noise(options, toSeed).next(elements);
        float[] all = new float[Math.multiplyExact(pictures, elements)];
        for (int i = 0; i < pictures; i++) {
            boolean end = i == 0 || toSeed == null;
            float[] own = end ? first : i == pictures - 1 ? last : Slerp.between(first, last, share(i));
            System.arraycopy(own, 0, all, i * elements, elements);
        }
        return new SamplingState(0, all);
    }

    private static NoiseStream noise(SamplingOptions options, String seed) {
        return options.rng.stream(TorchRandn.parseSeed(seed));
    }
}
