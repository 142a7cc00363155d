package org.tornadodit.serve;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicBoolean;
import org.tornadodit.pipeline.DitPipeline;
import org.tornadodit.serve.api.Generations;
import org.tornadodit.serve.api.Metrics;
import org.tornadodit.serve.api.ServedModel;
import org.tornadodit.serve.http.HttpServer;

/**
 * Serves a model over HTTP: OpenAI's images API, the same as server-sent events, metrics, and a page; see docs/serving.md. Requests
 * share passes of the model as {@link DitPipeline} has it.
 */
public final class DitServer implements AutoCloseable {
    private final ServerOptions options;
    private final Generations generations;
    private final HttpServer http;
    private final AtomicBoolean closed = new AtomicBoolean();

    private DitServer(ServerOptions options, Generations generations, HttpServer http) {
        this.options = options;
        this.generations = generations;
        this.http = http;
    }

    /**
     * Begins to serve.
     *
     * @param pipeline is not closed with the server; opened without a bound of its own on who waits
     * @throws IllegalArgumentException when the host is not loopback's and there is no token
     * @throws IOException when the address cannot be listened on
     */
    public static DitServer start(DitPipeline pipeline, ServerOptions options) throws IOException {
        options.requireSafe();
        int pictures = options.maxPictures() != 0
                ? options.maxPictures()
                : Math.max(ServerOptions.PICTURES, pipeline.maxBatch());
        ServedModel model = new ServedModel(
                pipeline,
                options.model(),
                pictures,
                options.maxWaiting(),
                options.timeout().toSeconds(),
                Instant.now().getEpochSecond());
        Metrics metrics = new Metrics();
        Generations generations = new Generations(model, metrics);
        HttpServer http = HttpServer.start(
                new HttpServer.Address(options.host(), options.port(), options.maxConnections()),
                model,
                generations,
                metrics,
                new HttpServer.Limits(options.token(), options.patience(), options.maxBody()));
        return new DitServer(options, generations, http);
    }

    /**
     * Says early what {@link #start} would say when the model is loaded.
     *
     * @throws IOException when the address cannot be listened on
     */
    public static void requireFree(ServerOptions options) throws IOException {
        try (ServerSocket socket = new ServerSocket()) {
            socket.setReuseAddress(true);
            socket.bind(new InetSocketAddress(options.host(), options.port()));
        } catch (IOException e) {
            throw new IOException(
                    "port %d of %s cannot be listened on: %s".formatted(options.port(), options.host(), e.getMessage()),
                    e);
        }
    }

    /** Where it listens, as {@code http://127.0.0.1:8000}. */
    public URI uri() {
        String host = options.host().contains(":") ? "[" + options.host() + "]" : options.host();
        return URI.create("http://%s:%d".formatted(host, http.port()));
    }

    /** Requests that are here, those that wait included. */
    public int active() {
        return generations.running() + generations.waiting();
    }

    /**
     * Refuses new requests from now on, waits for those that are here, as long as {@link ServerOptions#grace}, cancels what is left,
     * and stops listening. Closing twice does nothing.
     */
    @Override
    public void close() {
        if (closed.getAndSet(true)) {
            return;
        }
        try {
            generations.drain(options.grace());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            http.close();
        }
    }
}
