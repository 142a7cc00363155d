package org.tornadodit.serve;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;
import org.tornadodit.serve.TestServer.Answer;
import org.tornadodit.serve.TestServer.Event;

/** What is asked over HTTP is what the pipeline gives. */
class GenerationTest {
    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline pipeline;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static TestServer server;

    @BeforeAll
    static void start() throws IOException {
        pipeline = TestServer.tiny(folder, 2);
        server = TestServer.start(pipeline);
    }

    @AfterAll
    static void close() {
        server.close();
        pipeline.close();
    }

    private static byte[][] bits(List<Picture> pictures) {
        return pictures.stream().map(Picture::rgb).toArray(byte[][]::new);
    }

    @Test
    void answersAsOpenAiDoes() {
        Answer answer = server.post("""
            {"model": "tiny", "prompt": "4", "n": 2, "size": "16x16", "response_format": "b64_json", "user": "somebody",
             "seed": 7, "num_inference_steps": 3, "guidance_scale": 2.5, "sampler": "DDIM"}
            """);
        assertEquals(200, answer.status(), answer.body());
        assertEquals(
                "application/json", answer.headers().firstValue("Content-Type").orElseThrow());
        JsonObject json = answer.json();
        assertEquals("tiny", json.get("model").getAsString());
        assertEquals("16x16", json.get("size").getAsString());
        assertEquals("png", json.get("output_format").getAsString());
        assertEquals(7, json.get("seed").getAsLong());
        assertEquals(3, json.get("num_inference_steps").getAsInt());
        assertEquals(2.5, json.get("guidance_scale").getAsDouble());
        assertEquals("ddim", json.get("sampler").getAsString());
        assertTrue(json.get("created").getAsLong() > 1_700_000_000);
        assertEquals(2, json.getAsJsonArray("data").size());
        JsonObject first = json.getAsJsonArray("data").get(0).getAsJsonObject();
        assertEquals(4, first.get("class_label").getAsInt());
        assertEquals("4", first.get("revised_prompt").getAsString(), "the class taken");
        Request same = Request.of(4, 4)
                .seed(7)
                .guidance(2.5)
                .sampler(SamplingMethod.DDIM)
                .steps(3);
        assertArrayEquals(bits(pipeline.sample(same)), answer.pictures().toArray(byte[][]::new));
    }

    @Test
    void classesComeByLabelMoreThanABatchOfThem() {
        Answer answer =
                server.post("{\"class_labels\": [5, \"1\"], \"n\": 2, \"num_inference_steps\": 2, \"seed\": -1}");
        assertEquals(200, answer.status(), answer.body());
        Request same = Request.of(5, 5, 1, 1).seed(-1).steps(2);
        assertArrayEquals(bits(pipeline.sample(same)), answer.pictures().toArray(byte[][]::new));
        assertArrayEquals(
                bits(pipeline.sample(Request.of(0).seed(1).steps(1)))[0],
                server.post("{\"class_labels\": 0, \"num_inference_steps\": 1, \"seed\": 1, \"prompt\": \"not read\"}")
                        .pictures()
                        .getFirst());
    }

    /** Lossless, in answers and events. */
    @Test
    void picturesAreWebpWhereThatIsAskedFor() {
        String body = "{\"prompt\": \"4\", \"num_inference_steps\": 2, \"seed\": 7, \"output_format\": \"webp\"%s}";
        byte[] pixels = bits(pipeline.sample(Request.of(4).seed(7).steps(2)))[0];
        Answer answer = server.post(body.formatted(""));
        assertEquals(200, answer.status(), answer.body());
        assertEquals("webp", answer.json().get("output_format").getAsString());
        String picture = answer.json()
                .getAsJsonArray("data")
                .get(0)
                .getAsJsonObject()
                .get("b64_json")
                .getAsString();
        assertEquals("RIFF", new String(Base64.getDecoder().decode(picture), 0, 4, StandardCharsets.US_ASCII));
        assertArrayEquals(pixels, TestServer.pixels(picture));
        List<Event> events = server.stream(body.formatted(", \"stream\": true"));
        for (Event event : events) {
            if (event.data().has("b64_json")) {
                String base64 = event.data().get("b64_json").getAsString();
                assertTrue(base64.startsWith("UklGR"), "RIFF in Base64: " + event.type());
            }
        }
        assertEquals(
                "webp",
                events.get(events.size() - 2).data().get("output_format").getAsString());
    }

