package org.tornadodit.runner.download;

import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.Properties;
import javax.net.ssl.SSLContext;
import org.jspecify.annotations.Nullable;

/** Asks for files over HTTPS, through a proxy where one is set, and follows redirections to HTTPS alone. */
final class Web {
    private static final int MOST_REDIRECTIONS = 10;
    private static final Duration CONNECT_PATIENCE = Duration.ofSeconds(20);

    private final HttpClient client;
    private final Hub hub;
    private final Duration patience;
    private final String agent;

    /**
     * @param trust null for the JVM's own certificates
     * @param patience for an answer to begin
     * @throws DownloadException when the environment names a proxy that cannot be used
     */
    Web(
            Map<String, String> environment,
            Properties system,
            Hub hub,
            @Nullable SSLContext trust,
            Duration patience,
            String agent)
            throws DownloadException {
        this.hub = hub;
        this.patience = patience;
        this.agent = agent;
        Proxies proxies = Proxies.of(environment, system);
        HttpClient.Builder builder = HttpClient.newBuilder()
                .version(HttpClient.Version.HTTP_1_1)
                .followRedirects(HttpClient.Redirect.NEVER)
                .connectTimeout(CONNECT_PATIENCE)
                .proxy(proxies.selector());
        if (proxies.authenticator() != null) {
            // Read when the client's classes are loaded: by default a JVM sends no password to open a tunnel.
            if (system.getProperty("jdk.http.auth.tunneling.disabledSchemes") == null) {
                system.setProperty("jdk.http.auth.tunneling.disabledSchemes", "");
            }
            builder.authenticator(proxies.authenticator());
        }
        if (trust != null) {
            builder.sslContext(trust);
        }
        this.client = builder.build();
    }

    /**
     * Asks for a file from a byte on. The caller closes the body.
     *
     * @param from 0 for the whole file
     * @param validator the version that the bytes before are of; null to take any
     * @throws DownloadException when a redirection leads elsewhere than to HTTPS
     * @throws IOException when nobody answers
     */
    Answer get(URI start, long from, @Nullable String validator) throws IOException, InterruptedException {
        URI address = start;
        long linkedSize = 0;
        String linkedSha256 = null;
        for (int hop = 0; hop <= MOST_REDIRECTIONS; hop++) {
            HttpRequest.Builder request = HttpRequest.newBuilder(address)
                    .timeout(patience)
                    .header("User-Agent", agent)
                    .header("Accept-Encoding", "identity");
            if (hub.token() != null && hub.owns(address)) {
                request.header("Authorization", "Bearer " + hub.token());
            }
            if (from > 0) {
                request.header("Range", "bytes=" + from + "-");
                if (validator != null) {
                    request.header("If-Range", validator);
                }
            }
            HttpResponse<InputStream> response =
                    client.send(request.build(), HttpResponse.BodyHandlers.ofInputStream());
            if (hub.owns(address)) {
                // https://huggingface.co/docs: the hub tells size and SHA-256 of a large file before it redirects.
                linkedSize =
                        response.headers().firstValueAsLong("X-Linked-Size").orElse(linkedSize);
                String tag = response.headers()
                        .firstValue("X-Linked-Etag")
                        .orElse("")
                        .replace("\"", "");
                linkedSha256 = tag.matches("[0-9a-f]{64}") ? tag : linkedSha256;
            }
            int status = response.statusCode();
            if (status < 301 || status > 308 || status == 304 || status == 305 || status == 306) {
                return new Answer(response, linkedSize, linkedSha256);
            }
            response.body().close();
            address = next(address, response.headers().firstValue("Location").orElse(""));
        }
        throw new DownloadException("%s redirects more than %d times".formatted(start, MOST_REDIRECTIONS));
    }

    private static URI next(URI from, String location) throws DownloadException {
        URI to;
        try {
            to = from.resolve(location);
        } catch (IllegalArgumentException e) {
            throw new DownloadException("%s redirects to no address".formatted(place(from)), e);
        }
        if (location.isEmpty() || !"https".equalsIgnoreCase(to.getScheme()) || to.getHost() == null) {
            throw new DownloadException("%s redirects to %s, which is not followed: expected https"
                    .formatted(place(from), location.isEmpty() ? "no address" : place(to)));
        }
        return to;
    }

    /** How an address is reached: {@code " through the proxy HOST:PORT"}, or nothing. */
    String way(URI address) {
        return client.proxy()
                .map(selector -> selector.select(address))
                .filter(proxies -> !proxies.isEmpty() && proxies.getFirst().address() instanceof InetSocketAddress)
                .map(proxies -> (InetSocketAddress) proxies.getFirst().address())
                .map(proxy -> " through the proxy %s:%d".formatted(proxy.getHostString(), proxy.getPort()))
                .orElse("");
    }

    /** Without the query, which may hold a signature. */
    private static String place(URI address) {
        return address.toString().replaceFirst("[?#].*$", "");
    }
}
