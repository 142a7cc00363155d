package org.tornadodit.runner.bulk;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.FactsFile;
import org.tornadodit.pipeline.PictureFacts;
import org.tornadodit.runner.terminal.PermanentException;

/**
 * What decides the pixels of a folder's pictures, in {@code manifest.json}: a fact a key, with the names of the command line's
 * options where there are such. A worker with other facts is refused.
 *
 * @param facts by name
 */
record RunManifest(Map<String, String> facts) {
    static final String NAME = "manifest.json";

    /** A picture's place in its batch of one, which the manifest does not have. */
    static final String PICTURE = "picture";

    private static final String FORMAT = "format";
    private static final String FORMAT_1 = "tornado-dit bulk 1";
    private static final String VERSION = "version";
    private static final String NUM_SAMPLES = "num-samples";
    private static final String LABELS = "labels";
    private static final String LABELS_SHA256 = "labels-sha256";
    private static final String SEEDS = "picture-seeds";
    private static final String ENGINE = "engine";
    private static final String SEED = "seed";
    private static final String IMAGE_SIZE = "image-size";
    private static final String CLASS_LABELS = "class-labels";

    /** Of the run as a whole; the others are in every picture too. */
    private static final List<String> OF_THE_RUN =
            List.of(FORMAT, VERSION, NUM_SAMPLES, LABELS, LABELS_SHA256, SEEDS, ENGINE);

    RunManifest {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** @param sampling facts of the run's sampling, with the run's seed */
    static RunManifest of(Pictures pictures, Map<String, String> sampling) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(FORMAT, FORMAT_1);
        facts.put(VERSION, pictures.version());
        facts.put(NUM_SAMPLES, String.valueOf(pictures.total()));
        facts.put(LABELS, pictures.labels().rule());
        facts.put(LABELS_SHA256, Labels.sha256(pictures.labels().each()));
        facts.put(SEEDS, PictureSeed.RULE);
        facts.put(ENGINE, pictures.plan().arithmetic());
        facts.putAll(sampling);
        facts.remove(CLASS_LABELS);
        return new RunManifest(facts);
    }

    int numSamples() {
        return Integer.parseInt(fact(NUM_SAMPLES));
    }

    int imageSize() {
        return Integer.parseInt(fact(IMAGE_SIZE));
    }

    String labelsSha256() {
        return fact(LABELS_SHA256);
    }

    String version() {
        return fact(VERSION);
    }

    private String fact(String name) {
        return facts.getOrDefault(name, "");
    }

    /** Facts that a picture's file has to tell, but for its class. */
    Map<String, String> ofPicture(int number) {
        Map<String, String> own = new LinkedHashMap<>(facts);
        own.keySet().removeAll(OF_THE_RUN);
        own.put(SEED, String.valueOf(PictureSeed.of(Long.parseLong(fact(SEED)), number)));
        own.put(PICTURE, "0");
        return own;
    }

    /** The class that a picture tells; null where it tells none. */
    static @Nullable Integer label(PictureFacts made) {
        String label = made.facts().getOrDefault(CLASS_LABELS, "");
        return label.matches("[0-9]{1,9}") ? Integer.valueOf(label) : null;
    }

    /** What differs of a picture's facts, but for its class; null where nothing does. */
    @Nullable
    String difference(PictureFacts made, int number) {
        if (!made.version().equals(version())) {
            return "version %s, not %s".formatted(Printable.text(made.version()), version());
        }
        Map<String, String> found = new LinkedHashMap<>(made.facts());
        found.remove(CLASS_LABELS);
        return firstDifference(found, ofPicture(number), "%s %s, not %s");
    }

    private static @Nullable String firstDifference(
            Map<String, String> found, Map<String, String> expected, String words) {
        List<String> all = differences(found, expected, words);
        return all.isEmpty() ? null : all.getFirst();
    }

    private static List<String> differences(Map<String, String> here, Map<String, String> there, String words) {
        Map<String, String> names = new LinkedHashMap<>(there);
        here.forEach(names::putIfAbsent);
        List<String> result = new ArrayList<>();
        for (String name : names.keySet()) {
            String mine = here.getOrDefault(name, "none");
            String other = there.getOrDefault(name, "none");
            if (!mine.equals(other)) {
                result.add(words.formatted(Printable.text(name), Printable.text(mine), Printable.text(other)));
            }
        }
        return result;
    }

    /**
     * Passes where a folder's manifest is this one.
     *
     * @param there the folder's
     * @throws PermanentException naming what differs
     */
    void requireSame(RunManifest there, Path folder) {
        List<String> all = differences(facts, there.facts(), "%s is %s here, %s there");
        if (!all.isEmpty()) {
            throw new PermanentException("%s holds pictures of another run: %s; give another --output"
                    .formatted(Printable.path(folder), String.join("; ", all)));
        }
    }

    /** Writes the file where there is none. */
    void create(Path file) throws IOException {
        FactsFile.create(file, facts);
    }

    /**
     * Reads a folder's.
     *
     * @throws PermanentException when it is none
     * @throws org.tornadodit.model.io.file.CheckpointException when it is not even a file of facts
     */
    static RunManifest read(Path file) throws IOException {
        RunManifest manifest = new RunManifest(FactsFile.read(file));
        if (!manifest.fact(FORMAT).equals(FORMAT_1)) {
            throw none(file, "the format \"" + Printable.text(manifest.fact(FORMAT)) + "\"");
        }
        if (!manifest.fact(NUM_SAMPLES).matches("[1-9][0-9]{0,6}")
                || manifest.numSamples() > PictureSeed.MOST_PICTURES
                || !manifest.fact(IMAGE_SIZE).matches("[1-9][0-9]{0,4}")
                || !manifest.fact(SEED).matches("[0-9]{1,13}")) {
            throw none(file, "no number of pictures, size or seed");
        }
        return manifest;
    }

    private static PermanentException none(Path file, String found) {
        return new PermanentException("%s: expected the manifest of ./dit bulk (%s), found %s"
                .formatted(Printable.path(file), FORMAT_1, found));
    }
}
