package org.tornadodit.runner.download;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.Proxy;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Downloads through a proxy on this machine that opens tunnels. */
class ProxiesTest {
    private static final Patience SHORT = new Patience(2, Duration.ofMillis(1), Duration.ofSeconds(60));

    @TempDir
    Path folder;

    private byte[] fetch(Map<String, String> environment, URI address) throws IOException, InterruptedException {
        WeightsServer.trust();
        Web web = new Web(
                environment,
                new Properties(),
                new Hub(PublishedWeights.HUB, null),
                WeightsServer.trust(),
                Duration.ofSeconds(60),
                "test");
        Path target = folder.resolve("w.pt");
        new Transfer(web, SHORT, new SilentWatcher()).fetch(new RemoteFile("w.pt", address, 0, null), target);
        return Files.readAllBytes(target);
    }

    @Test
    void aTunnelLeadsToTheHostWithNameAndPassword() throws Exception {
        byte[] content = "weights".repeat(1000).getBytes(java.nio.charset.StandardCharsets.US_ASCII);
        try (WeightsServer server = new WeightsServer();
                ConnectProxy proxy = new ConnectProxy(server.port(), "me:p@ss w+rd")) {
            server.at("/w", new ServedFile(content, "\"v1\"").dropping(3000));
            URI address = URI.create("https://weights.example/w");
            String place = "localhost:" + proxy.port();
            assertArrayEquals(content, fetch(Map.of("HTTPS_PROXY", "http://me:p%40ss%20w+rd@" + place), address));
            assertEquals(List.of("weights.example:443", "weights.example:443"), proxy.tunnels);
            Files.delete(folder.resolve("w.pt"));
            DownloadException none = assertThrows(
                    DownloadException.class, () -> fetch(Map.of("https_proxy", "http://" + place), address));
            assertTrue(String.valueOf(none.getMessage()).contains("wants a name and a password"), none.getMessage());
            DownloadException wrong = assertThrows(
                    DownloadException.class, () -> fetch(Map.of("https_proxy", "http://me:wrong@" + place), address));
            assertTrue(String.valueOf(wrong.getMessage()).contains("wants a name and a password"), wrong.getMessage());
            assertFalse(String.valueOf(wrong.getMessage()).contains("wrong@"), wrong.getMessage());
            // Not through the proxy, which would have let it through to the server.
            Map<String, String> around = Map.of("https_proxy", "http://me:p@ss w+rd@" + place, "no_proxy", "localhost");
            assertArrayEquals(content, fetch(around, server.address("/w")));
            assertEquals(2, proxy.tunnels.size());
        }
    }

    @Test
    void aProxyThatIsNotThereIsNamed() throws Exception {
        int nobody;
        try (java.net.ServerSocket free = new java.net.ServerSocket(0)) {
            nobody = free.getLocalPort();
        }
        DownloadException error = assertThrows(
                DownloadException.class,
                () -> fetch(
                        Map.of("https_proxy", "http://me:secret@localhost:" + nobody),
                        URI.create("https://weights.example/w")));
        assertEquals(
                "no connection to weights.example through the proxy localhost:" + nobody + ": is there a network?",
                error.getMessage());
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "huggingface.co; true",
                ".huggingface.co; true",
                "*.huggingface.co; true",
                "a.b, co; true",
                "*; true",
                "cdn.huggingface.co:443; true",
                "cdn.huggingface.co:80; false",
                "face.co; false",
                "x.cdn.huggingface.co; false",
                "''; false"
            })
    void someHostsNeedNoProxy(String exceptions, boolean direct) throws Exception {
        Proxies proxies = Proxies.of(Map.of("https_proxy", "proxy:3128", "no_proxy", exceptions), new Properties());
        Proxy chosen = proxies.selector()
                .select(URI.create("https://cdn.huggingface.co/x"))
                .getFirst();
        assertEquals(direct ? Proxy.Type.DIRECT : Proxy.Type.HTTP, chosen.type());
    }

    @Test
    void javasOwnPropertiesComeFirst() throws Exception {
        Properties system = new Properties();
        system.setProperty("https.proxyHost", "other");
        system.setProperty("https.proxyUser", "me");
        Proxies proxies = Proxies.of(Map.of("https_proxy", "socks5://proxy:1"), system);
        assertEquals(java.net.ProxySelector.getDefault(), proxies.selector());
        assertTrue(proxies.authenticator() != null);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "socks5://user:secret@proxy:1080",
                "https://user:secret@proxy",
                "http://user:secret@proxy:x",
                "http://"
            })
    void refusesProxiesOfOtherKinds(String value) {
        DownloadException error =
                assertThrows(DownloadException.class, () -> Proxies.of(Map.of("https_proxy", value), new Properties()));
        assertTrue(
                String.valueOf(error.getMessage()).contains("expected http://[user:password@]host:port"),
                error.getMessage());
        assertFalse(String.valueOf(error.getMessage()).contains("secret"), error.getMessage());
    }
}
