package org.tornadodit.serve.http;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.serve.TestServer;
import org.tornadodit.serve.TestServer.Event;
import org.tornadodit.serve.api.GenerationBody;
import org.tornadodit.serve.api.Generations;
import org.tornadodit.serve.api.Metrics;
import org.tornadodit.serve.api.ServedModel;

/** The OpenAPI document says what the server does. */
class OpenApiTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline pipeline;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static TestServer server;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static JsonObject document;

    @BeforeAll
    static void start() throws IOException {
        pipeline = TestServer.tiny(folder, 2);
        server = TestServer.start(pipeline);
        document = server.get("/openapi.json").json();
    }

    @AfterAll
    static void close() {
        server.close();
        pipeline.close();
    }

    @Test
    void itHasTheRoutes() {
        ServedModel model = new ServedModel(pipeline, "tiny", 10, 64, 600, 0);
        Metrics metrics = new Metrics();
        Api api = new Api(
                model,
                new Generations(model, metrics),
                metrics,
                new ConnectionWatch(Duration.ofSeconds(1)),
                null,
                "127.0.0.1",
                1 << 20);
        Set<String> routes = new TreeSet<>();
        Set<String> open = new TreeSet<>();
        for (Route route : api.routes()) {
            routes.add(route.method() + " " + route.path());
            if (route.open()) {
                open.add(route.method() + " " + route.path());
            }
        }
        Set<String> documented = new TreeSet<>();
        Set<String> withoutToken = new TreeSet<>();
        document.getAsJsonObject("paths")
                .entrySet()
                .forEach(path -> path.getValue().getAsJsonObject().entrySet().forEach(method -> {
                    String name = method.getKey().toUpperCase(Locale.ROOT) + " " + path.getKey();
                    documented.add(name);
                    JsonElement security = method.getValue().getAsJsonObject().get("security");
                    if (security != null && security.getAsJsonArray().isEmpty()) {
                        withoutToken.add(name);
                    }
                }));
        assertEquals(routes, documented);
        assertEquals(open, withoutToken);
    }

    private static JsonObject schema(String name) {
        return document.getAsJsonObject("components").getAsJsonObject("schemas").getAsJsonObject(name);
    }

    @Test
    void itHasTheFieldsThatAreTaken() {
        assertEquals(
                new TreeSet<>(GenerationBody.fields()),
                new TreeSet<>(schema("GenerationRequest")
                        .getAsJsonObject("properties")
                        .keySet()));
    }

    @Test
    void answersAreAsItSays() {
        requireFits(server.get("/v1/models").json(), schema("Models"), "models");
        requireFits(server.get("/v1/models/tiny").json(), schema("Model"), "model");
        requireFits(server.get("/v1/classes?q=1").json(), schema("Classes"), "classes");
        requireFits(server.get("/health").json(), schema("Health"), "health");
        requireFits(server.get("/nothing").json(), schema("Error"), "error");
        requireFits(server.post("{\"size\": \"1x1\"}").json(), schema("Error"), "error");
        requireFits(
                server.post("{\"prompt\": \"1\", \"num_inference_steps\": 1}").json(),
                schema("GenerationResponse"),
                "answer");
    }

    @Test
    void eventsAreAsItSays() {
        Set<String> seen = new TreeSet<>();
        String body = "{\"prompt\": \"1\", \"num_inference_steps\": %d, \"stream\": true}";
        for (Event event : server.stream(body.formatted(100))) {
            seen.add(event.type());
            String name = switch (event.type()) {
                case "queued" -> "QueuedEvent";
                case "progress" -> "ProgressEvent";
                case "image_generation.partial_image" -> "PartialImageEvent";
                case "image_generation.completed" -> "CompletedEvent";
                case "done" -> "DoneEvent";
                default -> event.type();
            };
            requireFits(event.data(), schema(name), name);
        }
        assertEquals(5, seen.size(), seen::toString);
    }

    private static JsonObject resolved(JsonObject schema) {
        JsonElement ref = schema.get("$ref");
        if (ref == null) {
            return schema;
        }
        JsonElement at = document;
        for (String part : ref.getAsString().substring(2).split("/")) {
            at = at.getAsJsonObject().get(part);
            assertTrue(at != null, ref::toString);
        }
        return resolved(at.getAsJsonObject());
    }

    /** As much of JSON Schema as the document uses for answers. */
    private static void requireFits(JsonElement value, JsonObject either, String where) {
        JsonObject schema = resolved(either);
        if (schema.has("const")) {
            assertEquals(schema.get("const"), value, where);
        }
        if (schema.has("enum")) {
            assertTrue(schema.getAsJsonArray("enum").contains(value), where + ": " + value);
        }
        if (schema.has("type")) {
            JsonArray types = schema.get("type").isJsonArray() ? schema.getAsJsonArray("type") : new JsonArray();
            if (types.isEmpty()) {
                types.add(schema.get("type"));
            }
            assertTrue(
                    types.asList().stream().anyMatch(type -> isOf(value, type.getAsString())),
                    where + " is " + value + ", expected " + types);
        }
        if (value.isJsonObject()) {
            JsonObject properties = schema.getAsJsonObject("properties");
            Set<String> names = new TreeSet<>(value.getAsJsonObject().keySet());
            Set<String> required = new TreeSet<>();
            schema.getAsJsonArray("required").forEach(name -> required.add(name.getAsString()));
            assertTrue(names.containsAll(required), where + " has " + names + ", needs " + required);
            assertFalse(schema.get("additionalProperties").getAsBoolean(), where);
            assertTrue(
                    properties.keySet().containsAll(names), where + " has " + names + ", known " + properties.keySet());
            names.forEach(name -> requireFits(
                    value.getAsJsonObject().get(name), properties.getAsJsonObject(name), where + "." + name));
        }
        if (value.isJsonArray()) {
            value.getAsJsonArray().forEach(each -> requireFits(each, schema.getAsJsonObject("items"), where + "[]"));
        }
    }

    private static boolean isOf(JsonElement value, String type) {
        return switch (type) {
            case "object" -> value.isJsonObject();
            case "array" -> value.isJsonArray();
            case "null" -> value.isJsonNull();
            case "string" ->
                value.isJsonPrimitive() && value.getAsJsonPrimitive().isString();
            case "boolean" ->
                value.isJsonPrimitive() && value.getAsJsonPrimitive().isBoolean();
            case "number" ->
                value.isJsonPrimitive() && value.getAsJsonPrimitive().isNumber();
            case "integer" ->
                value.isJsonPrimitive()
                        && value.getAsJsonPrimitive().isNumber()
                        && value.getAsString().matches("-?[0-9]+");
            default -> false;
        };
    }
}
