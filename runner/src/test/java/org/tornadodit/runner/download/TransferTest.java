package org.tornadodit.runner.download;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.ServerSocket;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Downloads from a server on this machine that breaks off, forgets, changes its mind and lies. */
class TransferTest {
    private static final Patience SHORT = new Patience(3, Duration.ofMillis(1), Duration.ofSeconds(60));
    private static final String TAG = "\"v1\"";

    @TempDir
    Path folder;

    private final byte[] content = new byte[100_000];
    private final List<String> heard = new ArrayList<>();
    private WeightsServer server;

    @BeforeEach
    void start() throws IOException {
        new Random(7).nextBytes(content);
        server = new WeightsServer();
    }

    @AfterEach
    void stop() {
        server.close();
    }

    private static String sha256(byte[] bytes) throws Exception {
        return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    }

    private Transfer transfer(@Nullable String token) throws IOException {
        return transfer(token, SHORT);
    }

    private Transfer transfer(@Nullable String token, Patience patience) throws IOException {
        Hub hub = new Hub(server.address(""), token);
        Web web = new Web(Map.of(), new Properties(), hub, WeightsServer.trust(), Duration.ofSeconds(60), "test");
        return new Transfer(web, patience, new DownloadWatcher() {
            @Override
            public void begin(String file, long there, long total) {
                heard.add("from " + there + " of " + total);
            }

            @Override
            public void progress(long done, long total) {
                // Too many to note.
            }

            @Override
            public void checking(String file) {
                heard.add("checking");
            }

            @Override
            public void retry(String reason, Duration pause) {
                heard.add("retry");
            }
        });
    }

    private RemoteFile file(String path, long size, @Nullable String sha256) {
        return new RemoteFile("w.pt", server.address(path), size, sha256);
    }

    private Path target() {
        return folder.resolve("sub").resolve("w.pt");
    }

    private DownloadException fails(RemoteFile file) {
        return assertThrows(DownloadException.class, () -> transfer(null).fetch(file, target()));
    }

    private List<String> leftBehind() throws IOException {
        try (var files = Files.walk(folder)) {
            return files.filter(Files::isRegularFile)
                    .map(file -> file.getFileName().toString())
                    .sorted()
                    .toList();
        }
    }

    @Test
    void goesOnWhereTheConnectionBroke() throws Exception {
        server.at("/w", new ServedFile(content, TAG).dropping(30_000, 20_000));
        Transfer.Done done = transfer(null).fetch(file("/w", 100_000, sha256(content)), target());
        assertTrue(done.verified());
        assertArrayEquals(content, Files.readAllBytes(target()));
        assertEquals(List.of("w.pt"), leftBehind());
        assertEquals(3, server.asked.size());
        assertNull(server.asked.get(0).range());
        for (WeightsServer.Asked again : server.asked.subList(1, 3)) {
            assertEquals(TAG, again.ifRange());
            assertTrue(again.range() != null && again.range().matches("bytes=[1-9]\\d+-"), again.toString());
        }
        assertEquals(2, heard.stream().filter("retry"::equals).count(), heard.toString());
    }

    @Test
    void aLaterRunGoesOn() throws Exception {
        server.at("/w", new ServedFile(content, TAG).dropping(60_000, 0, 0));
        DownloadException stopped = fails(file("/w", 0, null));
        assertTrue(String.valueOf(stopped.getMessage()).contains("broke off"), stopped.getMessage());
        long there = Files.size(PartFile.partOf(target()));
        assertTrue(there > 10_000 && there <= 60_000, "what the client had read: " + there);
        assertTrue(
                String.valueOf(stopped.getMessage()).contains("w.pt.part keeps " + RemoteFile.words(there)),
                stopped.getMessage());
        assertTrue(String.valueOf(stopped.getMessage()).contains("the same command goes on"), stopped.getMessage());
        assertFalse(Files.exists(target()));
        heard.clear();
        Transfer.Done done = transfer(null).fetch(file("/w", 0, null), target());
        assertFalse(done.verified(), "no checksum is known");
        assertEquals(sha256(content), done.sha256());
        assertEquals("from " + there + " of 100000", heard.getFirst());
        assertArrayEquals(content, Files.readAllBytes(target()));
    }

    @Test
    void beginsAgainWhereRangesAreIgnored() throws Exception {
        server.at("/w", new ServedFile(content, TAG).withoutRanges().dropping(50_000));
        transfer(null).fetch(file("/w", 100_000, null), target());
        assertArrayEquals(content, Files.readAllBytes(target()));
    }

