package org.tornadodit.serve.http;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import org.eclipse.jetty.http.HttpHeader;
import org.eclipse.jetty.http.HttpStatus;
import org.eclipse.jetty.server.Request;
import org.eclipse.jetty.server.Response;
import org.eclipse.jetty.server.handler.ErrorHandler;
import org.eclipse.jetty.util.Callback;
import org.tornadodit.serve.api.Refusal;

/** Answers what HTTP itself forbids, before there is a route: one line too, which repeats nothing of the request. */
final class HttpErrors extends ErrorHandler {
    private static byte[] line(int status) {
        String reason = HttpStatus.getMessage(status);
        return (new Refusal(status, status == 408 ? "request_timeout" : "bad_request", reason).json() + "\n")
                .getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public boolean handle(Request request, Response response, Callback callback) {
        response.getHeaders().put(HttpHeader.CONTENT_TYPE, "application/json");
        response.write(true, ByteBuffer.wrap(line(response.getStatus())), callback);
        return true;
    }
}
