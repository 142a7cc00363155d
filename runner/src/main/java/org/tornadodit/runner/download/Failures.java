package org.tornadodit.runner.download;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertPathValidatorException;
import java.security.cert.CertificateException;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** Failures of the network in words. */
final class Failures {
    private Failures() {}

    /** Whether trying again is of no use. */
    static boolean isLasting(IOException e) {
        return hasCause(e, CertificateException.class)
                || hasCause(e, CertPathValidatorException.class)
                || String.valueOf(e.getMessage()).contains("authentication attempts");
    }

    /**
     * One line on why nothing came from the address.
     *
     * @param way to it, as {@link Web#way} tells it
     */
    static String words(URI address, String way, IOException e) {
        String host = address.getHost();
        if (isLasting(e)) {
            return String.valueOf(e.getMessage()).contains("authentication attempts")
                    ? words(address, 407)
                    : ("the certificate of %s is not trusted (%s); where a proxy inspects traffic, name a trust store"
                                    + " with DIT_JVM_OPTS=-Djavax.net.ssl.trustStore=FILE")
                            .formatted(host, innermost(e));
        }
        if (hasCause(e, UnresolvedAddressException.class) || hasCause(e, UnknownHostException.class)) {
            return "%s is not found%s: is there a network?%s".formatted(host, way, hint(way));
        }
        if (e instanceof HttpConnectTimeoutException || hasCause(e, ConnectException.class)) {
            return "no connection to %s%s: is there a network?%s".formatted(host, way, hint(way));
        }
        if (e instanceof HttpTimeoutException) {
            return "%s does not answer".formatted(host);
        }
        String kind = hasCause(e, SSLException.class) ? "the encrypted connection" : "the connection";
        return "%s to %s broke off (%s)".formatted(kind, host, innermost(e));
    }

    private static String hint(String way) {
        return way.isEmpty() ? " Behind a proxy, set https_proxy" : "";
    }

    /** Whether not even a connection came about. */
    static boolean isUnreachable(IOException e) {
        return hasCause(e, UnresolvedAddressException.class)
                || hasCause(e, UnknownHostException.class)
                || hasCause(e, ConnectException.class)
                || e instanceof HttpConnectTimeoutException;
    }

    /** One line on an answer that is no file. */
    static String words(URI address, int status) {
        return switch (status) {
            case 401, 403 ->
                ("%s refuses access (%d); a token of a Hugging Face account that may read it goes into HF_TOKEN;"
                                + " from Meta's server this may also mean that the address has moved")
                        .formatted(address, status);
            case 404, 410 ->
                "%s does not exist any more (%d); --help says where else the weights are".formatted(address, status);
            case 407 ->
                ("the proxy on the way to %s wants a name and a password: give them as"
                                + " https_proxy=http://user:password@host:port")
                        .formatted(address.getHost());
            case 429 -> "%s asks for fewer requests (429); try again later".formatted(address.getHost());
            default -> "%s answers %d".formatted(address, status);
        };
    }

    private static boolean hasCause(Throwable e, Class<? extends Throwable> kind) {
        for (@Nullable Throwable at = e; at != null; at = at.getCause()) {
            if (kind.isInstance(at)) {
                return true;
            }
        }
        return false;
    }

    private static String innermost(Throwable e) {
        Throwable at = e;
        while (at.getCause() != null) {
            at = at.getCause();
        }
        return at.getMessage() == null ? at.getClass().getSimpleName() : at.getMessage();
    }
}
