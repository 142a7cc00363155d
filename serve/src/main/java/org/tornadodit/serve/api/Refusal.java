package org.tornadodit.serve.api;

import com.google.gson.JsonObject;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.Printable;

/** Why a request is not done: a status and one line, in the form that OpenAI's errors have. Has no stack trace. */
@SuppressWarnings("serial") // never serialised
public final class Refusal extends RuntimeException {
    /** Characters of a message: what a client sent may be quoted in it. */
    private static final int LONGEST = 500;

    private final int status;
    private final @Nullable String param;
    private final String code;
    private final int retryAfter;

    private Refusal(int status, @Nullable String param, String code, String message, int retryAfter) {
        super(Printable.line(message, LONGEST), null, false, false);
        this.status = status;
        this.param = param;
        this.code = code;
        this.retryAfter = retryAfter;
    }

    /** @param code for programs, as {@code not_found} */
    public Refusal(int status, String code, String message) {
        this(status, null, code, message, 0);
    }

    /** Of a field of the body, or a parameter of the query. */
    public static Refusal of(String param, String code, String message) {
        return new Refusal(400, param, code, message, 0);
    }

    /** Of a field that is right by itself, but not with this model or the other fields. */
    public static Refusal unprocessable(String param, String code, String message) {
        return new Refusal(422, param, code, message, 0);
    }

    /** @param seconds after which it may be worth trying again */
    public static Refusal later(int status, String code, String message, int seconds) {
        return new Refusal(status, null, code, message, seconds);
    }

    public int status() {
        return status;
    }

    /** Seconds for Retry-After; 0 for none. */
    public int retryAfter() {
        return retryAfter;
    }

    public String code() {
        return code;
    }

    private String type() {
        return switch (status) {
            case 401 -> "authentication_error";
            case 429 -> "rate_limit_error";
            default -> status >= 500 ? "server_error" : "invalid_request_error";
        };
    }

    /** {@code {"message", "type", "param", "code"}}. */
    JsonObject error() {
        JsonObject error = new JsonObject();
        error.addProperty("message", getMessage());
        error.addProperty("type", type());
        error.addProperty("param", param);
        error.addProperty("code", code);
        return error;
    }

    /** The answer's body: one line. */
    public String json() {
        JsonObject body = new JsonObject();
        body.add("error", error());
        return Json.line(body);
    }
}
