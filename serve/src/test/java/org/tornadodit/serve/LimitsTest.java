package org.tornadodit.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.serve.TestServer.Answer;

/** Who waits, who is refused, and what ends: one picture at a time, of a tiny model. */
class LimitsTest {
    /** Takes minutes, if nothing ends it. */
    private static final String ENDLESS =
            "{\"class_labels\": 1, \"n\": 4000, \"num_inference_steps\": 1000, \"preview_every\": 0%s}";

    private static final String PLAIN = ENDLESS.formatted("");
    private static final String STREAM = ENDLESS.formatted(", \"stream\": true");
    private static final String SHORT = "{\"prompt\": \"2\", \"num_inference_steps\": 2}";

    /** The common pool may have one thread alone. */
    private static final Executor THREADS = task -> Thread.ofVirtual().start(task);

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    @SuppressWarnings("NullAway.Init") // set before all tests
    private static DitPipeline pipeline;

    @BeforeAll
    static void open() throws IOException {
        pipeline = TestServer.tiny(folder, 1);
    }

    @AfterAll
    static void close() {
        pipeline.close();
    }

    private static ServerOptions options() {
        return TestServer.options()
                .maxPictures(4096)
                .timeout(Duration.ofMinutes(1))
                .grace(Duration.ofMillis(100));
    }

    private static void await(String what, BooleanSupplier condition) throws InterruptedException {
        long end = System.nanoTime() + 60_000_000_000L;
        while (!condition.getAsBoolean()) {
            assertTrue(System.nanoTime() < end, what);
            Thread.sleep(10);
        }
    }

    private static boolean shows(TestServer server, int running, int waiting) {
        String body = server.get("/health").body();
        return body.contains("\"running\":%d,\"waiting\":%d".formatted(running, waiting));
    }

    @Test
    void whoeverComesWhenTheQueueIsFullIsRefused() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options().maxWaiting(2));
                RawClient first = new RawClient(server.port());
                RawClient second = new RawClient(server.port());
                RawClient third = new RawClient(server.port())) {
            first.send(RawClient.generation(STREAM)).readUntil("\"type\":\"progress\"");
            assertTrue(
                    second.send(RawClient.generation(STREAM)).readUntil("\n\n").contains("\"ahead\":0"));
            await("one waits", () -> shows(server, 1, 1));
            String told = third.send(RawClient.generation(STREAM)).readUntil("\"type\":\"queued\"");
            told += told.contains("\"ahead\":1") ? "" : third.readUntil("\"ahead\":1");
            for (String body : new String[] {SHORT, STREAM}) {
                Answer refused = server.post(body);
                assertEquals(429, refused.status(), refused.body());
                assertEquals("queue_full", refused.error("code"));
                assertEquals("rate_limit_error", refused.error("type"));
                assertTrue(Integer.parseInt(
                                refused.headers().firstValue("Retry-After").orElseThrow())
                        >= 1);
            }
            first.close();
            second.readUntil("\"type\":\"progress\"");
            third.readUntil("\"type\":\"progress\""); // between two of the second's pictures
            second.close();
            third.close();
            await("all are gone", () -> shows(server, 0, 0));
            assertEquals(200, server.post(SHORT).status());
        }
    }

    @Test
    void aClosedConnectionFreesItsPlace() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options())) {
            for (String body : new String[] {PLAIN, STREAM}) {
                RawClient client = new RawClient(server.port());
                client.send(RawClient.generation(body));
                await("it runs", () -> shows(server, 1, 0));
                client.close();
                await("it is cancelled", () -> shows(server, 0, 0));
            }
            assertTrue(server.get("/metrics").body().contains("dit_request_seconds_count{outcome=\"cancelled\"} 2"));
        }
    }

    /** As clients do that end a body with a line of its own, or ask for more before they have an answer. */
    @Test
    void aConnectionIsSeenToCloseBehindWhatWasSentTooEarly() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options())) {
            for (String early : new String[] {"\r\n", "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"}) {
                RawClient client = new RawClient(server.port());
                client.send(RawClient.generation(PLAIN));
                await("it runs", () -> shows(server, 1, 0));
                Thread.sleep(300); // a look at the connection
                client.send(early);
                Thread.sleep(300);
                assertTrue(shows(server, 1, 0), "no reason to end it");
                client.close();
                long begin = System.nanoTime();
                await("it is cancelled", () -> shows(server, 0, 0));
                assertTrue(System.nanoTime() - begin < 30_000_000_000L, "before its time is over");
            }
        }
    }

    /** It waits, when its connection is closed. */
    @Test
    void aClosedConnectionLeavesTheQueue() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options());
                RawClient first = new RawClient(server.port())) {
            first.send(RawClient.generation(PLAIN));
            await("it runs", () -> shows(server, 1, 0));
            RawClient second = new RawClient(server.port());
            second.send(RawClient.generation(PLAIN));
            await("it waits", () -> shows(server, 1, 1));
            second.close();
            await("it has left", () -> shows(server, 1, 0));
        }
    }

    @Test
    void aRequestOfManyPicturesLetsOthersIn() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options());
                RawClient large = new RawClient(server.port())) {
            large.send(RawClient.generation(STREAM.replace("1000", "100"))).readUntil("\"type\":\"progress\"");
            for (int i = 0; i < 3; i++) {
                assertEquals(200, server.post(SHORT).status());
            }
            assertTrue(shows(server, 1, 0), "the large one goes on");
        }
    }

    @Test
    void timeIsLimited() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options().timeout(Duration.ofSeconds(1)))) {
            Answer late = server.post(PLAIN);
            assertEquals(504, late.status(), late.body());
            assertEquals("timeout", late.error("code"));
            assertEquals("not done within 1 s, the limit of a request", late.error("message"));
            String end = server.stream(STREAM).getLast().data().toString();
            assertTrue(end.contains("\"code\":\"timeout\"") && end.contains("\"type\":\"error\""), end);
            await("its place is free", () -> shows(server, 0, 0));
            assertTrue(server.get("/metrics").body().contains("dit_request_seconds_count{outcome=\"timeout\"} 2"));
        }
    }

    @Test
    void stoppingRefusesFinishesAndCancels() throws Exception {
        TestServer server = TestServer.start(pipeline, options().grace(Duration.ofSeconds(2)));
        CompletableFuture<Answer> endless = CompletableFuture.supplyAsync(() -> server.post(PLAIN), THREADS);
        await("it runs", () -> shows(server, 1, 0));
        CompletableFuture<Answer> shortOne = CompletableFuture.supplyAsync(() -> server.post(SHORT), THREADS);
        await("it waits or is done", () -> shows(server, 1, 1) || shortOne.isDone());
        Thread closing = Thread.ofPlatform().start(() -> server.server().close());
        await("it is stopping", () -> server.get("/health").status() == 503);
        assertEquals(
                "stopping",
                JsonParser.parseString(server.get("/health").body())
                        .getAsJsonObject()
                        .get("status")
                        .getAsString());
        Answer refused = server.post(SHORT);
        assertEquals(503, refused.status());
        assertEquals("stopping", refused.error("code"));
        assertEquals("1", refused.headers().firstValue("Retry-After").orElseThrow());
        assertEquals(200, shortOne.get().status(), "there was time for it");
        assertEquals(503, endless.get().status());
        assertEquals("cancelled", endless.get().error("code"));
        closing.join(20_000);
        assertTrue(!closing.isAlive(), "closed");
        server.close();
    }
}