    @Test
    void beginsAgainWhenTheFileHasChanged() throws Exception {
        byte[] old = content.clone();
        new Random(8).nextBytes(old);
        ServedFile before = new ServedFile(old, "\"v0\"").dropping(50_000);
        ServedFile after = new ServedFile(content, TAG);
        server.at("/w", exchange -> (server.asked.size() == 1 ? before : after).answer(exchange));
        transfer(null).fetch(file("/w", 100_000, sha256(content)), target());
        assertArrayEquals(content, Files.readAllBytes(target()));
    }

    @Test
    void withoutValidatorAndChecksumNothingIsPatched() throws Exception {
        server.at("/w", new ServedFile(content, null).dropping(50_000));
        transfer(null).fetch(file("/w", 0, null), target());
        assertArrayEquals(content, Files.readAllBytes(target()));
        assertNull(server.asked.get(1).range());
    }

    @Test
    void aWholePartNeedsNoByteMore() throws Exception {
        server.at("/w", new ServedFile(content, TAG));
        Files.createDirectories(folder.resolve("sub"));
        Files.write(PartFile.partOf(target()), content);
        transfer(null).fetch(file("/w", 100_000, sha256(content)), target());
        assertEquals(List.of(), server.asked);
        Files.move(target(), PartFile.partOf(target()));
        try (PartFile part = PartFile.open(target())) {
            part.note(TAG, 100_000);
        }
        transfer(null).fetch(file("/w", 0, null), target());
        assertArrayEquals(content, Files.readAllBytes(target()));
    }

    @Test
    void whatIsThereIsNotFetched() throws Exception {
        server.at("/w", new ServedFile(content, TAG));
        transfer(null).fetch(file("/w", 100_000, null), target());
        assertNull(transfer(null).fetch(file("/w", 100_000, null), target()).sha256());
        assertEquals(1, server.asked.size());
        Files.write(target(), new byte[] {1, 2, 3});
        assertNotNull(transfer(null).fetch(file("/w", 100_000, null), target()).sha256(), "too short to be it");
    }

    @Test
    void refusesAnotherSizeOrChecksum() throws Exception {
        server.at("/w", new ServedFile(content, TAG));
        DownloadException size = fails(file("/w", 99_999, null));
        assertTrue(String.valueOf(size.getMessage()).contains("has 100000 bytes, expected 99999"), size.getMessage());
        DownloadException sum = fails(file("/w", 100_000, "0".repeat(64)));
        assertTrue(String.valueOf(sum.getMessage()).contains("its SHA-256 is " + sha256(content)), sum.getMessage());
        assertTrue(String.valueOf(sum.getMessage()).contains("the same command fetches it again"), sum.getMessage());
        assertEquals(List.of(), leftBehind());
    }

    @Test
    void refusesMoreBytesThanThereShouldBe() throws Exception {
        server.at("/w", exchange -> {
            exchange.sendResponseHeaders(200, 0); // chunked: no length is told
            exchange.getResponseBody().write(content);
        });
        DownloadException error = fails(file("/w", 10, null));
        assertTrue(String.valueOf(error.getMessage()).contains("longer than the 10 bytes"), error.getMessage());
        assertEquals(List.of(), leftBehind());
    }

    @Test
    void followsRedirectionsToHttpsAlone() throws Exception {
        server.at("/w", exchange -> {
            exchange.getResponseHeaders().set("Location", "http://localhost:" + server.port() + "/plain?key=secret");
            exchange.sendResponseHeaders(302, -1);
        });
        server.at("/loop", exchange -> {
            exchange.getResponseHeaders().set("Location", "/loop");
            exchange.sendResponseHeaders(307, -1);
        });
        DownloadException error = fails(file("/w", 0, null));
        assertTrue(String.valueOf(error.getMessage()).contains("redirects to http://localhost"), error.getMessage());
        assertTrue(String.valueOf(error.getMessage()).contains("expected https"), error.getMessage());
        assertFalse(String.valueOf(error.getMessage()).contains("secret"), error.getMessage());
        assertEquals(1, server.asked.size(), "lasting: asked once");
        assertTrue(String.valueOf(fails(file("/loop", 0, null)).getMessage()).contains("more than 10 times"));
    }

