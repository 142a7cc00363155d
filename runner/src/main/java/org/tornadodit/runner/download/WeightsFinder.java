package org.tornadodit.runner.download;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.CheckpointException;

/**
 * Finds weights on this machine, without a network.
 *
 * @param folder where {@code dit download} puts them
 * @param cache what Hugging Face's own programs have downloaded
 */
public record WeightsFinder(Path folder, HubCache cache) {

    /**
     * A model that is there.
     *
     * @param checkpoint its {@code --ckpt}
     * @param vae its {@code --vae}
     */
    public record Found(Path checkpoint, Path vae) {}

    private static final Pattern ADDRESS = Pattern.compile("(?i)https?:/.*");
    private static final Pattern REPOSITORY = Pattern.compile("[\\w][\\w.-]*/[\\w][\\w.-]*");
    private static final Pattern WEIGHTS_FILE = Pattern.compile("(?i).*\\.(pt|pth|bin|ckpt|safetensors|json)");
    private static final Pattern IN_ADDRESS =
            Pattern.compile("(?i)DiT-XL-2-(?:512|256)x\\d+\\.pt|facebook/DiT-XL-2-(?:512|256)|sd-vae-ft-(?:ema|mse)");

    /**
     * DiT-XL/2 and its autoencoder, where both are there.
     *
     * @param imageSize null for either, first the 256 that facebookresearch/DiT takes by default
     * @param vae the {@code --vae} that is given; null for any
     */
    public Optional<Found> dit(@Nullable Integer imageSize, @Nullable Path vae) {
        for (int size : imageSize == null ? List.of(256, 512) : List.of(imageSize)) {
            Optional<Path> checkpoint = checkpoint(size);
            Optional<Path> decoder = vae != null
                    ? Optional.of(vae(vae))
                    : checkpoint.flatMap(WeightsFinder::own).or(this::anyVae);
            if (checkpoint.isPresent() && decoder.isPresent()) {
                return Optional.of(new Found(checkpoint.get(), decoder.get()));
            }
        }
        return Optional.empty();
    }

    private Optional<Path> checkpoint(int size) {
        Path file = folder.resolve(PublishedWeights.metaFile(size));
        return Files.isRegularFile(file) ? Optional.of(file) : pipeline("facebook/DiT-XL-2-" + size);
    }

    private Optional<Path> pipeline(String repository) {
        Path own = folder.resolve(repository.substring(repository.indexOf('/') + 1));
        return HubCache.holdsWeights(own.resolve("transformer"), "")
                ? Optional.of(own)
                : cache.snapshot(repository, "transformer");
    }

    /** The autoencoder in a pipeline's folder. */
    private static Optional<Path> own(Path checkpoint) {
        Path vae = checkpoint.resolve("vae");
        return HubCache.holdsWeights(vae, "") ? Optional.of(vae) : Optional.empty();
    }

    /** An autoencoder for a model that has none beside it. */
    public Optional<Path> anyVae() {
        return namedVae(PublishedWeights.DEFAULT_VAE).or(() -> namedVae("sd-vae-ft-mse"));
    }

    private Optional<Path> namedVae(String name) {
        Path own = folder.resolve(name);
        return HubCache.holdsWeights(own, "vae") ? Optional.of(own) : cache.snapshot("stabilityai/" + name, "vae");
    }

    /**
     * The weights that {@code --ckpt} means: a path that exists, a published name, or a Hugging Face repository that is
     * in the cache.
     *
     * @throws CheckpointException when it is a repository that is not there, or an address
     */
    public Path checkpoint(Path given) {
        return resolve("--ckpt", given, "transformer");
    }

    /**
     * The autoencoder that {@code --vae} means; {@code ema} and {@code mse} too, as facebookresearch/DiT has it.
     *
     * @throws CheckpointException as {@link #checkpoint}
     */
    public Path vae(Path given) {
        return resolve("--vae", given, "vae");
    }

    private Path resolve(String option, Path given, String part) {
        if (Files.exists(given)) {
            return given;
        }
        String text = given.toString().replace('\\', '/');
        if (ADDRESS.matcher(text).matches()) {
            throw new CheckpointException("%s is the address %s, expected a file or folder: %s"
                    .formatted(option, text.replaceFirst(":/+", "://"), adviceFor(text)));
        }
        Optional<PublishedWeights> known = published(part.equals("vae") ? vaeName(text) : text);
        Optional<Path> found = known.flatMap(weights -> here(weights, part));
        if (found.isPresent()) {
            return found.get();
        }
        boolean repository = REPOSITORY.matcher(text).matches()
                && !WEIGHTS_FILE.matcher(text).matches()
                && !Files.exists(given.toAbsolutePath().getParent());
        if (repository) {
            found = cache.snapshot(text, part);
        }
        if (found.isEmpty() && (repository || known.isPresent())) {
            throw new CheckpointException("%s %s is no file or folder here, nor in %s or the Hugging Face cache %s: %s"
                    .formatted(
                            option,
                            text,
                            folder,
                            cache.folder(),
                            known.map(weights -> "./dit download %s fetches it".formatted(weights.name()))
                                    .orElse("give a path, or put it there with: hf download " + text)));
        }
        return found.orElse(given);
    }

    private Optional<Path> here(PublishedWeights weights, String part) {
        if (weights.checkpoint().isEmpty()) {
            return namedVae(weights.name());
        }
        if (weights.name().startsWith("facebook/")) {
            Optional<Path> pipeline = pipeline(weights.name());
            return part.equals("vae") ? pipeline.flatMap(WeightsFinder::own) : pipeline;
        }
        return checkpoint(weights.name().endsWith("512") ? 512 : 256);
    }

    private static String vaeName(String text) {
        return text.equals("ema") || text.equals("mse") ? "sd-vae-ft-" + text : text;
    }

    private static Optional<PublishedWeights> published(String name) {
        try {
            return Optional.of(PublishedWeights.named(name, PublishedWeights.DEFAULT_VAE, PublishedWeights.HUB));
        } catch (IllegalArgumentException unknown) {
            return Optional.empty();
        }
    }

    private static String adviceFor(String address) {
        return IN_ADDRESS
                .matcher(address)
                .results()
                .findFirst()
                .flatMap(name -> published(name.group().toLowerCase(Locale.ROOT)))
                .map(weights -> "./dit download %s fetches it".formatted(weights.name()))
                .orElse("download it first, and give its path");
    }
}
