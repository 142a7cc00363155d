package org.tornadodit.model.dit;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.tornadodit.model.io.file.CheckpointException;

/**
 * The names of a model's classes, where they are known.
 *
 * @param names name of class i at index i; empty when classes are known by number only
 * @param favourites the classes sampled when the user names none
 */
public record ClassNames(List<String> names, List<Integer> favourites) {

    /** facebookresearch/DiT's own eight of ImageNet: golden retriever, otter, red panda, geyser, macaw, valley, ... */
    private static final List<Integer> IMAGENET_FAVOURITES = List.of(207, 360, 387, 974, 88, 979, 417, 279);

    public static final ClassNames IMAGENET = new ClassNames(List.of(), IMAGENET_FAVOURITES);

    /** The reference's labels as far as a model of another number of classes has them. */
    public static ClassNames numbered(int numClasses) {
        if (numClasses == 1000) {
            return IMAGENET;
        }
        List<Integer> first = new ArrayList<>();
        for (int i = 0; i < Math.min(8, numClasses); i++) {
            first.add(i);
        }
        return new ClassNames(List.of(), first);
    }

    /** Reads {@code {"names": [...], "favourites": [...]}}. */
    public static ClassNames read(Path file) {
        try (Reader reader = Files.newBufferedReader(file)) {
            JsonObject json = JsonParser.parseReader(reader).getAsJsonObject();
            return new ClassNames(
                    json.getAsJsonArray("names").asList().stream()
                            .map(JsonElement::getAsString)
                            .toList(),
                    integers(json.getAsJsonArray("favourites")));
        } catch (IOException | JsonParseException | IllegalStateException | NullPointerException e) {
            throw new CheckpointException(file + ": expected {\"names\": [...], \"favourites\": [...]}", e);
        }
    }

    private static List<Integer> integers(JsonArray array) {
        return array.asList().stream().map(JsonElement::getAsInt).toList();
    }

    /**
     * The class that a user names by number or name (any case; {@code -} and {@code _} for spaces).
     *
     * @throws IllegalArgumentException when there is no such class
     */
    public int parse(String text, int numClasses) {
        String name = text.strip().toLowerCase(Locale.ROOT).replace('_', ' ').replace('-', ' ');
        for (int i = 0; i < names.size(); i++) {
            if (names.get(i).toLowerCase(Locale.ROOT).replace('-', ' ').equals(name)) {
                return i;
            }
        }
        int label;
        try {
            label = Integer.parseInt(text.strip());
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(
                    names.isEmpty()
                            ? "class label \"%s\" is not a number; this model's classes have no names here"
                                    .formatted(text.strip())
                            : "no class is named \"%s\"; the model knows: %s"
                                    .formatted(text.strip(), String.join(", ", names)),
                    e);
        }
        if (label < 0 || label >= numClasses) {
            throw new IllegalArgumentException(
                    "class label %d is out of range, the model has classes 0 to %d".formatted(label, numClasses - 1));
        }
        return label;
    }

    /** The name of a class, or its number. */
    public String name(int label) {
        return label < names.size() ? names.get(label) : String.valueOf(label);
    }
}
