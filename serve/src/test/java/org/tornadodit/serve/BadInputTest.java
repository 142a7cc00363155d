package org.tornadodit.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.http.HttpRequest.BodyPublishers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.serve.TestServer.Answer;

/** Whatever is sent, the answer is one line that says what is wrong, and the server goes on. */
class BadInputTest {
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
        server = TestServer.start(pipeline, TestServer.options().patience(Duration.ofSeconds(20)));
    }

    @AfterAll
    static void close() {
        server.close();
        pipeline.close();
    }

    /** One line, of the form of OpenAI's errors, without a trace. */
    private static void requireError(Answer answer, int status, String param, String code) {
        assertEquals(status, answer.status(), answer.body());
        assertEquals(1, answer.body().lines().count(), answer.body());
        assertEquals(
                "application/json", answer.headers().firstValue("Content-Type").orElseThrow());
        assertEquals(param, answer.error("param"), answer.body());
        assertEquals(code, answer.error("code"), answer.body());
        assertFalse(answer.error("message").isBlank());
        assertFalse(answer.body().contains("Exception"), answer.body());
        assertFalse(answer.body().contains("at org."), answer.body());
        assertTrue(answer.body().length() < 1000, answer.body());
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', nullValues = "-", textBlock = """
        {"prompt": "fox"}                                         | 400 | prompt               | unknown_class
        {"prompt": ""}                                            | 400 | prompt               | unknown_class
        {"prompt": 3}                                             | 400 | prompt               | wrong_type
        {"prompt": ["3"]}                                         | 400 | prompt               | wrong_type
        {}                                                        | 400 | prompt               | missing
        {"prompt": null}                                          | 400 | prompt               | missing
        {"prompt": "3", "n": "2"}                                 | 400 | n                    | wrong_type
        {"prompt": "3", "n": 1.5}                                 | 400 | n                    | wrong_type
        {"prompt": "3", "n": 0}                                   | 400 | n                    | out_of_range
        {"prompt": "3", "n": 11}                                  | 400 | n                    | out_of_range
        {"prompt": "3", "n": 1e99999}                             | 400 | n                    | wrong_type
        {"prompt": "3", "n": true}                                | 400 | n                    | wrong_type
        {"prompt": "3", "model": "dall-e-3"}                      | 404 | null                 | model_not_found
        {"prompt": "3", "size": "1024x1024"}                      | 400 | size                 | unsupported
        {"prompt": "3", "size": 16}                               | 400 | size                 | wrong_type
        {"prompt": "3", "response_format": "url"}                 | 400 | response_format      | unsupported
        {"prompt": "3", "output_format": "jpeg"}                  | 400 | output_format        | unsupported
        {"prompt": "3", "seed": 9223372036854775808}              | 400 | seed                 | out_of_range
        {"prompt": "3", "seed": "7"}                              | 400 | seed                 | wrong_type
        {"prompt": "3", "num_inference_steps": 0}                 | 400 | num_inference_steps  | out_of_range
        {"prompt": "3", "num_inference_steps": 1001}              | 400 | num_inference_steps  | out_of_range
        {"prompt": "3", "num_inference_steps": 1000, "sampler": "dpm++"} | 422 | num_inference_steps | out_of_range
        {"prompt": "3", "guidance_scale": -1}                     | 400 | guidance_scale       | out_of_range
        {"prompt": "3", "guidance_scale": 1e999}                  | 400 | guidance_scale       | out_of_range
        {"prompt": "3", "guidance_scale": "4"}                    | 400 | guidance_scale       | wrong_type
        {"prompt": "3", "sampler": "plms"}                        | 400 | sampler              | out_of_range
        {"prompt": "3", "sampler": "euler"}                       | 422 | sampler              | unsupported
        {"prompt": "3", "stream": "yes"}                          | 400 | stream               | wrong_type
        {"prompt": "3", "preview_every": -1}                      | 400 | preview_every        | out_of_range
        {"prompt": "3", "preview_every": 2}                       | 400 | preview_every        | unsupported
        {"prompt": "3", "preview_every": 0, "stream": false}      | 400 | preview_every        | unsupported
        {"prompt": "3", "negative_prompt": "ugly"}                | 400 | negative_prompt      | unknown_parameter
        {"prompt": "3", "prompt": "4"}                            | 400 | prompt               | duplicate_parameter
        {"prompt": "3", "pr\\u006fmpt": "3"}                      | 400 | prompt               | duplicate_parameter
        {"prompt": null, "prompt": "3"}                           | 400 | prompt               | duplicate_parameter
        {"seed": 1, "prompt": "3", "seed": 1}                     | 400 | seed                 | duplicate_parameter
        {"prompt": "3", "quality": [{"a": 1, "b": {}, "a": 2}]}   | 400 | a                    | duplicate_parameter
        {"prompt": "3", "prompt": "4"                             | 400 | prompt               | duplicate_parameter
        {"prompt": "3", "n": 1, "n"                               | 400 | n                    | duplicate_parameter
        {"class_labels": []}                                      | 400 | class_labels         | out_of_range
        {"class_labels": [6]}                                     | 400 | class_labels         | out_of_range
        {"class_labels": [-1]}                                    | 400 | class_labels         | out_of_range
        {"class_labels": [[1]]}                                   | 400 | class_labels         | wrong_type
        {"class_labels": {"a": 1}}                                | 400 | class_labels         | wrong_type
        {"class_labels": ["nobody"]}                              | 400 | class_labels         | unknown_class
        {"class_labels": [0,0,0,0,0,0], "n": 2}                   | 400 | n                    | out_of_range
        {"class_labels": [0,0,0,0,0,0,0,0,0,0,0]}                 | 400 | class_labels         | out_of_range
        [1, 2]                                                    | 400 | null                 | wrong_type
        "fox"                                                     | 400 | null                 | wrong_type
        {"prompt": "3"                                            | 400 | null                 | malformed_json
        {"prompt": "3"} {}                                        | 400 | null                 | malformed_json
        {'prompt': '3'}                                           | 400 | null                 | malformed_json
        {"prompt": "3", "guidance_scale": NaN}                    | 400 | null                 | malformed_json
        {"prompt": "3", // a comment                              | 400 | null                 | malformed_json
        ``                                                        | 400 | null                 | malformed_json
        """)
    void fieldsThatAreWrongAreNamed(String body, int status, String param, String code) {
        requireError(server.post(body), status, param, code);
    }

    @Test
    void whatNobodyTypes() {
        requireError(server.post("[".repeat(100_000)), 400, "null", "malformed_json");
        requireError(server.post("{\"prompt\": %s}".formatted("[".repeat(500_000))), 400, "null", "malformed_json");
        requireError(
                server.post("{\"prompt\": \"%s\"}".formatted("x".repeat(900_000))), 400, "prompt", "unknown_class");
        requireError(
                server.post("{\"prompt\": \"3\", \"n\": %s}".formatted("9".repeat(900))), 400, "n", "out_of_range");
        Answer digits = server.post("{\"prompt\": \"3\", \"n\": %s}".formatted("9".repeat(900_000)));
        requireError(digits, 400, "null", "malformed_json");
        assertFalse(digits.body().contains("Strictness"), digits.body());
        String name = "a".repeat(900_000);
        Answer answer = server.post("{\"%s\": 1}".formatted(name));
        assertEquals("unknown_parameter", answer.error("code"));
        assertTrue(answer.body().length() < 1000, "a long name is cut");
        Answer twice =
                server.post("{\"%s\": 1, \"%s\": 1}".formatted(name.substring(400_100), name.substring(400_100)));
        assertEquals("duplicate_parameter", twice.error("code"));
        assertTrue(twice.body().length() < 1000, "a long name is cut");
        String blanks =
                "a" + " ".repeat(400_000) + "b"; // what takes time that grows with the square would take minutes
        Duration patience = Duration.ofSeconds(20);
        requireError(
                assertTimeoutPreemptively(
                        patience, () -> server.post("{\"prompt\": \"3\", \"model\": \"%s\"}".formatted(blanks))),
                404,
                "null",
                "model_not_found");
        requireError(
                assertTimeoutPreemptively(patience, () -> server.post("{\"%s\": tru}".formatted(blanks))),
                400,
                "null",
                "malformed_json");
        Answer lines = server.post("{\"prompt\": \"a\\nb\\u001b[31m\\u2028c\"}");
        requireError(lines, 400, "prompt", "unknown_class");
        assertFalse(lines.error("message").contains("\u001b"), "nothing that drives a terminal");
    }

    @Test
    void bodiesOfOtherKinds() {
        requireError(
                server.send(server.request("/v1/images/generations")
                        .POST(BodyPublishers.ofString("{\"prompt\": \"3\"}"))
                        .header("Content-Type", "text/plain")
                        .build()),
                415,
                "null",
                "wrong_content_type");
        requireError(
                server.send(server.request("/v1/images/generations")
                        .POST(BodyPublishers.ofByteArray(new byte[] {'{', '"', (byte) 0xc3, '"', '}'}))
                        .header("Content-Type", "application/json; charset=utf-8")
                        .build()),
                400,
                "null",
                "malformed_json");
    }

    @Test
    void bodiesThatAreTooLarge() throws IOException {
        requireError(server.post(" ".repeat(10 << 20)), 413, "null", "body_too_large");
        try (RawClient client = new RawClient(server.port())) {
            client.send("POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n");
            String part = "100000\r\n" + " ".repeat(1 << 20) + "\r\n";
            for (int i = 0; i < 10; i++) {
                client.send(part);
            }
            String answer = client.send("0\r\n\r\n").readAll();
            assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
        }
        try (RawClient client = new RawClient(server.port())) { // asks before it sends
            String answer = client.send(
                            "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                                    + "Content-Type: application/json\r\nContent-Length: 999999999999\r\n\r\n")
                    .readUntil("body_too_large");
            assertTrue(answer.startsWith("HTTP/1.1 413 "), answer);
        }
    }

    @Test
    void pathsLeadNowhereElse() throws IOException {
        for (String path : List.of(
                "/../../etc/passwd",
                "/%2e%2e/%2e%2e/etc/passwd",
                "/..%2f..%2fetc/passwd",
                "/./../DitServer.class",
                "/..;/health",
                "//etc/passwd",
                "/page/index.html",
                "/api/Api.class",
                "/index.html%00.js",
                "/app.js/",
                "/nothing",
                "/v1/classes?q=%zz",
                "/v1/images")) {
            try (RawClient client = new RawClient(server.port())) {
                String answer = client.send(
                                "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".formatted(path))
                        .readAll();
                assertTrue(answer.matches("(?s)HTTP/1\\.1 40[04] .*\r\n\r\n\\{\"error\":.*}\n?"), path + ": " + answer);
                assertFalse(answer.contains("root:"), answer);
            }
        }
    }

    @Test
    void otherMethods() {
        Answer got = server.get("/v1/images/generations");
        requireError(got, 405, "null", "method_not_allowed");
        assertEquals("POST", got.headers().firstValue("Allow").orElseThrow());
        requireError(server.send(server.request("/health").DELETE().build()), 405, "null", "method_not_allowed");
        assertEquals(200, server.send(server.request("/health").HEAD().build()).status());
        assertEquals("", server.send(server.request("/").HEAD().build()).body());
    }

    @Test
    void whatIsNoHttp() throws IOException {
        for (String text : List.of(
                "garbage\r\n\r\n",
                "GET / HTTP/1.1\r\n\r\n",
                "GET / HTTP/9.9\r\nHost: localhost\r\n\r\n",
                "GET /health HTTP/1.1\r\nHost: localhost\r\nX: " + "a".repeat(100_000) + "\r\n\r\n",
                "GET /" + "a".repeat(100_000) + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
                "POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\n\r\n",
                "POST /v1/images/generations HTTP/1.1\r\n"
                        + "Host: localhost\r\n"
                        + "Content-Length: 5\r\n"
                        + "Content-Length: 6\r\n\r\n"
                        + "{}",
                "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003\r\n\r\n")) {
            try (RawClient client = new RawClient(server.port())) {
                client.send(text);
                String answer = client.readUntil("}");
                assertTrue(
                        answer.matches("(?s)HTTP/1\\.1 (4|5)\\d\\d .*\\{\"error\":\\{\"message\":.*"), text + answer);
                assertFalse(answer.contains("org.eclipse"), answer);
            }
        }
    }

    /** A page of another site, whose name leads here: a browser tells what it asked for. */
    @Test
    void otherHostsAreRefused() throws IOException {
        for (String host :
                List.of("evil.example", "evil.example:8000", "127.0.0.1.evil.example", "128.0.0.1", "[::2]")) {
            try (RawClient client = new RawClient(server.port())) {
                String answer = client.send(
                                "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host))
                        .readAll();
                assertTrue(answer.startsWith("HTTP/1.1 403 "), answer);
            }
        }
        for (String host : List.of("localhost", "LOCALHOST:1", "127.0.0.1", "127.1.2.3:8000", "[::1]:80")) {
            try (RawClient client = new RawClient(server.port())) {
                String answer = client.send(
                                "GET /health HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n".formatted(host))
                        .readAll();
                assertTrue(answer.startsWith("HTTP/1.1 200 "), answer);
            }
        }
    }

    @Test
    void tokens() throws IOException {
        String token = "correct-horse-battery";
        try (TestServer guarded =
                TestServer.start(pipeline, TestServer.options().token(token))) {
            for (String wrong : List.of("Bearer wrong", "Bearer " + token + "x", "Bearer", "Basic " + token, token)) {
                for (String path : List.of("/v1/models", "/v1/classes", "/metrics")) {
                    requireError(guarded.get(path, "Authorization", wrong), 401, "null", "invalid_api_key");
                }
                requireError(guarded.post("{}", "Authorization", wrong), 401, "null", "invalid_api_key");
            }
            Answer none = guarded.get("/v1/models");
            requireError(none, 401, "null", "invalid_api_key");
            assertEquals("Bearer", none.headers().firstValue("WWW-Authenticate").orElseThrow());
            assertEquals(
                    200,
                    guarded.get("/v1/models", "Authorization", "bearer " + token)
                            .status());
            assertEquals(
                    200,
                    guarded.post("{\"prompt\": \"1\", \"num_inference_steps\": 1}", "Authorization", "Bearer " + token)
                            .status());
            for (String open : List.of("/", "/health", "/openapi.json")) {
                assertEquals(200, guarded.get(open).status(), open);
            }
        }
    }

    @Test
    void optionsThatAreWrong() {
        String refused = assertThrows(
                        IllegalArgumentException.class,
                        () -> TestServer.start(pipeline, TestServer.options().host("0.0.0.0")))
                .getMessage();
        assertTrue(String.valueOf(refused).contains("token"), refused);
        for (Runnable wrong : List.<Runnable>of(
                () -> TestServer.options().port(70_000),
                () -> TestServer.options().token("short"),
                () -> TestServer.options().token("with a blank in it"),
                () -> TestServer.options().maxWaiting(-1),
                () -> TestServer.options().maxPictures(-1),
                () -> TestServer.options().maxConnections(0),
                () -> TestServer.options().maxBody(-1),
                () -> TestServer.options().timeout(Duration.ZERO),
                () -> TestServer.options().patience(Duration.ZERO),
                () -> TestServer.options().grace(Duration.ofSeconds(-1)))) {
            assertThrows(IllegalArgumentException.class, wrong::run);
        }
        IOException taken = assertThrows(
                IOException.class,
                () -> TestServer.start(pipeline, TestServer.options().port(server.port())));
        assertTrue(String.valueOf(taken.getMessage()).startsWith("port %d of 127.0.0.1".formatted(server.port())));
    }

    /** Some send a byte now and then: what counts is the whole request's time. */
    @Test
    void slowClientsAreLeft() throws IOException, InterruptedException {
        try (TestServer strict = TestServer.start(pipeline, TestServer.options().patience(Duration.ofSeconds(3)));
                RawClient header = new RawClient(strict.port());
                RawClient body = new RawClient(strict.port());
                RawClient silent = new RawClient(strict.port());
                RawClient idle = new RawClient(strict.port())) {
            idle.send("GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n").readUntil("ok");
            header.send("GET /health HTTP/1.1\r\nHost: localhost\r\n");
            body.send("POST /v1/images/generations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                    + "Content-Length: 1000\r\n\r\n");
            boolean headerOpen = true;
            boolean bodyOpen = true;
            for (int i = 0; (headerOpen || bodyOpen) && i < 900; i++) {
                headerOpen = headerOpen && sends(header, "X: 1\r\n");
                bodyOpen = bodyOpen && sends(body, " ");
                Thread.sleep(50);
            }
            assertFalse(headerOpen || bodyOpen, "not left as long as a byte comes now and then");
            assertEquals("", silent.readAll());
            assertEquals("", idle.readAll());
            assertEquals(200, strict.get("/health").status());
        }
    }

    private static boolean sends(RawClient client, String text) {
        try {
            client.send(text);
            return true;
        } catch (IOException closed) {
            return false;
        }
    }

    /** Whoever does not take the answer does not hold up others, and is left. */
    @Test
    void clientsThatDoNotReadAreLeft() throws IOException, InterruptedException {
        try (TestServer strict = TestServer.start(pipeline, TestServer.options().patience(Duration.ofSeconds(1)));
                RawClient deaf = new RawClient(strict.port())) {
            StringBuilder many = new StringBuilder();
            for (int i = 0; i < 3000; i++) { // answers of 30 KB each
                many.append("GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n");
            }
            byte[] text = many.toString().getBytes(StandardCharsets.ISO_8859_1);
            Thread.ofVirtual().start(() -> {
                try {
                    deaf.send(text);
                } catch (IOException closed) {
                    return; // as it should be
                }
            });
            Thread.sleep(300);
            assertEquals(200, strict.get("/health").status());
            long end = System.nanoTime() + 60_000_000_000L;
            while (!strict.get("/metrics").body().contains("dit_connections 1.0") && System.nanoTime() < end) {
                Thread.sleep(100);
            }
            assertTrue(strict.get("/metrics").body().contains("dit_connections 1.0"), "the deaf one is left");
        }
    }

    /** A large answer through a thin line: what counts is that parts of it are taken. */
    @Test
    void clientsThatReadSlowlyGetAll() throws IOException, InterruptedException {
        try (TestServer strict = TestServer.start(
                        pipeline,
                        TestServer.options().patience(Duration.ofSeconds(2)).maxPictures(4000));
                RawClient slow = new RawClient(strict.port(), 1 << 16)) {
            slow.send(RawClient.generation("{\"class_labels\": 1, \"n\": 4000, \"num_inference_steps\": 1}"));
            String head = slow.readUntil("\"data\":");
            Matcher length =
                    Pattern.compile("(?s).*Content-Length: (\\d+)\r\n.*").matcher(head);
            assertTrue(length.matches(), head.substring(0, Math.min(1000, head.length())));
            int left = Integer.parseInt(length.group(1)) - (head.length() - head.indexOf("\r\n\r\n") - 4);
            assertTrue(left > 4 << 20, "more than the system holds for a connection: " + left);
            String end = "";
            while (left > 0) {
                int count = Math.min(left, 1 << 16);
                byte[] some = slow.read(count);
                assertEquals(count, some.length, "closed with %d bytes to come".formatted(left));
                left -= count;
                end = new String(some, StandardCharsets.ISO_8859_1);
                Thread.sleep(60);
            }
            assertTrue(end.endsWith("}]}\n"), end);
        }
    }

    @Test
    void thousandsOfConnections() throws IOException, InterruptedException {
        try (TestServer strict = TestServer.start(
                pipeline, TestServer.options().patience(Duration.ofSeconds(2)).maxConnections(600))) {
            List<RawClient> crowd = new ArrayList<>();
            try {
                for (int i = 0; i < 2000; i++) {
                    crowd.add(new RawClient(strict.port()));
                }
            } catch (IOException noMore) {
                assertTrue(crowd.size() > 600, "refused at " + crowd.size());
            }
            long end = System.nanoTime() + 60_000_000_000L;
            int status = 0;
            while (status != 200 && System.nanoTime() < end) {
                status = statusOf(strict);
            }
            assertEquals(200, status, "others have their turn when the silent ones are left");
            for (RawClient each : crowd) {
                each.close();
            }
        }
    }

    private static int statusOf(TestServer server) throws InterruptedException {
        try (RawClient client = new RawClient(server.port())) {
            String answer = client.send("GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                    .readAll();
            return answer.startsWith("HTTP/1.1 200 ") ? 200 : 0;
        } catch (IOException refused) {
            Thread.sleep(100);
            return 0;
        }
    }
}