    @Test
    void aSeedIsDrawnAndTold() {
        String body = "{\"prompt\": \"2\", \"num_inference_steps\": 1%s}";
        Answer drawn = server.post(body.formatted(""));
        Answer other = server.post(body.formatted(""));
        long seed = drawn.json().get("seed").getAsLong();
        assertTrue(seed >= 0 && seed < 1L << 53, "a browser's numbers hold it");
        assertNotEquals(seed, other.json().get("seed").getAsLong());
        assertArrayEquals(
                drawn.pictures().getFirst(),
                server.post(body.formatted(", \"seed\": " + seed)).pictures().getFirst());
    }

    @Test
    void defaultsAreThePublishers() {
        JsonObject model = server.get("/v1/models/tiny").json();
        assertEquals(
                250,
                model.getAsJsonObject("defaults").get("num_inference_steps").getAsInt());
        Answer answer = server.post("{\"prompt\": \"0\", \"n\": null, \"sampler\": null, \"seed\": 3}");
        assertEquals(250, answer.json().get("num_inference_steps").getAsInt());
        assertEquals(4, answer.json().get("guidance_scale").getAsDouble());
        assertEquals("ddpm", answer.json().get("sampler").getAsString());
        assertArrayEquals(
                bits(pipeline.sample(Request.of(0).seed(3))), answer.pictures().toArray(byte[][]::new));
    }

    @Test
    void aStreamTellsQueueProgressPreviewsAndPictures() {
        List<Event> events = server.stream("""
            {"prompt": "3", "class_labels": [3, 1, 0], "num_inference_steps": 60, "seed": 5, "stream": true,
             "preview_every": 20}
            """);
        assertEquals("queued", events.getFirst().type());
        assertEquals(0, events.getFirst().data().get("ahead").getAsInt());
        assertEquals(5, events.getFirst().data().get("seed").getAsLong());
        assertEquals("done", events.getLast().type());
        assertEquals(3, events.getLast().data().get("pictures").getAsInt());
        events.forEach(
                event -> assertEquals(event.type(), event.data().get("type").getAsString()));
        List<JsonObject> progress = of(events, "progress");
        double took = events.getLast().data().get("seconds").getAsDouble();
        double before = 0;
        for (JsonObject each : progress) {
            double rate = each.get("steps_per_second").getAsDouble();
            double done = each.get("fraction").getAsDouble() * 120;
            assertTrue(rate > 0.9 * done / took, each::toString);
            if (each.get("time_left").getAsDouble() > 0.05) { // both are means of the steps so far
                assertEquals((120 - done) / each.get("time_left").getAsDouble(), rate, 0.05 * rate, each::toString);
            }
            assertTrue(each.get("fraction").getAsDouble() > before, progress::toString);
            before = each.get("fraction").getAsDouble();
            assertEquals(2, each.get("batches").getAsInt(), "three pictures, two a batch");
        }
        List<JsonObject> previews = of(events, "image_generation.partial_image");
        assertFalse(previews.isEmpty());
        assertEquals(
                previews.size(),
                previews.stream()
                        .map(preview -> preview.get("index") + " after " + preview.get("step"))
                        .distinct()
                        .count(),
                "each once");
        for (JsonObject preview : previews) {
            int step = preview.get("step").getAsInt();
            assertTrue(Set.of(20, 40).contains(step), preview::toString);
            assertEquals(step / 20 - 1, preview.get("partial_image_index").getAsInt());
            assertEquals(
                    List.of(3, 1, 0).get(preview.get("index").getAsInt()),
                    preview.get("class_label").getAsInt(),
                    "an index counts over batches");
        }
        byte[][] expected = bits(pipeline.sample(Request.of(3, 1, 0).seed(5).steps(60)));
        List<JsonObject> completed = of(events, "image_generation.completed");
        for (int i = 0; i < 3; i++) {
            assertEquals(i, completed.get(i).get("index").getAsInt());
            assertArrayEquals(
                    expected[i],
                    TestServer.pixels(completed.get(i).get("b64_json").getAsString()));
        }
        assertEquals(3, completed.size());
    }

