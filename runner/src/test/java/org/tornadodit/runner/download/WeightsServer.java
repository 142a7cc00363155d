package org.tornadodit.runner.download;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;

/** An HTTPS server on this machine with a certificate of its own, which {@link #trust} trusts. */
public final class WeightsServer implements AutoCloseable {
    private static final char[] PASSWORD = "changeit".toCharArray();
    private static final @Nullable SSLContext[] CONTEXT = new SSLContext[1];

    /** What was asked. */
    public record Asked(
            String path,
            @Nullable String range,
            @Nullable String ifRange,
            @Nullable String authorization) {}

    /** Answers; leaving early drops the connection. */
    public interface Handler {
        void answer(HttpExchange exchange) throws IOException;
    }

    private final HttpsServer server;
    private final ExecutorService threads = Executors.newCachedThreadPool();
    public final List<Asked> asked = new CopyOnWriteArrayList<>();

    public WeightsServer() throws IOException {
        server = HttpsServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.setHttpsConfigurator(new HttpsConfigurator(trust()));
        server.setExecutor(threads);
        server.start();
    }

    /** For both ends. The certificate is for localhost, the hosts of the weights and {@code weights.example}. */
    public static SSLContext trust() {
        synchronized (CONTEXT) {
            SSLContext context = CONTEXT[0];
            if (context == null) {
                try {
                    context = make();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                } catch (GeneralSecurityException e) {
                    throw new IllegalStateException(e);
                }
                CONTEXT[0] = context;
            }
            return context;
        }
    }

    private static SSLContext make() throws IOException, GeneralSecurityException {
        // Read when the client is loaded, and another test may load it first.
        System.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
        Path folder = Files.createTempDirectory("dit-certificate");
        Path store = folder.resolve("store.p12");
        String keytool =
                Path.of(System.getProperty("java.home"), "bin", "keytool").toString();
        Process process = new ProcessBuilder(
                        keytool,
                        "-J-XX:TieredStopAtLevel=1",
                        "-genkeypair",
                        "-alias",
                        "server",
                        "-keyalg",
                        "EC",
                        "-groupname",
                        "secp256r1",
                        "-dname",
                        "CN=localhost",
                        "-validity",
                        "2",
                        "-ext",
                        "san=dns:localhost,dns:weights.example,dns:dl.fbaipublicfiles.com,dns:huggingface.co,ip:127.0.0.1",
                        "-storetype",
                        "PKCS12",
                        "-keystore",
                        store.toString(),
                        "-storepass",
                        new String(PASSWORD))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8);
        if (!Files.exists(store)) {
            throw new IOException("keytool: " + said);
        }
        KeyStore keys = KeyStore.getInstance("PKCS12");
        try (InputStream in = Files.newInputStream(store)) {
            keys.load(in, PASSWORD);
        }
        Files.delete(store);
        Files.delete(folder);
        KeyManagerFactory key = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        key.init(keys, PASSWORD);
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(keys);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(key.getKeyManagers(), trust.getTrustManagers(), null);
        return context;
    }

    public int port() {
        return server.getAddress().getPort();
    }

    public URI address(String path) {
        return URI.create("https://localhost:" + port() + path);
    }

    /** Answers at a path; whatever the handler does, the connection is closed afterwards. */
    public void at(String path, Handler handler) {
        server.createContext(path, exchange -> {
            asked.add(new Asked(
                    exchange.getRequestURI().getPath(),
                    exchange.getRequestHeaders().getFirst("Range"),
                    exchange.getRequestHeaders().getFirst("If-Range"),
                    exchange.getRequestHeaders().getFirst("Authorization")));
            try (exchange) {
                handler.answer(exchange);
            }
        });
    }

    @Override
    public void close() {
        server.stop(0);
        threads.shutdownNow();
    }
}
