package org.tornadodit.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.EofException;
import org.eclipse.jetty.server.Handler;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Callback;
import org.jspecify.annotations.Nullable;
import org.tornadodit.serve.api.Answers;
import org.tornadodit.serve.api.GenerationBody;
import org.tornadodit.serve.api.Generations;
import org.tornadodit.serve.api.Metrics;
import org.tornadodit.serve.api.Refusal;
import org.tornadodit.serve.api.ServedModel;

/** Finds the route of a request, and answers it, or says in one line why not. */
public final class Api extends Handler.Abstract {
    private static final Logger LOG = System.getLogger("dit");

    private static final String POLICY = "default-src 'none'; script-src 'self'; style-src 'self';"
            + " img-src 'self' data: blob:; connect-src 'self'; base-uri 'none'; form-action 'none';"
            + " frame-ancestors 'none'";

    private static final String PAGE = "page";
    private static final String NONE = "none";

    private final ServedModel model;
    private final Generations generations;
    private final Metrics metrics;
    private final ConnectionWatch watch;
    private final Gate gate;
    private final int mostBody;
    private final Pages pages = new Pages();
    /** Requests that are not answered yet. */
    private final AtomicInteger unanswered = new AtomicInteger();

    private final byte[] openApi = resource("/org/tornadodit/serve/openapi.json");
    private final List<Route> routes = List.of(
            new Route("POST", "/v1/images/generations", false, this::generate),
            new Route("GET", "/v1/models", false, this::models),
            new Route("GET", "/v1/models/{id}", false, this::oneModel),
            new Route("GET", "/v1/classes", false, this::classes),
            new Route("GET", "/health", true, this::health),
            new Route("GET", "/metrics", false, this::metrics),
            new Route("GET", "/openapi.json", true, this::document));

    /**
     * @param token that is asked for; null for none
     * @param host that the server listens on
     * @param mostBody bytes of a request's body
     */
    Api(
            ServedModel model,
            Generations generations,
            Metrics metrics,
            ConnectionWatch watch,
            @Nullable String token,
            String host,
            int mostBody) {
        this.model = model;
        this.generations = generations;
        this.metrics = metrics;
        this.watch = watch;
        this.gate = new Gate(token, host);
        this.mostBody = mostBody;
    }

    /** All but the page's files. */
    List<Route> routes() {
        return routes;
    }

    private static byte[] resource(String name) {
        try (InputStream in = Objects.requireNonNull(Api.class.getResourceAsStream(name), name)) {
            return in.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(name, e);
        }
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        Exchange exchange = new Exchange(request, response, watch);
        exchange.setHeader("Content-Security-Policy", POLICY);
        exchange.setHeader("X-Content-Type-Options", "nosniff");
        exchange.setHeader("Referrer-Policy", "no-referrer");
        exchange.awaitsBody();
        unanswered.incrementAndGet();
        String[] route = {NONE};
        try {
            answer(exchange, route);
            callback.succeeded();
        } catch (IOException gone) {
            exchange.abandon();
            callback.failed(new EofException(gone)); // which Jetty does not report
        } finally {
            metrics.answered(route[0], exchange.status());
            exchange.ended();
            unanswered.decrementAndGet();
        }
        return true;
    }

    /** Requests that are not answered yet. */
    int unanswered() {
        return unanswered.get();
    }

    private void answer(Exchange exchange, String[] taken) throws IOException {
        try {
            dispatch(exchange, taken);
        } catch (Refusal refusal) {
            exchange.refuse(refusal);
        } catch (CancellationException stopped) {
            exchange.refuse(Refusal.later(503, "stopping", "the server is stopping", 1));
        } catch (RuntimeException | Error failure) {
            LOG.log(Level.WARNING, "%s %s: %s".formatted(exchange.method(), exchange.path(), failure));
            LOG.log(Level.DEBUG, "where", failure);
            if (exchange.begun()) {
                throw new IOException("failed after the answer began", failure);
            }
            exchange.refuse(new Refusal(500, "failed", "the server failed; its log tells more"));
        }
    }

    private void dispatch(Exchange exchange, String[] taken) throws IOException {
        gate.requireHost(exchange);
        String path = exchange.path();
        List<Route> there = routes.stream().filter(route -> route.matches(path)).toList();
        if (there.isEmpty()) {
            answerPage(exchange, taken);
            return;
        }
        Route route = there.stream()
                .filter(one -> one.takes(exchange.method()))
                .findFirst()
                .orElse(null);
        if (route == null) {
            throw wrongMethod(exchange, there.stream().map(Route::method).collect(Collectors.joining(", ")));
        }
        taken[0] = route.path();
        if (!route.open()) {
            gate.requireToken(exchange);
        }
        route.action().answer(exchange);
    }

    private void answerPage(Exchange exchange, String[] taken) throws IOException {
        boolean reads = exchange.method().equals("GET") || exchange.method().equals("HEAD");
        if (reads && pages.answer(exchange)) {
            taken[0] = PAGE;
            return;
        }
        if (!reads && exchange.path().equals("/")) {
            throw wrongMethod(exchange, "GET");
        }
        throw new Refusal(404, "not_found", "there is nothing at this address; see /openapi.json");
    }

    private static Refusal wrongMethod(Exchange exchange, String allowed) {
        exchange.setHeader(HttpHeader.ALLOW, allowed);
        return new Refusal(405, "method_not_allowed", "expected " + allowed);
    }

    private void generate(Exchange exchange) throws IOException {
        String type = String.valueOf(exchange.header(HttpHeader.CONTENT_TYPE)).toLowerCase(Locale.ROOT);
        if (!type.split(";", 2)[0].strip().equals("application/json")) {
            throw new Refusal(415, "wrong_content_type", "expected Content-Type: application/json");
        }
        GenerationBody body = GenerationBody.parse(exchange.body(mostBody), model);
        new GenerationAnswer(exchange, generations.begin(body), generations, new Answers(model, body)).run();
    }

    private void models(Exchange exchange) throws IOException {
        exchange.answerJson(200, model.modelsJson());
    }

    private void oneModel(Exchange exchange) throws IOException {
        exchange.answerJson(200, model.modelJson(exchange.path().substring("/v1/models/".length())));
    }

    private void classes(Exchange exchange) throws IOException {
        String word = exchange.query("q");
        int limit = exchange.query("limit", 1, ServedModel.MOST_CLASSES, ServedModel.MOST_CLASSES);
        int offset = exchange.query("offset", 0, 999_999_999, 0);
        exchange.answerJson(200, model.classesJson(word, offset, limit));
    }

    private void health(Exchange exchange) throws IOException {
        boolean stopping = generations.isStopping();
        exchange.answerJson(
                stopping ? 503 : 200,
                "{\"status\":\"%s\",\"running\":%d,\"waiting\":%d}"
                        .formatted(stopping ? "stopping" : "ok", generations.running(), generations.waiting()));
    }

    private void metrics(Exchange exchange) throws IOException {
        exchange.answer(200, Metrics.CONTENT_TYPE, metrics.text());
    }

    private void document(Exchange exchange) throws IOException {
        exchange.answer(200, "application/json", openApi);
    }
}
