package org.tornadodit.serve.http;

import java.security.MessageDigest;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import org.eclipse.jetty.http.HttpHeader;
import org.jspecify.annotations.Nullable;
import org.tornadodit.model.io.file.Sha256;
import org.tornadodit.serve.api.Refusal;

/**
 * Who may ask. With a token, whoever sends it. Without, whoever is on this machine, and calls it by a name of loopback: a page of
 * another site whose name was made to lead here does not.
 */
final class Gate {
    private static final Set<String> LOOPBACK = Set.of("localhost", "[::1]", "::1");
    private static final Pattern LOOPBACK_V4 = Pattern.compile("127(\\.[0-9]{1,3}){3}");
    private static final String SCHEME = "bearer ";

    /** A digest: all are of one length, so that the time of a comparison tells nothing of the token's. */
    private final byte @Nullable [] token;

    private final String ownName;

    /** @param host that the server was told to listen on, by which it may be called too */
    Gate(@Nullable String token, String host) {
        this.ownName = host.toLowerCase(Locale.ROOT);
        this.token = token == null ? null : Sha256.of(token);
    }

    /** @throws Refusal when another host is meant */
    void requireHost(Exchange exchange) {
        if (token != null) {
            return;
        }
        String host = exchange.header(HttpHeader.HOST);
        String name = host == null ? "" : host.replaceFirst(":[0-9]*$", "").toLowerCase(Locale.ROOT);
        if (!LOOPBACK.contains(name) && !LOOPBACK_V4.matcher(name).matches() && !name.equals(ownName)) {
            throw new Refusal(
                    403,
                    "wrong_host",
                    "the Host header names neither a loopback address nor this server: it answers its machine only");
        }
    }

    /** @throws Refusal when the token is not the server's */
    void requireToken(Exchange exchange) {
        if (token == null) {
            return;
        }
        String sent = exchange.header(HttpHeader.AUTHORIZATION);
        boolean bearer = sent != null && sent.regionMatches(true, 0, SCHEME, 0, SCHEME.length());
        String given = bearer && sent != null ? sent.substring(SCHEME.length()).strip() : "";
        if (!MessageDigest.isEqual(token, Sha256.of(given))) {
            exchange.setHeader(HttpHeader.WWW_AUTHENTICATE, "Bearer");
            throw new Refusal(
                    401,
                    "invalid_api_key",
                    bearer
                            ? "the token is not this server's"
                            : "this server wants its token: Authorization: Bearer TOKEN");
        }
    }
}
