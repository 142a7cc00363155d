package org.tornadodit.model.io.file;

import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.JsonPrimitive;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** A {@code config.json}: typed access with errors that name file, key, expected and found. */
public final class JsonConfig {

    private static final int LARGEST = 1 << 20;

    private final Path file;
    private final JsonObject object;

    private JsonConfig(Path file, JsonObject object) {
        this.file = file;
        this.object = object;
    }

    /**
     * Reads a JSON object.
     *
     * @param fileOrFolder the file, or the folder that holds it as {@code config.json}
     * @throws CheckpointException when it is missing, larger than 1 MiB, or not a JSON object
     */
    public static JsonConfig read(Path fileOrFolder) {
        Path file = Files.isDirectory(fileOrFolder) ? fileOrFolder.resolve("config.json") : fileOrFolder;
        return parse(file, MappedFile.read(file, LARGEST));
    }

    /** {@link #read} of bytes that are in memory already; {@code file} is for messages. */
    public static JsonConfig parse(Path file, byte[] json) {
        try (JsonReader reader = StrictJson.reader(json)) {
            JsonElement root = JsonParser.parseReader(reader);
            if (!root.isJsonObject() || reader.peek() != JsonToken.END_DOCUMENT) {
                throw Refusal.of(file, "JSON", "one object", "something else");
            }
            return new JsonConfig(file, root.getAsJsonObject());
        } catch (IOException | JsonParseException | IllegalStateException | NumberFormatException malformed) {
            throw Refusal.of(file, "expected JSON, found " + Refusal.json(malformed), malformed);
        }
    }

    /** The file, for messages. */
    public Path file() {
        return file;
    }

    /** All keys, in the order of the file. */
    public Set<String> keys() {
        return object.keySet();
    }

    /** Whether a key is there with a value other than null. */
    public boolean has(String key) {
        return object.has(key) && !object.get(key).isJsonNull();
    }

    /** An integer of 32 bits. */
    public int integer(String key) {
        return value(key, "an integer", JsonConfig::toInteger);
    }

    /** An integer, or what to use when the key is missing or null. */
    public int integer(String key, int otherwise) {
        return has(key) ? integer(key) : otherwise;
    }

    /** A finite number. */
    public double number(String key) {
        return value(key, "a number", element -> {
            @Nullable JsonPrimitive primitive = primitive(element);
            return primitive != null && primitive.isNumber() && Double.isFinite(primitive.getAsDouble())
                    ? (Double) primitive.getAsDouble()
                    : null;
        });
    }

    /** A number, or what to use when the key is missing or null. */
    public double number(String key, double otherwise) {
        return has(key) ? number(key) : otherwise;
    }

    /** {@code true} or {@code false}. */
    public boolean flag(String key) {
        return value(key, "true or false", element -> {
            @Nullable JsonPrimitive primitive = primitive(element);
            return primitive != null && primitive.isBoolean() ? (Boolean) primitive.getAsBoolean() : null;
        });
    }

    /** A flag, or what to use when the key is missing or null. */
    public boolean flag(String key, boolean otherwise) {
        return has(key) ? flag(key) : otherwise;
    }

    /** A string. */
    public String text(String key) {
        return value(key, "a string", JsonConfig::toText);
    }

    /** A string, or what to use when the key is missing or null. */
    public String text(String key, String otherwise) {
        return has(key) ? text(key) : otherwise;
    }

    /** A list of integers. */
    public List<Integer> integers(String key) {
        return list(key, "a list of integers", JsonConfig::toInteger);
    }

    /** A list of strings. */
    public List<String> texts(String key) {
        return list(key, "a list of strings", JsonConfig::toText);
    }

    /** The error for a value that has the right type but not the right content. */
    public CheckpointException refuse(String key, String expected) {
        return Refusal.of(file, Refusal.printable(key), expected, found(object.get(key)));
    }

    /** The error for sizes that make no model, in the words of the exception. */
    public CheckpointException refuse(IllegalArgumentException wrong) {
        return Refusal.of(file, String.valueOf(wrong.getMessage()), wrong);
    }

    private <T> List<T> list(String key, String expected, Function<JsonElement, @Nullable T> convert) {
        return value(key, expected, element -> {
            if (!element.isJsonArray()) {
                return null;
            }
            List<T> items = new ArrayList<>();
            for (JsonElement item : element.getAsJsonArray()) {
                @Nullable T converted = convert.apply(item);
                if (converted == null) {
                    return null;
                }
                items.add(converted);
            }
            return items;
        });
    }

    private <T> T value(String key, String expected, Function<JsonElement, @Nullable T> convert) {
        @Nullable JsonElement element = object.get(key);
        @Nullable T converted = element == null ? null : convert.apply(element);
        if (converted == null) {
            throw Refusal.of(file, Refusal.printable(key), expected, found(element));
        }
        return converted;
    }

    private static @Nullable Integer toInteger(JsonElement element) {
        @Nullable JsonPrimitive primitive = primitive(element);
        if (primitive == null || !primitive.isNumber()) {
            return null;
        }
        // 2 and 2.0 are integers, 2.5 and 1e300 are not; no arithmetic on numbers of any length.
        double value = primitive.getAsDouble();
        return value == (int) value ? (Integer) (int) value : null;
    }

    private static @Nullable String toText(JsonElement element) {
        @Nullable JsonPrimitive primitive = primitive(element);
        return primitive != null && primitive.isString() ? primitive.getAsString() : null;
    }

    private static @Nullable JsonPrimitive primitive(JsonElement element) {
        return element.isJsonPrimitive() ? element.getAsJsonPrimitive() : null;
    }

    private static String found(@Nullable JsonElement element) {
        return element == null ? "no such key" : Refusal.printable(element.toString());
    }
}
