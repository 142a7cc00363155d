package org.tornadodit.serve.http;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.HexFormat;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.eclipse.jetty.http.HttpHeader;
import org.tornadodit.model.io.file.Sha256;

/** The page's files: those of one flat folder among the classes, by name. */
final class Pages {
    private static final String FOLDER = "/org/tornadodit/serve/page";

    /** A name that leads nowhere else, of a kind that the page is made of. */
    private static final String NAME = "/[a-z0-9][a-z0-9-]{0,40}\\.(html|js|css|svg|png|ico|json|webmanifest)";

    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml",
            "png", "image/png",
            "ico", "image/x-icon",
            "json", "application/json",
            "webmanifest", "application/manifest+json");

    private record Page(byte[] bytes, String type, String tag) {}

    /** Those that there are and that were asked for. */
    private final Map<String, Page> pages = new ConcurrentHashMap<>();

    /** Answers where there is such a file. */
    boolean answer(Exchange exchange) throws IOException {
        Optional<Page> found = find(exchange.path().equals("/") ? "/index.html" : exchange.path());
        if (found.isEmpty()) {
            return false;
        }
        Page page = found.get();
        exchange.setHeader(HttpHeader.ETAG, page.tag());
        exchange.setHeader(HttpHeader.CACHE_CONTROL, "no-cache");
        if (page.tag().equals(exchange.header(HttpHeader.IF_NONE_MATCH))) {
            exchange.answerNotModified();
        } else {
            exchange.answer(200, page.type(), page.bytes());
        }
        return true;
    }

    private Optional<Page> find(String path) {
        if (!path.matches(NAME)) {
            return Optional.empty();
        }
        Page known = pages.get(path);
        if (known != null) {
            return Optional.of(known);
        }
        try (InputStream in = Pages.class.getResourceAsStream(FOLDER + path)) {
            if (in == null) {
                return Optional.empty();
            }
            byte[] bytes = in.readAllBytes();
            String type = TYPES.getOrDefault(path.substring(path.lastIndexOf('.') + 1), "application/octet-stream");
            Page page = new Page(bytes, type, tag(bytes));
            pages.put(path, page);
            return Optional.of(page);
        } catch (IOException e) {
            throw new UncheckedIOException("the page's " + path, e);
        }
    }

    private static String tag(byte[] bytes) {
        return '"' + HexFormat.of().formatHex(Sha256.digest().digest(bytes), 0, 8) + '"';
    }
}
