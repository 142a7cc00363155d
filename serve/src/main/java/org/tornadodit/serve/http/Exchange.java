package org.tornadodit.serve.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.OptionalInt;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.io.Connection;
import org.eclipse.jetty.io.Content;
import org.eclipse.jetty.io.EndPoint;
import org.eclipse.jetty.io.SelectableChannelEndPoint;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.util.Fields;
import org.eclipse.jetty.util.UrlEncoded;
import org.jspecify.annotations.Nullable;
import org.tornadodit.serve.api.Refusal;

/** A request and its answer. Everything blocks; the thread is a virtual one of its own. */
final class Exchange {
    /** Bytes of a body that are read to no avail, so that whoever sends them reads the answer; beyond, the connection is closed. */
    private static final long MOST_DISCARDED = 32L << 20;

    /** Bytes of an answer that have the client's whole patience for themselves: 6 KB a second with the default. */
    private static final int PART = 1 << 18;

    /** What is read of a connection to see whether it is open; what is in it is not looked at. */
    private static final int LOOK = 1 << 10;

    /** The status, in counts alone, of a request whose client went. */
    private static final int CLOSED = 499;

    private final Request request;
    private final Response response;
    private final ConnectionWatch watch;
    private final Connection connection;
    private int status;
    private boolean begun;
    private boolean sentMore;

    Exchange(Request request, Response response, ConnectionWatch watch) {
        this.request = request;
        this.response = response;
        this.watch = watch;
        this.connection = request.getConnectionMetaData().getConnection();
    }

    String method() {
        return request.getMethod();
    }

    /** Decoded, without a query; never null. */
    String path() {
        String path = Request.getPathInContext(request);
        return path == null ? "" : path;
    }

    @Nullable
    String header(HttpHeader name) {
        return request.getHeaders().get(name);
    }

    /** @return empty where there is no such parameter */
    String query(String name) {
        String query = request.getHttpURI().getQuery();
        if (query == null) {
            return "";
        }
        Fields fields = new Fields();
        try {
            UrlEncoded.decodeUtf8To(query, fields);
        } catch (IllegalArgumentException e) {
            throw new Refusal(400, "out_of_range", "the query is not encoded as it should be");
        }
        String value = fields.getValue(name);
        return value == null ? "" : value;
    }

    /** @throws Refusal when it is no number from least to most */
    int query(String name, int least, int most, int unasked) {
        String text = query(name);
        if (text.isEmpty()) {
            return unasked;
        }
        OptionalInt number = text.matches("[0-9]{1,9}") ? OptionalInt.of(Integer.parseInt(text)) : OptionalInt.empty();
        if (number.isEmpty() || number.getAsInt() < least || number.getAsInt() > most) {
            throw Refusal.of(
                    name,
                    "out_of_range",
                    "%s is \"%s\", expected %d to %d"
                            .formatted(name, text.length() > 30 ? text.substring(0, 30) + "..." : text, least, most));
        }
        return number.getAsInt();
    }

    /**
     * The whole body.
     *
     * @throws Refusal when it is longer than so many bytes
     */
    byte[] body(int most) throws IOException {
        long told = request.getLength(); // a promise: memory is for what comes
        if (told > most) {
            throw tooLarge(most);
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream((int) Math.clamp(told, 0, 1 << 13));
        byte[] buffer = new byte[1 << 13];
        InputStream in = Content.Source.asInputStream(request);
        for (int count = in.read(buffer); count >= 0; count = in.read(buffer)) {
            if (bytes.size() + count > most) {
                throw tooLarge(most);
            }
            bytes.write(buffer, 0, count);
        }
        watch.works(connection);
        return bytes.toByteArray();
    }

    private static Refusal tooLarge(int most) {
        return new Refusal(413, "body_too_large", "the body is larger than %d bytes".formatted(most));
    }

    /** A client that waits for leave to send its body has not begun to. */
    private void discardBody() throws IOException {
        if (header(HttpHeader.EXPECT) != null) {
            return;
        }
        InputStream in = Content.Source.asInputStream(request);
        byte[] buffer = new byte[1 << 13];
        long all = 0;
        for (int count = in.read(buffer); count >= 0 && all < MOST_DISCARDED; count = in.read(buffer)) {
            all += count;
        }
    }

    void setHeader(HttpHeader name, String value) {
        response.getHeaders().put(name, value);
    }

    void setHeader(String name, String value) {
        response.getHeaders().put(name, value);
    }

    /** Answers with a whole body. */
    void answer(int code, String type, byte[] body) throws IOException {
        status = code;
        begun = true;
        if (sentMore) {
            setHeader(HttpHeader.CONNECTION, "close");
        }
        response.setStatus(code);
        setHeader(HttpHeader.CONTENT_TYPE, type);
        setHeader(HttpHeader.CONTENT_LENGTH, String.valueOf(body.length));
        write(body, true);
    }

    void answerJson(int code, String line) throws IOException {
        answer(code, "application/json", (line + "\n").getBytes(StandardCharsets.UTF_8));
    }

    void answerNotModified() throws IOException {
        status = 304;
        begun = true;
        response.setStatus(304);
        write(new byte[0], true);
    }

    void refuse(Refusal refusal) throws IOException {
        if (refusal.retryAfter() > 0) {
            setHeader(HttpHeader.RETRY_AFTER, String.valueOf(refusal.retryAfter()));
        }
        discardBody();
        answerJson(refusal.status(), refusal.json());
    }

    /** Begins an answer whose parts {@link #send} adds; the connection ends with it. */
    void beginStream(String type) throws IOException {
        status = 200;
        begun = true;
        response.setStatus(200);
        setHeader(HttpHeader.CONTENT_TYPE, type);
        setHeader(HttpHeader.CACHE_CONTROL, "no-store");
        setHeader(HttpHeader.CONNECTION, "close");
        setHeader("X-Accel-Buffering", "no");
    }

    void send(String text, boolean last) throws IOException {
        write(text.getBytes(StandardCharsets.UTF_8), last);
    }

    private void write(byte[] bytes, boolean last) throws IOException {
        int from = 0;
        do { // an empty answer has a part too
            int count = Math.min(PART, bytes.length - from);
            ByteBuffer part = ByteBuffer.wrap(bytes, from, count);
            from += count;
            watch.awaits(connection);
            Content.Sink.write(response, last && from == bytes.length, part);
        } while (from < bytes.length);
        watch.works(connection);
    }

    /**
     * Whether the client has closed its side. Between a request that is read and its answer nobody else reads the connection; what
     * a client sends meanwhile, an empty line or a request too early, is passed over, and the connection is closed after the answer.
     */
    boolean isGone() {
        EndPoint endPoint = connection.getEndPoint();
        if (!endPoint.isOpen()) {
            return true;
        }
        if (!(endPoint instanceof SelectableChannelEndPoint selectable)
                || !(selectable.getChannel() instanceof SocketChannel channel)) {
            return false;
        }
        try {
            int count = channel.read(ByteBuffer.allocate(LOOK)); // once: what is sent on and on waits in the network
            sentMore |= count > 0;
            return count < 0;
        } catch (IOException e) { // reset
            return true;
        }
    }

    /** The headers have come: the body has as long again. */
    void awaitsBody() {
        watch.awaits(connection);
    }

    /** Nobody is there to be answered. */
    void abandon() {
        status = CLOSED;
        connection.getEndPoint().close();
    }

    /** The connection may bring another request. */
    void ended() {
        watch.awaits(connection);
    }

    /** Whether a status has been sent. */
    boolean begun() {
        return begun;
    }

    /** The answer's; 499 where the client went before it had all. */
    int status() {
        return status;
    }
}
