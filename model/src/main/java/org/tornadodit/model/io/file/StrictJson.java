package org.tornadodit.model.io.file;

import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import com.google.gson.stream.MalformedJsonException;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;

/** JSON of files that nobody vouches for: one value, no key twice in an object, no names without end. */
public final class StrictJson {

    /** Bytes of a key, as written: far more than any tensor's name has. */
    private static final int LONGEST_KEY = 4096;

    private StrictJson() {}

    /**
     * A reader at the start of a document that has been walked through once.
     *
     * @throws IOException when it is malformed, has a key twice, or more than one value
     */
    public static JsonReader reader(byte[] json) throws IOException {
        requireShortKeys(json);
        try (JsonReader reader = open(json)) {
            walk(reader);
        }
        return open(json);
    }

    private static JsonReader open(byte[] json) {
        JsonReader reader =
                new JsonReader(new InputStreamReader(new ByteArrayInputStream(json), StandardCharsets.UTF_8));
        reader.setStrictness(Strictness.STRICT);
        return reader;
    }

    /** Before a parser makes strings of them. */
    private static void requireShortKeys(byte[] json) throws IOException {
        int start = -1;
        int length = 0;
        for (int i = 0; i < json.length; i++) {
            byte b = json[i];
            if (start >= 0) {
                if (b == '\\') {
                    i++;
                } else if (b == '"') {
                    length = i - start;
                    start = -1;
                }
            } else if (b == '"') {
                start = i;
            } else if (b == ':' && length > LONGEST_KEY) {
                throw new MalformedJsonException("a key of " + length + " bytes");
            }
        }
    }

    private static void walk(JsonReader reader) throws IOException {
        Deque<Set<String>> objects = new ArrayDeque<>();
        do {
            switch (reader.peek()) {
                case BEGIN_OBJECT -> {
                    reader.beginObject();
                    objects.push(new HashSet<>());
                }
                case END_OBJECT -> {
                    reader.endObject();
                    objects.pop();
                }
                case BEGIN_ARRAY -> reader.beginArray();
                case END_ARRAY -> reader.endArray();
                case NAME -> {
                    String name = reader.nextName();
                    if (!objects.element().add(name)) {
                        throw new MalformedJsonException("two keys " + Refusal.printable(name));
                    }
                }
                default -> reader.skipValue();
            }
        } while (!reader.getPath().equals("$"));
        if (reader.peek() != JsonToken.END_DOCUMENT) {
            throw new MalformedJsonException("more than one value");
        }
    }
}
