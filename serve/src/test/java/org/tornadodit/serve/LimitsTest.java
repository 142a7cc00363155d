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
import org.tornadodit.host.HostFaults;
import org.tornadodit.host.HostRuntime;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.serve.TestServer.Answer;

/**
 * Who waits, who is refused, and what ends: one picture at a time, of a tiny model, on a virtual device that can be held: between
 * its steps a request may give up its place.
 */
class LimitsTest {
    /** Takes minutes, if nothing ends it; others have a turn after each of its pictures. */
    private static final String ENDLESS = "{\"class_labels\": 1, \"n\": 4000, \"num_inference_steps\": 10%s}";

    private static final String PLAIN = ENDLESS.formatted("");
    private static final String STREAM = ENDLESS.formatted(", \"stream\": true, \"preview_every\": 0");
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
        pipeline = TestServer.tiny(folder, "cpu:1", 1);
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
                RawClient third = new RawClient(server.port());
                HostFaults.Hold hold = atWork(server, first)) {
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
                assertEquals("1", refused.headers().firstValue("Retry-After").orElseThrow(), "none has ended");
            }
            first.close();
            hold.close();
            second.readUntil("\"type\":\"progress\"");
            third.readUntil("\"type\":\"progress\""); // between two of the second's pictures
            second.close();
            third.close();
            await("all are gone", () -> shows(server, 0, 0));
            assertEquals(200, server.post(SHORT).status());
        }
    }

    /** Has a client's request begin, and its device do nothing from then on. */
    private static HostFaults.Hold atWork(TestServer server, RawClient client) throws Exception {
        client.send(RawClient.generation(STREAM)).readUntil("\"type\":\"progress\"");
        HostFaults.Hold hold = HostRuntime.get().device(0).faults().hold();
        assertTrue(shows(server, 1, 0), "it runs");
        return hold;
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

    /** A client that sends its next request as soon as it has an answer needs no place in a queue. */
    @Test
    void whoeverHasAnAnswerIsNotHereAnyMore() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options().maxWaiting(0))) {
            for (int i = 0; i < 20; i++) {
                Answer answer = server.post(SHORT.replace("steps\": 2", "steps\": 1"));
                assertEquals(200, answer.status(), i + ": " + answer.body());
                assertEquals(0, server.server().active(), "after " + i);
            }
        }
    }

    /** It waits, when its connection is closed. */
    @Test
    void aClosedConnectionLeavesTheQueue() throws Exception {
        try (TestServer server = TestServer.start(pipeline, options());
                RawClient first = new RawClient(server.port());
                HostFaults.Hold _ = atWork(server, first)) {
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
            large.send(RawClient.generation(STREAM)).readUntil("\"type\":\"progress\"");
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
            String metrics = server.get("/metrics").body();
            assertTrue(metrics.contains("dit_request_seconds_count{outcome=\"timeout\"} 2"), metrics);
            assertTrue(metrics.contains("dit_pictures_total 0.0"), metrics);
        }
    }

    /** The server waits for one whose client takes its time to go, and a short one is done meanwhile. */
    @Test
    void stoppingRefusesAndFinishes() throws Exception {
        TestServer server = TestServer.start(pipeline, options().grace(Duration.ofMinutes(1)));
        RawClient endless = new RawClient(server.port());
        endless.send(RawClient.generation(STREAM)).readUntil("\"type\":\"progress\"");
        CompletableFuture<Answer> shortOne = CompletableFuture.supplyAsync(() -> server.post(SHORT), THREADS);
        await("it is here or done", () -> server.server().active() == 2 || shortOne.isDone());
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
        assertTrue(closing.isAlive(), "the other one is here");
        endless.close();
        closing.join(30_000);
        assertTrue(!closing.isAlive(), "closed");
        server.close();
    }

    @Test
    void stoppingCancelsWhatIsLeft() throws Exception {
        TestServer server = TestServer.start(pipeline, options().grace(Duration.ofMillis(100)));
        CompletableFuture<Answer> endless = CompletableFuture.supplyAsync(() -> server.post(PLAIN), THREADS);
        await("it runs", () -> shows(server, 1, 0));
        server.server().close();
        assertEquals(503, endless.get().status());
        assertEquals("cancelled", endless.get().error("code"));
        server.close();
    }
}
