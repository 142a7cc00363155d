package org.tornadodit.serve;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.gson.JsonObject;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tornadodit.model.diffusion.SamplingMethod;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.pipeline.Picture;
import org.tornadodit.pipeline.Request;
import org.tornadodit.serve.TestServer.Answer;
import org.tornadodit.serve.TestServer.Event;

/**
 * Many clients with requests of all kinds at a time: each gets the bits that its request has alone. For three seconds with a tiny
 * model; {@code -Dserve.load.seconds=60 -Dserve.load.model=demo} for a minute with the demo's.
 */
class LoadTest {
    private static final int CLIENTS = 64;

    /** Clients that go away in the middle, beside those. */
    private static final int FLEETING = 4;

    private static final int KINDS = 24;
    private static final int SECONDS = Integer.getInteger("serve.load.seconds", 3);
    private static final String MODEL = System.getProperty("serve.load.model", "tiny");
    private static final Path DEMO =
            Path.of(System.getProperty("dit.root", "..")).resolve("demo");

    /** What growing is tolerated: classes, JIT, pools. */
    private static final long SLACK = 64L << 20;

    @TempDir
    @SuppressWarnings("NullAway.Init") // set by JUnit
    static Path folder;

    /**
     * A request, and what comes of it alone.
     *
     * @param request as the pipeline takes it
     * @param body as JSON
     * @param expected levels of its pictures
     */
    private record Kind(Request request, String body, List<byte[]> expected) {}

    private static Kind kind(DitPipeline pipeline, int number) {
        SamplingMethod sampler = List.of(
                        SamplingMethod.DDPM,
                        SamplingMethod.DDIM,
                        SamplingMethod.DPM_SOLVER_PLUS_PLUS,
                        SamplingMethod.SDE_DPM_SOLVER_PLUS_PLUS,
                        SamplingMethod.UNIPC)
                .get(number % 5);
        int steps = 1 + number * 5 % 9;
        double guidance = List.of(1.0, 4.0, 2.5).get(number % 3);
        int n = number % 6 == 5 ? 2 : 1;
        boolean stream = number % 4 == 3;
        int[] labels = new int[n];
        Arrays.fill(labels, number % 6);
        Request request = Request.of(labels)
                .sampler(sampler)
                .steps(steps)
                .guidance(guidance)
                .seed(number);
        String body = String.format(
                Locale.ROOT,
                "{\"class_labels\": %d, \"n\": %d, \"num_inference_steps\": %d, \"sampler\": \"%s\","
                        + " \"guidance_scale\": %s, \"seed\": %d, \"stream\": %b}",
                number % 6,
                n,
                steps,
                sampler.option(),
                guidance,
                number,
                stream);
        return new Kind(
                request,
                body,
                pipeline.sample(request).stream().map(Picture::rgb).toList());
    }

    private static DitPipeline open() throws IOException {
        if (MODEL.equals("tiny")) {
            return TestServer.tiny(folder, 8);
        }
        return DitPipeline.load(DEMO.resolve("dit.pt"), DEMO.resolve("vae"))
                .devices("cpu")
                .notices(line -> {})
                .maxBatch(8)
                .open();
    }

    private static List<byte[]> pictures(TestServer server, Kind kind) {
        if (!kind.body().contains("\"stream\": true")) {
            Answer answer = server.post(kind.body());
            assertEquals(200, answer.status(), answer.body());
            return answer.pictures();
        }
        List<byte[]> pictures = new ArrayList<>();
        for (Event event : server.stream(kind.body())) {
            JsonObject data = event.data();
            if (event.type().equals("image_generation.completed")) {
                pictures.add(TestServer.pixels(data.get("b64_json").getAsString()));
            }
        }
        return pictures;
    }

    private static long usedHeap() {
        System.gc();
        return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
    }

    private static boolean same(List<byte[]> some, List<byte[]> others) {
        if (some.size() != others.size()) {
            return false;
        }
        for (int i = 0; i < some.size(); i++) {
            if (!Arrays.equals(some.get(i), others.get(i))) {
                return false;
            }
        }
        return true;
    }

    @Test
    void noneIsLostAndNoneIsWrong() throws Exception {
        try (DitPipeline pipeline = open();
                TestServer server = // room for those too who have gone and are not seen to have
                        TestServer.start(pipeline, TestServer.options().maxWaiting(300))) {
            List<Kind> kinds = new ArrayList<>();
            for (int i = 0; i < KINDS; i++) {
                kinds.add(kind(pipeline, i));
            }
            kinds.forEach(each -> assertTrue(same(each.expected(), pictures(server, each)), each.body()));
            long before = usedHeap();
            Queue<Double> seconds = new ConcurrentLinkedQueue<>();
            Queue<String> wrong = new ConcurrentLinkedQueue<>();
            AtomicInteger sent = new AtomicInteger();
            long end = System.nanoTime() + SECONDS * 1_000_000_000L;
            List<Thread> clients = new ArrayList<>();
            for (int i = 0; i < CLIENTS; i++) {
                int client = i;
                clients.add(Thread.ofVirtual().start(() -> {
                    for (int turn = 0; turn == 0 || System.nanoTime() < end; turn++) {
                        Kind kind = kinds.get((client + 7 * turn) % KINDS);
                        sent.incrementAndGet();
                        long began = System.nanoTime();
                        try {
                            if (!same(kind.expected(), pictures(server, kind))) {
                                wrong.add(kind.body());
                            }
                            seconds.add((System.nanoTime() - began) / 1e9);
                        } catch (RuntimeException | AssertionError failure) {
                            wrong.add(kind.body() + ": " + failure);
                        }
                    }
                }));
            }
            for (int i = 0; i < FLEETING; i++) {
                clients.add(Thread.ofVirtual().start(() -> goAway(server, end)));
            }
            for (Thread client : clients) {
                client.join();
            }
            assertEquals(List.of(), List.copyOf(wrong));
            assertEquals(sent.get(), seconds.size(), "none is lost");
            long grown = usedHeap() - before;
            List<Double> sorted = new ArrayList<>(seconds);
            Collections.sort(sorted);
            System.out.printf(
                    Locale.ROOT,
                    "%s, %d clients, %d s: %d requests, p50 %.2f s, p95 %.2f s; the heap grew by %.1f MB%n",
                    MODEL,
                    CLIENTS,
                    SECONDS,
                    sorted.size(),
                    sorted.get(sorted.size() / 2),
                    sorted.get(sorted.size() * 95 / 100),
                    grown / 1e6);
            assertTrue(grown < SLACK, "the heap grew by " + grown);
            assertEquals(
                    "{\"status\":\"ok\",\"running\":0,\"waiting\":0}",
                    server.get("/health").body().strip());
        }
    }

    private static void goAway(TestServer server, long end) {
        while (System.nanoTime() < end) {
            try (RawClient client = new RawClient(server.port())) {
                client.send(RawClient.generation(
                        "{\"class_labels\": 3, \"num_inference_steps\": 200, \"stream\": true, \"n\": 3}"));
                Thread.sleep(100);
            } catch (IOException | InterruptedException e) {
                return;
            }
        }
    }
}
