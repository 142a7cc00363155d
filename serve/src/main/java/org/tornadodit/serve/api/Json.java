package org.tornadodit.serve.api;

import com.google.gson.Gson;
import com.google.gson.GsonBuilder;
import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParseException;
import com.google.gson.JsonParser;
import com.google.gson.Strictness;
import com.google.gson.stream.JsonReader;
import com.google.gson.stream.JsonToken;
import java.io.IOException;
import java.io.StringReader;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;

/** JSON as RFC 8259 has it, without the liberties that readers take otherwise. */
final class Json {
    private static final Gson GSON =
            new GsonBuilder().serializeNulls().disableHtmlEscaping().create();

    /** Objects and lists within each other; a request has two. */
    private static final int DEEPEST = 16;

    private Json() {}

    /** One line. */
    static String line(JsonElement json) {
        return GSON.toJson(json);
    }

    /** @throws Refusal when these bytes are no JSON object in UTF-8, or have one with a field twice */
    static JsonObject object(byte[] body) {
        if (body.length == 0) {
            throw new Refusal(400, "malformed_json", "the body is empty, expected a JSON object");
        }
        JsonElement json;
        try (JsonReader reader = new JsonReader(new StringReader(text(body)))) {
            reader.setStrictness(Strictness.STRICT);
            reader.setNestingLimit(DEEPEST);
            json = value(reader);
            if (reader.peek() != JsonToken.END_DOCUMENT) {
                throw malformed("something follows behind it");
            }
        } catch (IOException | JsonParseException | NumberFormatException e) {
            String message = String.valueOf(e.getMessage());
            int link = message.indexOf("See http");
            throw malformed((link < 0 ? message : message.substring(0, link).stripTrailing())
                    .replaceAll("^(?:[\\w.]+Exception: )+", "")
                    .replaceAll("^Use JsonReader\\.\\S+ to accept malformed JSON", "malformed"));
        }
        if (!json.isJsonObject()) {
            throw new Refusal(400, "wrong_type", "the body is no JSON object");
        }
        return json.getAsJsonObject();
    }

    /** Gson's own parser takes the last of several fields of a name; which of them was meant is not known. */
    private static JsonElement value(JsonReader reader) throws IOException {
        return switch (reader.peek()) {
            case BEGIN_OBJECT -> {
                JsonObject object = new JsonObject();
                reader.beginObject();
                while (reader.hasNext()) {
                    String name = reader.nextName();
                    if (object.has(name)) {
                        String shown = JsonFields.cut(name);
                        throw Refusal.of(
                                shown, "duplicate_parameter", "\"%s\" is there twice in an object".formatted(shown));
                    }
                    object.add(name, value(reader));
                }
                reader.endObject();
                yield object;
            }
            case BEGIN_ARRAY -> {
                JsonArray list = new JsonArray();
                reader.beginArray();
                while (reader.hasNext()) {
                    list.add(value(reader));
                }
                reader.endArray();
                yield list;
            }
            default -> JsonParser.parseReader(reader);
        };
    }

    private static Refusal malformed(String why) {
        return new Refusal(400, "malformed_json", "the body is not JSON: " + why);
    }

    private static String text(byte[] body) {
        try {
            return StandardCharsets.UTF_8
                    .newDecoder()
                    .onMalformedInput(CodingErrorAction.REPORT)
                    .onUnmappableCharacter(CodingErrorAction.REPORT)
                    .decode(ByteBuffer.wrap(body))
                    .toString();
        } catch (CharacterCodingException e) {
            throw malformed("it is not UTF-8");
        }
    }
}