    private static List<JsonObject> of(List<Event> events, String type) {
        return events.stream()
                .filter(event -> event.type().equals(type))
                .map(Event::data)
                .toList();
    }

    @Test
    void aStreamHasNoPreviewsWhereNoneAreWanted() {
        List<Event> events = server.stream(
                "{\"prompt\": \"3\", \"num_inference_steps\": 4, \"stream\": true, \"preview_every\": 0}");
        assertEquals(
                Set.of("queued", "progress", "image_generation.completed", "done"),
                events.stream().map(Event::type).collect(Collectors.toSet()));
    }

    @Test
    void modelsAndClassesAreListed() {
        JsonObject list = server.get("/v1/models").json();
        assertEquals(
                "tiny",
                list.getAsJsonArray("data").get(0).getAsJsonObject().get("id").getAsString());
        assertEquals(404, server.get("/v1/models/dall-e-3").status());
        JsonObject classes = server.get("/v1/classes?limit=2&offset=3").json();
        assertEquals(6, classes.get("total").getAsInt());
        assertEquals(
                "[3, 4]",
                classes.getAsJsonArray("data").asList().stream()
                        .map(one -> one.getAsJsonObject().get("label").getAsInt())
                        .toList()
                        .toString());
        assertEquals(1, server.get("/v1/classes?q=%35").json().get("total").getAsInt());
        assertEquals("limit", server.get("/v1/classes?limit=many").error("param"));
    }

    private static double metric(String name) {
        return server.get("/metrics")
                .body()
                .lines()
                .filter(line -> line.startsWith(name + " "))
                .mapToDouble(line -> Double.parseDouble(line.substring(name.length())))
                .sum();
    }

    @Test
    void metricsCount() {
        double steps = metric("dit_steps_total");
        double pictures = metric("dit_pictures_total");
        server.post("{\"prompt\": \"0\", \"n\": 3, \"num_inference_steps\": 5}");
        assertEquals(3 * 5, metric("dit_steps_total") - steps, "a batch of two and one of one");
        assertEquals(3, metric("dit_pictures_total") - pictures);
        String text = server.get("/metrics").body();
        for (String name : List.of(
                "dit_http_requests_total{route=\"/v1/images/generations\",status=\"200\"}",
                "dit_pictures_total ",
                "dit_steps_total ",
                "dit_requests_running 0.0",
                "dit_requests_waiting 0.0",
                "dit_request_seconds_count{outcome=\"done\"}",
                "dit_connections ")) {
            assertTrue(text.contains("\n" + name), () -> name + " in " + text);
        }
    }

    @Test
    void thePageIsThereWithAPolicy() {
        Answer page = server.get("/");
        assertEquals(200, page.status());
        assertEquals(
                "text/html; charset=utf-8",
                page.headers().firstValue("Content-Type").orElseThrow());
        assertTrue(page.headers()
                .firstValue("Content-Security-Policy")
                .orElseThrow()
                .startsWith("default-src 'none'"));
        String tag = page.headers().firstValue("ETag").orElseThrow();
        assertEquals(304, server.get("/index.html", "If-None-Match", tag).status());
        assertEquals(200, server.get("/app.js").status());
        assertTrue(metric("dit_http_requests_total{route=\"page\",status=\"200\"}") >= 2);
        assertEquals(
                "text/css; charset=utf-8",
                server.get("/style.css").headers().firstValue("Content-Type").orElseThrow());
    }
}
