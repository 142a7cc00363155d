package org.tornadodit.serve.http;

import java.io.IOException;
import java.time.Duration;
import java.util.logging.Level;
import java.util.logging.Logger;
import org.eclipse.jetty.server.HttpConfiguration;
import org.eclipse.jetty.server.HttpConnectionFactory;
import org.eclipse.jetty.server.NetworkConnectionLimit;
import org.eclipse.jetty.server.Server;
import org.eclipse.jetty.server.ServerConnector;
import org.eclipse.jetty.util.VirtualThreads;
import org.eclipse.jetty.util.thread.QueuedThreadPool;
import org.jspecify.annotations.Nullable;
import org.tornadodit.serve.api.Generations;
import org.tornadodit.serve.api.Metrics;
import org.tornadodit.serve.api.ServedModel;

/** Jetty, set up: HTTP/1.1, a virtual thread for each request, bounds on all that a client may send or leave. */
public final class HttpServer implements AutoCloseable {
    private static final int HEADER_BYTES = 1 << 13;

    /** Requests that the system holds before they are accepted. */
    private static final int BACKLOG = 512;

    /** Bytes of an answer that the system holds for a connection; by itself it takes megabytes, and tells of none until many are gone. */
    private static final int SEND_BUFFER = 1 << 18;

    /** Threads that look after sockets; requests have virtual ones. */
    private static final int MOST_THREADS = 16;

    /** Jetty tells of its start and stop otherwise; held here, for the logging forgets loggers that nobody holds. */
    private static final Logger JETTY = Logger.getLogger("org.eclipse.jetty");

    static {
        if (JETTY.getLevel() == null) {
            JETTY.setLevel(Level.WARNING);
        }
    }

    /**
     * Where to listen.
     *
     * @param port 0 for any
     * @param connections that are open at a time
     */
    public record Address(String host, int port, int connections) {}

    /**
     * What clients have to keep to.
     *
     * @param token null for none
     * @param patience for a request to be read, and for a part of an answer to be taken
     * @param body bytes
     */
    public record Limits(@Nullable String token, Duration patience, int body) {}

    /** For answers that are being written when the server is closed. */
    private static final Duration LAST_ANSWERS = Duration.ofSeconds(5);

    private final Server server;
    private final ServerConnector connector;
    private final Api api;
    private final ConnectionWatch watch;

    private HttpServer(Server server, ServerConnector connector, Api api, ConnectionWatch watch) {
        this.server = server;
        this.connector = connector;
        this.api = api;
        this.watch = watch;
    }

    /** @throws IOException when the address cannot be listened on */
    public static HttpServer start(
            Address address, ServedModel model, Generations generations, Metrics metrics, Limits limits)
            throws IOException {
        QueuedThreadPool threads = new QueuedThreadPool(MOST_THREADS);
        threads.setName("dit-http");
        threads.setDaemon(true);
        threads.setVirtualThreadsExecutor(VirtualThreads.getNamedVirtualThreadsExecutor("dit-request-"));
        Server server = new Server(threads);
        ServerConnector connector = new ServerConnector(server, 1, 1, new HttpConnectionFactory(configuration()));
        connector.setHost(address.host());
        connector.setPort(address.port());
        connector.setAcceptQueueSize(BACKLOG);
        connector.setAcceptedSendBufferSize(SEND_BUFFER);
        connector.setIdleTimeout(0); // the watch's
        server.addConnector(connector);
        server.addBean(new NetworkConnectionLimit(address.connections(), server));
        ConnectionWatch watch = new ConnectionWatch(limits.patience());
        connector.addBean(watch);
        metrics.gauge("dit_connections", "Connections that are open.", watch::open);
        server.setErrorHandler(new HttpErrors());
        Api api = new Api(model, generations, metrics, watch, limits.token(), address.host(), limits.body());
        server.setHandler(api);
        server.setStopTimeout(0);
        try {
            server.start();
        } catch (IOException e) {
            stop(server);
            throw new IOException("port %d of %s cannot be listened on: %s"
                    .formatted(address.port(), address.host(), rootOf(e).getMessage()));
        } catch (Exception e) {
            stop(server);
            throw new IOException("the server does not start: " + e.getMessage(), e);
        }
        watch.start();
        return new HttpServer(server, connector, api, watch);
    }

    private static HttpConfiguration configuration() {
        HttpConfiguration http = new HttpConfiguration();
        http.setSendServerVersion(false);
        http.setRequestHeaderSize(HEADER_BYTES);
        return http;
    }

    private static Throwable rootOf(Throwable error) {
        Throwable root = error;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    private static void stop(Server server) {
        try {
            server.stop();
        } catch (Exception e) {
            System.getLogger("dit").log(System.Logger.Level.WARNING, "the server does not stop: " + e);
        }
    }

    /** The port that it listens on. */
    public int port() {
        return connector.getLocalPort();
    }

    /** Waits for answers that are being written, a few seconds; closes all connections and stops listening. */
    @Override
    public void close() {
        long end = System.nanoTime() + LAST_ANSWERS.toNanos();
        try {
            while (api.unanswered() > 0 && System.nanoTime() < end) {
                Thread.sleep(5);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        stop(server);
        watch.close();
    }
}
