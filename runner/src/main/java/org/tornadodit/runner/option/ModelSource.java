package org.tornadodit.runner.option;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.dit.ClassNames;
import org.tornadodit.model.dit.DitConfig;
import org.tornadodit.model.dit.DitVariant;
import org.tornadodit.model.io.checkpoint.Checkpoint;
import org.tornadodit.model.io.file.CheckpointException;
import org.tornadodit.pipeline.setup.CheckpointObjective;
import org.tornadodit.pipeline.setup.CheckpointSizes;
import org.tornadodit.runner.download.WeightsFinder;
import org.tornadodit.runner.terminal.Surroundings;

/**
 * Where a model comes from: what the options say, before any weight is read.
 *
 * @param name as the user gave it
 * @param checkpoint the DiT's weights
 * @param vae the autoencoder's folder
 * @param configFile the config.json that has its sizes; null for a variant of the paper
 * @param config sizes from there; null for a variant of the paper, whose image size and classes are read off the
 *     checkpoint unless the options tell them
 * @param classesFile the file of the program that names its classes; null when weights bring their own names, or none
 * @param classes names from there; null likewise, see {@link #classNames}
 */
public record ModelSource(
        String name,
        Path checkpoint,
        Path vae,
        @Nullable Path configFile,
        @Nullable DitConfig config,
        @Nullable Path classesFile,
        @Nullable ClassNames classes,
        ModelOptions options) {

    public static final String DEMO = "demo";

    /** As pictures tell it: of a file, its name alone, for where it lies is nobody's business. */
    public String toldName() {
        return name.endsWith(".json") ? String.valueOf(Path.of(name).getFileName()) : name;
    }

    /** What lists these classes. */
    public static String listOf(ClassNames classes) {
        if (classes.names().isEmpty() || classes.equals(ClassNames.imageNet())) {
            return "./dit classes";
        }
        return isOfDemo(classes) ? "./dit classes --model demo" : ClassNames.FILE + " beside the weights";
    }

    /** The file that names the demo's classes. */
    public static Path demoNames(Surroundings surroundings) {
        return surroundings.home().resolve("demo").resolve(ClassNames.FILE);
    }

    private static boolean isOfDemo(ClassNames classes) {
        try {
            return classes.equals(ClassNames.read(demoNames(Surroundings.read())));
        } catch (CheckpointException e) { // a program without its demo
            return false;
        }
    }

    /**
     * Reads the options; only small JSON files are opened.
     *
     * @throws IllegalArgumentException when an option is missing or names no model
     */
    public static ModelSource of(ModelOptions options, Surroundings surroundings) {
        return of(options, surroundings, Surroundings.weights());
    }

    /**
     * As above.
     *
     * @param finder knows the weights on this machine: what {@code --ckpt} and {@code --vae} may name, and what serves
     *     without them
     * @throws CheckpointException when an option names weights that are not on this machine
     */
    public static ModelSource of(ModelOptions options, Surroundings surroundings, WeightsFinder finder) {
        return of(options, surroundings, finder, true);
    }

    /** For commands that decode nothing: {@code --vae} may be missing, and {@link #vae} leads nowhere then. */
    public static ModelSource withoutDecoder(ModelOptions options, Surroundings surroundings) {
        return of(options, surroundings, Surroundings.weights(), false);
    }

    private static ModelSource of(
            ModelOptions options, Surroundings surroundings, WeightsFinder finder, boolean decodes) {
        Path checkpoint = options.checkpoint == null ? null : finder.checkpoint(options.checkpoint);
        Path vae = options.vae == null ? null : finder.vae(options.vae);
        if (options.model.equals(DEMO)) {
            Path demo = surroundings.home().resolve("demo");
            Path sizes = demo.resolve("config.json");
            Path names = demoNames(surroundings);
            return new ModelSource(
                    DEMO,
                    checkpoint != null ? checkpoint : demo.resolve("dit.pt"),
                    vae != null ? vae : demo.resolve("vae"),
                    sizes,
                    DitConfig.fromJson(sizes),
                    names,
                    ClassNames.read(names),
                    options);
        }
        Path configFile = options.model.endsWith(".json") ? Path.of(options.model) : null;
        DitConfig config = configFile == null ? null : DitConfig.fromJson(configFile);
        boolean published = config == null && variant(options.model) == DitVariant.XL_2;
        if (checkpoint == null && published) {
            WeightsFinder.Found found = finder.dit(options.imageSize, vae).orElse(null);
            checkpoint = found == null ? null : found.checkpoint();
            vae = found == null ? vae : found.vae();
        }
        if (checkpoint == null) {
            throw new IllegalArgumentException("--ckpt is missing: give the weights of " + options.model
                    + " (.pt, .safetensors or a diffusers folder), "
                    + (published ? "fetch the published ones (" + downloadCommand(options) + "), " : "")
                    + "or use --model demo");
        }
        vae = vae != null ? vae : siblingVae(checkpoint);
        if (vae == null) {
            if (!Files.exists(checkpoint)) { // the first that is amiss
                throw new CheckpointException(Printable.path(checkpoint) + ": no such file or folder");
            }
            if (!decodes) {
                return new ModelSource(
                        options.model, checkpoint, Path.of("none"), configFile, config, null, null, options);
            }
            throw new IllegalArgumentException(
                    "--vae is missing: give the AutoencoderKL's folder (config.json and weights), "
                            + finder.anyVae()
                                    .map(there -> "for example " + there)
                                    .orElse("or fetch it: ./dit download sd-vae-ft-ema"));
        }
        return new ModelSource(options.model, checkpoint, vae, configFile, config, null, null, options);
    }

    private static String downloadCommand(ModelOptions options) {
        return "./dit download DiT-XL/2-" + (options.imageSize != null && options.imageSize == 512 ? 512 : 256);
    }

    /** A diffusers pipeline holds its autoencoder beside its transformer. */
    private static @Nullable Path siblingVae(Path checkpoint) {
        for (Path vae : new Path[] {checkpoint.resolve("vae"), checkpoint.resolveSibling("vae")}) {
            if (Files.isRegularFile(vae.resolve("config.json"))) {
                return vae;
            }
        }
        return null;
    }

    /**
     * The model's sizes. What the options leave open is read off the checkpoint's shapes; whether all of it fits is for
     * the loading to say.
     *
     * @throws IllegalArgumentException when the options make no model
     */
    public DitConfig sizes(Checkpoint weights) {
        DitConfig plain = plainSizes(weights);
        return objective(weights, plain).apply(plain, weights, config != null);
    }

    /** What the model was trained to predict, and why it is taken for that. */
    public CheckpointObjective objective(Checkpoint weights) {
        return objective(weights, plainSizes(weights));
    }

    private CheckpointObjective objective(Checkpoint weights, DitConfig sizes) {
        return CheckpointObjective.of(options.objective, name, checkpoint, weights, sizes);
    }

    private DitConfig plainSizes(Checkpoint weights) {
        if (config != null) {
            requireSame("--image-size", options.imageSize, config.imageSize());
            requireSame("--num-classes", options.numClasses, config.numClasses());
            return config;
        }
        DitVariant variant = variant(name);
        int imageSize =
                options.imageSize != null ? options.imageSize : CheckpointSizes.imageSize(weights, variant.patchSize());
        int numClasses = options.numClasses != null ? options.numClasses : CheckpointSizes.numClasses(weights);
        return variant.config(imageSize, numClasses);
    }

    /**
     * The variant that {@code --model} names.
     *
     * @throws IllegalArgumentException when there is none; the message lists all that the option takes
     */
    public static DitVariant variant(String name) {
        try {
            return DitVariant.parse(name);
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(e.getMessage() + " (or SiT-... likewise), demo, or a config.json", e);
        }
    }

    private void requireSame(String option, @Nullable Integer given, int found) {
        if (given != null && given != found) {
            throw new IllegalArgumentException("%s is %d, but %s is made for %d".formatted(option, given, name, found));
        }
    }

    /**
     * Names of the model's classes: the program's own, or those beside the weights, or numbers.
     *
     * @throws CheckpointException when a file beside the weights does not do
     */
    public ClassNames classNames(DitConfig config) {
        return classes != null ? classes : ClassNames.ofWeights(checkpoint, config.numClasses());
    }

    /** All that may be read for this model: files, and folders. */
    public List<Path> inputs() {
        List<Path> inputs = new ArrayList<>(List.of(checkpoint, vae));
        inputs.add(classesFile != null ? classesFile : ClassNames.fileBeside(checkpoint));
        if (checkpoint.toString().endsWith(".json")) { // an index: its shards are beside it
            inputs.add(checkpoint.toAbsolutePath().resolveSibling(""));
        }
        if (options.model.endsWith(".json")) {
            inputs.add(Path.of(options.model));
        }
        return inputs;
    }
}
