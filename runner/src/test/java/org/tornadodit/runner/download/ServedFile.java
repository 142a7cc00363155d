package org.tornadodit.runner.download;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A file as servers of weights serve it: with an ETag and ranges, unless told otherwise. */
final class ServedFile implements WeightsServer.Handler {
    private final byte[] content;
    private @Nullable String tag;
    private boolean ranges = true;
    /** Bytes after which an answer breaks off, one for each request to come. */
    private final Deque<Integer> drops = new ArrayDeque<>();

    ServedFile(byte[] content, @Nullable String tag) {
        this.content = content;
        this.tag = tag;
    }

    ServedFile withoutRanges() {
        ranges = false;
        return this;
    }

    ServedFile dropping(Integer... after) {
        drops.addAll(List.of(after));
        return this;
    }

    @Override
    public void answer(HttpExchange exchange) throws IOException {
        String range = exchange.getRequestHeaders().getFirst("Range");
        String condition = exchange.getRequestHeaders().getFirst("If-Range");
        int from = 0;
        if (ranges && range != null && (condition == null || condition.equals(tag))) {
            from = Integer.parseInt(range.replaceAll("bytes=(\\d+)-", "$1"));
        }
        if (tag != null) {
            exchange.getResponseHeaders().set("ETag", tag);
        }
        if (from >= content.length) {
            exchange.getResponseHeaders().set("Content-Range", "bytes */" + content.length);
            exchange.sendResponseHeaders(416, -1);
            return;
        }
        int length = content.length - from;
        if (from > 0) {
            exchange.getResponseHeaders()
                    .set("Content-Range", "bytes %d-%d/%d".formatted(from, content.length - 1, content.length));
        }
        exchange.sendResponseHeaders(from > 0 ? 206 : 200, length);
        Integer drop = drops.poll();
        OutputStream body = exchange.getResponseBody();
        body.write(content, from, drop == null ? length : Math.min(length, drop));
        body.flush();
    }
}