    @Test
    void theHubsSizeChecksumAndTokenStayWithTheHub() throws Exception {
        try (WeightsServer store = new WeightsServer()) {
            store.at("/blob", new ServedFile(content, TAG));
            server.at("/w", exchange -> {
                exchange.getResponseHeaders().set("X-Linked-Size", "100000");
                exchange.getResponseHeaders().set("X-Linked-Etag", "\"" + "a".repeat(64) + "\"");
                exchange.getResponseHeaders()
                        .set("Location", store.address("/blob").toString());
                exchange.sendResponseHeaders(302, -1);
            });
            DownloadException error = assertThrows(
                    DownloadException.class, () -> transfer("hf_secret").fetch(file("/w", 0, null), target()));
            assertTrue(String.valueOf(error.getMessage()).contains("expected " + "a".repeat(64)), error.getMessage());
            assertEquals("Bearer hf_secret", server.asked.getFirst().authorization());
            assertNull(store.asked.getFirst().authorization(), "another host");
            assertEquals("from 0 of 100000", heard.getFirst());
        }
    }

    @ParameterizedTest
    @CsvSource({
        "403, refuses access (403), 1",
        "404, does not exist any more (404), 1",
        "503, answers 503, 3",
        "429, asks for fewer requests, 3"
    })
    void tellsWhatTheServerRefuses(int status, String words, int requests) {
        server.at("/w", exchange -> exchange.sendResponseHeaders(status, -1));
        DownloadException error = fails(file("/w", 0, null));
        assertTrue(String.valueOf(error.getMessage()).contains(words), error.getMessage());
        assertEquals(requests, server.asked.size());
    }

    @Test
    void aSilentServerIsLeft() {
        CountDownLatch left = new CountDownLatch(1);
        server.at("/w", exchange -> {
            exchange.sendResponseHeaders(200, content.length);
            exchange.getResponseBody().write(content, 0, 1000);
            exchange.getResponseBody().flush();
            try {
                left.await();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        });
        Patience little = new Patience(3, Duration.ofMillis(1), Duration.ofMillis(400));
        DownloadException error = assertThrows(
                DownloadException.class,
                () -> transfer(null, little).fetch(file("/w", content.length, null), target()));
        left.countDown();
        assertTrue(String.valueOf(error.getMessage()).contains("no byte came for"), error.getMessage());
    }

    @Test
    void tellsThatThereIsNoNetworkOrNoTrust() throws Exception {
        int nobody;
        try (ServerSocket free = new ServerSocket(0)) {
            nobody = free.getLocalPort();
        }
        DownloadException refused =
                fails(new RemoteFile("w.pt", URI.create("https://localhost:" + nobody + "/w"), 0, null));
        assertTrue(String.valueOf(refused.getMessage()).contains("is there a network?"), refused.getMessage());
        Web distrustful = new Web(
                Map.of(), new Properties(), new Hub(PublishedWeights.HUB, null), null, Duration.ofSeconds(60), "test");
        DownloadException certificate = assertThrows(
                DownloadException.class,
                () -> new Transfer(distrustful, SHORT, new SilentWatcher()).fetch(file("/w", 0, null), target()));
        assertTrue(
                String.valueOf(certificate.getMessage()).contains("certificate of localhost is not trusted"),
                certificate.getMessage());
        assertEquals(List.of(), leftBehind());
    }

    @Test
    void twoRunsDoNotWriteOneFile() throws Exception {
        try (PartFile first = PartFile.open(target())) {
            assertEquals(0, first.length());
            DownloadException error = assertThrows(DownloadException.class, () -> PartFile.open(target()));
            assertTrue(String.valueOf(error.getMessage()).contains("another download"), error.getMessage());
        }
        Files.createFile(folder.resolve("file"));
        DownloadException noFolder = assertThrows(
                DownloadException.class,
                () -> PartFile.open(folder.resolve("file").resolve("w.pt")));
        assertTrue(String.valueOf(noFolder.getMessage()).contains("cannot write"), noFolder.getMessage());
    }

    @Test
    void aFileThatCannotFitIsNotBegun() {
        server.at("/w", exchange -> {
            exchange.getResponseHeaders().set("Content-Length", String.valueOf(1L << 60));
            exchange.sendResponseHeaders(200, 1L << 60);
        });
        DownloadException error = fails(file("/w", 1L << 60, null));
        assertTrue(String.valueOf(error.getMessage()).contains("free; make room"), error.getMessage());
    }
}
