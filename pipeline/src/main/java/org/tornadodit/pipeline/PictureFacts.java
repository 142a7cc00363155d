package org.tornadodit.pipeline;

import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.tornadodit.model.Printable;
import org.tornadodit.model.metrics.ImageFileException;
import org.tornadodit.model.metrics.PictureTexts;

/**
 * What made a picture, as the texts of its PNG or WebP file: {@code Software} and {@code Description} for people and other tools, and
 * {@code tornado-dit}, a fact a line as {@code name: value}. Names are those of the command line's options, without hyphens
 * before them, where there is one.
 *
 * @param version of this program
 * @param description in a few words
 * @param facts by name, in their order
 */
public record PictureFacts(String version, String description, Map<String, String> facts) {
    /** Name of the fact that tells the DiT's weights by their fingerprint. */
    public static final String WEIGHTS = "weights";

    /** The same of the autoencoder's. */
    public static final String VAE_WEIGHTS = "vae-weights";

    /** Name of the fact that tells why a picture is none that the command line makes again by itself. */
    public static final String UNLIKE = "unlike";

    /** Name of the fact that tells why a picture is not the one that its other facts make on one device. */
    public static final String APPROXIMATE = "approximate";

    private static final String SOFTWARE = "Software";
    private static final String DESCRIPTION = "Description";
    private static final String KEYWORD = "tornado-dit";
    private static final String PROGRAM = "tornado-dit ";

    private static final int LONGEST_DESCRIPTION = 500;

    private static final Pattern LINE = Pattern.compile("([a-z][a-z0-9-]{0,40}): (.*)");

    public PictureFacts {
        facts = Collections.unmodifiableMap(new LinkedHashMap<>(facts));
    }

    /** The texts, by keyword, see {@link org.tornadodit.model.metrics.PictureFormat#write}. */
    public Map<String, String> texts() {
        Map<String, String> texts = new LinkedHashMap<>();
        texts.put(SOFTWARE, PROGRAM + Printable.text(version));
        texts.put(DESCRIPTION, Printable.text(description, LONGEST_DESCRIPTION));
        texts.put(
                KEYWORD,
                facts.entrySet().stream()
                        .map(fact -> fact.getKey() + ": " + Printable.text(fact.getValue(), Integer.MAX_VALUE))
                        .collect(Collectors.joining("\n")));
        return texts;
    }

    /**
     * Reads a PNG or WebP file's. Whoever made the file may have written anything: names are those that names may be, values are not
     * checked.
     *
     * @return empty where another program made the picture
     * @throws ImageFileException when the file is neither, or damaged
     */
    public static Optional<PictureFacts> read(Path file) throws ImageFileException {
        return of(PictureTexts.read(file));
    }

    /** From a picture's texts. */
    public static Optional<PictureFacts> of(Map<String, String> texts) {
        String lines = texts.get(KEYWORD);
        if (lines == null) {
            return Optional.empty();
        }
        Map<String, String> facts = new LinkedHashMap<>();
        lines.lines().forEach(line -> {
            Matcher fact = LINE.matcher(line);
            if (fact.matches()) {
                facts.putIfAbsent(fact.group(1), fact.group(2));
            }
        });
        String software = texts.getOrDefault(SOFTWARE, "");
        return Optional.of(new PictureFacts(
                software.startsWith(PROGRAM) ? software.substring(PROGRAM.length()) : software,
                texts.getOrDefault(DESCRIPTION, ""),
                facts));
    }
}
