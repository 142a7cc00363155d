package org.tornadodit.runner.download;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What Hugging Face's own programs have downloaded: {@code models--ORG--NAME/snapshots/REVISION/...}, whose files may be
 * links into {@code blobs/}. Read only.
 *
 * @param folder {@code ~/.cache/huggingface/hub} where nothing else is set
 */
public record HubCache(Path folder) {

    /** The folder as huggingface_hub finds it. */
    public static HubCache of(Map<String, String> environment, Path userHome) {
        for (String variable : List.of("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE")) {
            String set = environment.getOrDefault(variable, "");
            if (!set.isBlank()) {
                return new HubCache(path(set, userHome));
            }
        }
        String hub = environment.getOrDefault("HF_HOME", "");
        if (!hub.isBlank()) {
            return new HubCache(path(hub, userHome).resolve("hub"));
        }
        String caches = environment.getOrDefault("XDG_CACHE_HOME", "");
        Path cache = caches.isBlank() ? userHome.resolve(".cache") : path(caches, userHome);
        return new HubCache(cache.resolve("huggingface").resolve("hub"));
    }

    private static Path path(String text, Path userHome) {
        return text.equals("~") || text.startsWith("~/")
                ? userHome.resolve(text.replaceFirst("^~/?", ""))
                : Path.of(text);
    }

    /**
     * The newest complete snapshot of a repository: what {@code refs/main} names, else the one changed last.
     *
     * @param repository {@code facebook/DiT-XL-2-512}
     * @param part {@code transformer} or {@code vae}: a folder with weights that may be in it, or else the snapshot itself
     * @return the snapshot's folder
     */
    public Optional<Path> snapshot(String repository, String part) {
        try {
            Path model = folder.resolve("models--" + repository.replace("/", "--"));
            Path snapshots = model.resolve("snapshots");
            if (!Files.isDirectory(snapshots)) {
                return Optional.empty();
            }
            Optional<Path> main = main(model).map(snapshots::resolve).filter(found -> holdsWeights(found, part));
            if (main.isPresent()) {
                return main;
            }
            try (Stream<Path> all = Files.list(snapshots)) {
                return all.filter(found -> holdsWeights(found, part)).max(Comparator.comparing(HubCache::changed));
            }
        } catch (IOException | InvalidPathException unreadable) {
            System.getLogger("dit").log(System.Logger.Level.DEBUG, "the cache in " + folder, unreadable);
            return Optional.empty();
        }
    }

    private static Optional<String> main(Path model) throws IOException {
        Path main = model.resolve("refs").resolve("main");
        return Files.isRegularFile(main)
                ? Optional.of(Files.readString(main).strip()).filter(revision -> revision.matches("[\\w.-]+"))
                : Optional.empty();
    }

    private static FileTime changed(Path folder) {
        try {
            return Files.getLastModifiedTime(folder);
        } catch (IOException gone) {
            return FileTime.fromMillis(0);
        }
    }

    /** Whether a diffusers folder has weights, directly or in its part; links that lead nowhere are none. */
    static boolean holdsWeights(Path folder, String part) {
        Path inner = folder.resolve(part);
        Path searched = Files.isDirectory(inner) ? inner : folder;
        try (Stream<Path> files = Files.list(searched)) {
            return files.anyMatch(
                    file -> file.getFileName().toString().matches("diffusion_pytorch_model.*\\.(safetensors|bin)")
                            && Files.isRegularFile(file));
        } catch (IOException absent) {
            return false;
        }
    }
}
