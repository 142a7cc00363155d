package org.tornadodit.runner.plan;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.ImageFileException;
import org.tornadodit.pipeline.PictureFacts;
import picocli.CommandLine.IDefaultValueProvider;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.OptionSpec;

/**
 * Options as a picture's file tells them: defaults that whatever the user types comes before. The file is anybody's: of its
 * facts those are taken that say what to sample, none that names a file.
 *
 * @param picture the file
 * @param facts by the options' names without hyphens
 */
public record Likeness(Path picture, Map<String, String> facts) implements IDefaultValueProvider {
    private static final List<String> OPTIONS = List.of(
            "model",
            "image-size",
            "class-labels",
            "num-sampling-steps",
            "sampler",
            "eta",
            "timestep-spacing",
            "solver-order",
            "solver-type",
            "final-sigmas-type",
            "atol",
            "rtol",
            "last-step",
            "last-step-size",
            "diffusion-form",
            "diffusion-norm",
            "cfg-scale",
            "cfg-channels",
            "objective",
            "guidance-low",
            "guidance-high",
            "seed",
            "rng",
            "matmul-precision",
            "skip-batches",
            "picture",
            "interpolate",
            "to-seed",
            "nrow");

    private static final Pattern MODEL = Pattern.compile("demo|[DS]iT-(XL|L|B|S)/[248]");

    /** Numbers, their lists, and words of choices. */
    private static final Pattern VALUE = Pattern.compile("[A-Za-z0-9.,+_-]{1,65536}");

    /**
     * Reads a picture.
     *
     * @throws ImageFileException when it is no PNG, or does not tell
     * @throws IllegalArgumentException when its model is a file that the user has to name
     * @param modelTyped whether the user has named a model
     */
    public static Likeness of(Path picture, boolean modelTyped) throws ImageFileException {
        PictureFacts made = PictureFacts.read(picture)
                .orElseThrow(() -> new ImageFileException(
                        Printable.path(picture) + ": the file does not tell what made the picture"));
        if (made.facts().containsKey(PictureFacts.UNLIKE)) {
            throw new IllegalArgumentException(
                    "--like %s: it was sampled %s of another batch size, which sample does not do"
                            .formatted(
                                    Printable.path(picture),
                                    Printable.text(made.facts().getOrDefault(PictureFacts.UNLIKE, ""))));
        }
        Map<String, String> facts = new HashMap<>();
        made.facts().forEach((name, value) -> {
            if (name.equals("model")
                    ? MODEL.matcher(value).matches()
                    : isKnown(name) && VALUE.matcher(value).matches()) {
                facts.put(name, value);
            }
        });
        if (!modelTyped && !facts.containsKey("model")) {
            throw new IllegalArgumentException("--like %s: the model was a file, \"%s\"; give it by --model"
                    .formatted(
                            Printable.path(picture), Printable.text(made.facts().getOrDefault("model", "?"))));
        }
        return new Likeness(picture, facts);
    }

    /** What differs of the weights that a run has, in a line; null where they are the same, or nobody can tell. */
    public @Nullable String difference(Map<String, String> fingerprints) {
        for (String name : List.of(PictureFacts.WEIGHTS, PictureFacts.VAE_WEIGHTS)) {
            String made = facts.get(name);
            String here = fingerprints.get(name);
            if (made != null && here != null && !made.equals(here)) {
                return "%s was made with other weights of the %s (%s, these are %s): the picture will be another"
                        .formatted(
                                Printable.path(picture),
                                name.equals(PictureFacts.WEIGHTS) ? "DiT" : "autoencoder",
                                Printable.text(made),
                                here);
            }
        }
        return null;
    }

    private static boolean isKnown(String name) {
        return OPTIONS.contains(name) || name.equals(PictureFacts.WEIGHTS) || name.equals(PictureFacts.VAE_WEIGHTS);
    }

    @Override
    public @Nullable String defaultValue(ArgSpec argument) {
        if (argument instanceof OptionSpec option) {
            for (String name : option.names()) {
                if (name.startsWith("--") && OPTIONS.contains(name.substring(2))) {
                    return facts.get(name.substring(2));
                }
            }
        }
        return null;
    }
}
