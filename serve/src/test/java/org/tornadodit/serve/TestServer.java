package org.tornadodit.serve;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpHeaders;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.imageio.ImageIO;
import org.tornadodit.model.TinyModelFiles;
import org.tornadodit.pipeline.DitPipeline;

/** A server on a free port, and a client of it. */
public final class TestServer implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofMinutes(5);

    private final DitServer server;
    private final HttpClient client =
            HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

    private TestServer(DitServer server) {
        this.server = server;
    }

    /** An answer: status, headers, and the body's text. */
    public record Answer(int status, HttpHeaders headers, String body) {
        public JsonObject json() {
            return JsonParser.parseString(body).getAsJsonObject();
        }

        /** Of an error. */
        public String error(String field) {
            return json().getAsJsonObject("error").get(field).isJsonNull()
                    ? "null"
                    : json().getAsJsonObject("error").get(field).getAsString();
        }

        public List<byte[]> pictures() {
            List<byte[]> all = new ArrayList<>();
            json().getAsJsonArray("data")
                    .forEach(one ->
                            all.add(pixels(one.getAsJsonObject().get("b64_json").getAsString())));
            return all;
        }
    }

    /** An event of a stream. */
    public record Event(String type, JsonObject data) {}

    /** A tiny model with six classes that have no names. */
    public static DitPipeline tiny(Path folder, int maxBatch) throws IOException {
        return tiny(folder, "cpu", maxBatch);
    }

    /** The same on devices of the caller's. */
    static DitPipeline tiny(Path folder, String devices, int maxBatch) throws IOException {
        TinyModelFiles model = TinyModelFiles.write(folder);
        return DitPipeline.load(model.checkpoint(), model.vae())
                .config(model.config())
                .devices(devices)
                .threads(1)
                .noKernelCache()
                .notices(line -> {})
                .maxBatch(maxBatch)
                .open();
    }

    public static TestServer start(DitPipeline pipeline) throws IOException {
        return start(pipeline, options());
    }

    public static ServerOptions options() {
        return ServerOptions.defaults().port(0).model("tiny").grace(Duration.ofSeconds(5));
    }

    public static TestServer start(DitPipeline pipeline, ServerOptions options) throws IOException {
        return new TestServer(DitServer.start(pipeline, options));
    }

    public DitServer server() {
        return server;
    }

    public URI uri(String path) {
        return URI.create(server.uri() + path);
    }

    public int port() {
        return server.uri().getPort();
    }

    public Answer get(String path, String... headers) {
        return send(request(path, headers).GET().build());
    }

    public Answer post(String body, String... headers) {
        return send(generation(body, headers));
    }

    public HttpRequest generation(String body, String... headers) {
        return request("/v1/images/generations", headers)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(body))
                .build();
    }

    public HttpRequest.Builder request(String path, String... headers) {
        HttpRequest.Builder request = HttpRequest.newBuilder(uri(path)).timeout(PATIENCE);
        return headers.length == 0 ? request : request.headers(headers);
    }

    public Answer send(HttpRequest request) {
        try {
            HttpResponse<String> answer = client.send(request, BodyHandlers.ofString());
            return new Answer(answer.statusCode(), answer.headers(), answer.body());
        } catch (IOException e) {
            throw new UncheckedIOException(request.method() + " " + request.uri(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }

    /** The events of a request, all of them. */
    public List<Event> stream(String body) {
        Answer answer = post(body);
        if (answer.status() != 200) {
            throw new IllegalStateException(answer.body());
        }
        List<Event> events = new ArrayList<>();
        for (String text : answer.body().split("\n\n")) {
            if (!text.startsWith(":")) {
                String[] lines = text.split("\n");
                JsonObject data = JsonParser.parseString(lines[1].substring("data: ".length()))
                        .getAsJsonObject();
                events.add(new Event(lines[0].substring("event: ".length()), data));
            }
        }
        return events;
    }

    /** The levels of a PNG in base64, as {@link org.tornadodit.pipeline.Picture#rgb} has them. */
    public static byte[] pixels(String base64) {
        try {
            var image =
                    ImageIO.read(new ByteArrayInputStream(Base64.getDecoder().decode(base64)));
            byte[] rgb = new byte[3 * image.getWidth() * image.getHeight()];
            for (int i = 0; i < rgb.length; i++) {
                int pixel = image.getRGB(i / 3 % image.getWidth(), i / 3 / image.getWidth());
                rgb[i] = (byte) (pixel >> (16 - 8 * (i % 3)));
            }
            return rgb;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        client.close();
        server.close();
    }
}
