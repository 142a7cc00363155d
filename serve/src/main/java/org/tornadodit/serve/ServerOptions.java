package org.tornadodit.serve;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * How a model is served. Immutable: each method returns options that differ in one thing.
 *
 * @param host address to listen on; others than loopback's need a token
 * @param port 0 for any that is free
 * @param token that requests have to bring; null for none
 * @param model name that requests may give
 * @param maxPictures of a request; 0 for 10, or as many as share a pass where they are more
 * @param maxWaiting requests that may wait while as many as share a pass are at work
 * @param timeout of a request, from its arrival to its last picture
 * @param patience for a request to be read, and for a part of an answer to be taken
 * @param grace for what is at work when the server is closed
 * @param maxConnections that are open at a time; others wait until one is closed
 * @param maxBody bytes of a request's body
 */
public record ServerOptions(
        String host,
        int port,
        @Nullable String token,
        String model,
        int maxPictures,
        int maxWaiting,
        Duration timeout,
        Duration patience,
        Duration grace,
        int maxConnections,
        int maxBody) {

    /** OpenAI's bound for n. */
    static final int PICTURES = 10;

    /** @throws IllegalArgumentException when one is out of range */
    public ServerOptions {
        if (port < 0 || port > 65535) {
            throw new IllegalArgumentException("port is %d, expected 0 to 65535".formatted(port));
        }
        if (token != null && !token.matches("[\\x21-\\x7e]{8,200}")) {
            throw new IllegalArgumentException("the token is to be 8 to 200 printable ASCII characters without blanks");
        }
        if (maxPictures < 0 || maxPictures > 4096) {
            throw new IllegalArgumentException("maxPictures is %d, expected 0 to 4096".formatted(maxPictures));
        }
        if (maxWaiting < 0 || maxWaiting > 100_000) {
            throw new IllegalArgumentException("maxWaiting is %d, expected 0 to 100000".formatted(maxWaiting));
        }
        if (timeout.toSeconds() < 1) {
            throw new IllegalArgumentException("timeout is %s, expected a second or more".formatted(timeout));
        }
        if (!patience.isPositive()) {
            throw new IllegalArgumentException("patience is %s, expected more than nothing".formatted(patience));
        }
        if (grace.isNegative()) {
            throw new IllegalArgumentException("grace is %s, expected none or more".formatted(grace));
        }
        if (maxConnections < 1) {
            throw new IllegalArgumentException("maxConnections is %d, expected 1 or more".formatted(maxConnections));
        }
        if (maxBody < 0) {
            throw new IllegalArgumentException("maxBody is %d, expected bytes".formatted(maxBody));
        }
    }

    /** @throws IllegalArgumentException when others can reach the host, and no token is asked for */
    public void requireSafe() {
        boolean loopback;
        try {
            loopback = InetAddress.getByName(host).isLoopbackAddress();
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("host \"%s\" is no address of this machine".formatted(host), e);
        }
        if (token == null && !loopback) {
            throw new IllegalArgumentException(
                    "host %s can be reached by others: a token is needed (--token, DIT_SERVE_TOKEN)".formatted(host));
        }
    }

    /** Port 8000 of this machine alone, no token, 64 requests that wait, ten minutes for each. */
    public static ServerOptions defaults() {
        return new ServerOptions(
                "127.0.0.1",
                8000,
                null,
                "dit",
                0,
                64,
                Duration.ofMinutes(10),
                Duration.ofSeconds(45),
                Duration.ofSeconds(30),
                1024,
                1 << 20);
    }

    /** @param host address to listen on */
    public ServerOptions host(String host) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param port 0 for any that is free */
    public ServerOptions port(int port) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param token that requests have to bring; null for none */
    public ServerOptions token(@Nullable String token) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param model name that requests may give */
    public ServerOptions model(String model) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param maxPictures of a request */
    public ServerOptions maxPictures(int maxPictures) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param maxWaiting requests that may wait */
    public ServerOptions maxWaiting(int maxWaiting) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param timeout of a request */
    public ServerOptions timeout(Duration timeout) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param patience with slow clients */
    public ServerOptions patience(Duration patience) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param grace for what is at work when the server is closed */
    public ServerOptions grace(Duration grace) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param maxConnections that are open at a time */
    public ServerOptions maxConnections(int maxConnections) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }

    /** @param maxBody bytes of a request's body */
    public ServerOptions maxBody(int maxBody) {
        return new ServerOptions(
                host, port, token, model, maxPictures, maxWaiting, timeout, patience, grace, maxConnections, maxBody);
    }
}
