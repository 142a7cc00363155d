package org.tornadodit.scheduler.tune;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import org.tornadodit.kernels.OperationShape;
import org.tornadodit.kernels.Variant;
import org.tornadodit.model.Printable;
import org.tornadodit.model.io.file.AtomicFile;
import org.tornadodit.scheduler.engine.Tuning;

/**
 * What was tuned, in a folder of JSON files, one a device, version and precision. A file that cannot be used is as good
 * as none: it costs a line of explanation and is written anew by the next tuning.
 *
 * @param folder need not exist
 */
public record TuningCache(Path folder) {
    private static final int FORMAT = 1;
    private static final int LARGEST = 1 << 20;

    /**
     * What a file held.
     *
     * @param ignored why it was not used, in one line; empty when it was, and when there is none
     * @param file where it is or would be
     */
    public record Loaded(Tuning tuning, Optional<String> ignored, Path file) {}

    /** A file that is not for us, and why. */
    private static final class Unusable extends Exception {
        private static final long serialVersionUID = 1;

        Unusable(String message) {
            super(message);
        }
    }

    /** Reads the choices for a key; never fails. */
    public Loaded load(TuningKey key) {
        Path file = folder.resolve(key.fileName());
        try {
            return new Loaded(new Tuning(choices(read(file), key)), Optional.empty(), file);
        } catch (NoSuchFileException none) {
            return new Loaded(Tuning.NONE, Optional.empty(), file);
        } catch (IOException e) {
            return ignored(file, "cannot be read (" + e.getClass().getSimpleName() + ")");
        } catch (Unusable e) {
            return ignored(file, String.valueOf(e.getMessage()));
        } catch (RuntimeException e) { // whatever gson throws at a value of another kind
            return ignored(file, "is not a tuning cache");
        }
    }

    private static Loaded ignored(Path file, String reason) {
        return new Loaded(Tuning.NONE, Optional.of("ignored " + file + ": it " + reason), file);
    }

    private static JsonObject read(Path file) throws IOException, Unusable {
        if (Files.size(file) > LARGEST) {
            throw new Unusable("is larger than any tuning cache");
        }
        return JsonParser.parseString(Files.readString(file)).getAsJsonObject();
    }

    private static Map<OperationShape, Variant> choices(JsonObject root, TuningKey key) throws Unusable {
        int format = integer(root.get("format"));
        if (format != FORMAT) {
            throw new Unusable("has format %d, this version reads %d".formatted(format, FORMAT));
        }
        JsonObject of = root.getAsJsonObject("key");
        for (Map.Entry<String, String> field : key.fields().entrySet()) {
            String found = of.get(field.getKey()).getAsString();
            if (!found.equals(field.getValue())) {
                throw new Unusable("is for the %s %s, not %s"
                        .formatted(field.getKey(), printable(found), printable(field.getValue())));
            }
        }
        Map<OperationShape, Variant> choices = new LinkedHashMap<>();
        for (JsonElement element : root.getAsJsonArray("choices")) {
            JsonObject choice = element.getAsJsonObject();
            Map<String, Integer> parameters = new LinkedHashMap<>();
            choice.getAsJsonObject("variant")
                    .entrySet()
                    .forEach(entry -> parameters.put(entry.getKey(), integer(entry.getValue())));
            choices.put(
                    new OperationShape(
                            choice.get("operation").getAsString(),
                            choice.get("shape").getAsString()),
                    new Variant(parameters));
        }
        return choices;
    }

    /** Gson itself makes 0 of 1e99. */
    private static int integer(JsonElement element) {
        return element.getAsBigDecimal().intValueExact();
    }

    private static String printable(String text) {
        return "\"" + Printable.text(text, 80) + "\"";
    }

    /** Writes choices, in place of what the file held. */
    public void store(TuningKey key, Tuning tuning) throws IOException {
        JsonObject root = new JsonObject();
        root.addProperty("format", FORMAT);
        JsonObject of = new JsonObject();
        key.fields().forEach(of::addProperty);
        root.add("key", of);
        JsonArray choices = new JsonArray();
        tuning.choices().entrySet().stream()
                .sorted(Map.Entry.comparingByKey(Comparator.comparing(OperationShape::toString)))
                .forEach(entry -> {
                    JsonObject choice = new JsonObject();
                    choice.addProperty("operation", entry.getKey().operation());
                    choice.addProperty("shape", entry.getKey().shape());
                    JsonObject parameters = new JsonObject();
                    entry.getValue().parameters().forEach(parameters::addProperty);
                    choice.add("variant", parameters);
                    choices.add(choice);
                });
        root.add("choices", choices);
        Files.createDirectories(folder);
        byte[] json =
                new GsonBuilder().setPrettyPrinting().create().toJson(root).getBytes(StandardCharsets.UTF_8);
        AtomicFile.write(folder.resolve(key.fileName()), out -> out.write(json));
    }
}
