package org.tornadodit.model.io.file;

import com.google.gson.GsonBuilder;
import com.google.gson.JsonObject;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;

/** Facts as texts by name: a JSON object of strings, one a line. Read without trust: bounded, and nothing nested. */
public final class FactsFile {
    private static final int LARGEST = 1 << 20;
    private static final int MOST_FACTS = 1000;

    private FactsFile() {}

    /**
     * Reads a file, in its order.
     *
     * @throws CheckpointException when it is no such object
     */
    public static Map<String, String> read(Path file) throws IOException {
        if (Files.size(file) > LARGEST) {
            throw refusal(file, "%d bytes".formatted(Files.size(file)), null);
        }
        return parse(file, Files.readAllBytes(file));
    }

    /** A file's content, or what {@link #read} throws. */
    static Map<String, String> parse(Path file, byte[] content) {
        Map<String, String> facts = new LinkedHashMap<>();
        try (JsonReader json = StrictJson.reader(content)) {
            json.beginObject();
            while (json.peek() != JsonToken.END_OBJECT) {
                String name = json.nextName();
                if (json.peek() != JsonToken.STRING || facts.size() == MOST_FACTS) {
                    throw refusal(file, "something else as " + Printable.text(name), null);
                }
                facts.put(name, json.nextString());
            }
            json.endObject();
        } catch (IOException | IllegalStateException e) {
            throw refusal(file, "something else", e);
        }
        return Collections.unmodifiableMap(facts);
    }

    private static CheckpointException refusal(Path file, String found, @Nullable Exception cause) {
        String line = "%s: expected a JSON object of texts, found %s".formatted(Printable.path(file), found);
        return cause == null ? new CheckpointException(line) : new CheckpointException(line, cause);
    }

    /**
     * Writes a file where there is none, whole or not at all.
     *
     * @return false where there was one, which stays
     */
    public static boolean create(Path file, Map<String, String> facts) throws IOException {
        JsonObject json = new JsonObject();
        facts.forEach(json::addProperty);
        String text = new GsonBuilder()
                        .setPrettyPrinting()
                        .disableHtmlEscaping()
                        .create()
                        .toJson(json)
                + "\n";
        return AtomicFile.create(file, out -> out.write(text.getBytes(StandardCharsets.UTF_8)));
    }
}
