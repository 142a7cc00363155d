package org.tornadodit.runner.download;

import java.io.IOException;
import java.net.Authenticator;
import java.net.InetSocketAddress;
import java.net.PasswordAuthentication;
import java.net.Proxy;
import java.net.ProxySelector;
import java.net.SocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import org.jspecify.annotations.Nullable;

/**
 * Which proxy leads to a host: Java's system properties ({@code https.proxyHost}, {@code https.proxyPort},
 * {@code http.nonProxyHosts}, {@code https.proxyUser}, {@code https.proxyPassword}) where they name one, else the
 * environment's {@code https_proxy}, {@code all_proxy} and {@code no_proxy}, in small or capital letters.
 *
 * @param selector for the client
 * @param authenticator answers the proxy alone; null where no name and password are given
 */
record Proxies(ProxySelector selector, @Nullable Authenticator authenticator) {

    /** @throws DownloadException when the environment names a proxy that cannot be used */
    static Proxies of(Map<String, String> environment, Properties system) throws DownloadException {
        String host = system.getProperty("https.proxyHost", "");
        if (!host.isBlank()) {
            String user = system.getProperty("https.proxyUser", system.getProperty("http.proxyUser"));
            String password = system.getProperty("https.proxyPassword", system.getProperty("http.proxyPassword", ""));
            return new Proxies(ProxySelector.getDefault(), user == null ? null : new Credentials(host, user, password));
        }
        for (String variable : List.of("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY")) {
            String value = environment.getOrDefault(variable, "").strip();
            if (!value.isEmpty()) {
                String not = environment.getOrDefault("no_proxy", environment.getOrDefault("NO_PROXY", ""));
                return parse(variable, value, not);
            }
        }
        return new Proxies(ProxySelector.getDefault(), null);
    }

    /** Not by java.net.URI: passwords may hold any character. */
    private static Proxies parse(String variable, String value, String exceptions) throws DownloadException {
        int scheme = value.indexOf("://");
        String kind = scheme < 0 ? "http" : value.substring(0, scheme).toLowerCase(Locale.ROOT);
        String rest = value.substring(scheme < 0 ? 0 : scheme + 3);
        int at = rest.lastIndexOf('@');
        String place = rest.substring(at + 1).replaceFirst("/.*$", "");
        if (!kind.equals("http")) {
            throw new DownloadException(
                    "%s names a proxy of the kind %s (%s), expected http://[user:password@]host:port"
                            .formatted(variable, kind, place));
        }
        int colon = place.lastIndexOf(':');
        boolean hasPort = colon > place.lastIndexOf(']');
        String host = (hasPort ? place.substring(0, colon) : place).replaceAll("[\\[\\]]", "");
        int port;
        try {
            port = hasPort ? Integer.parseInt(place.substring(colon + 1)) : 80;
        } catch (NumberFormatException e) {
            port = -1;
        }
        if (host.isEmpty() || port < 1 || port > 65535) {
            throw new DownloadException(
                    "%s names no proxy (%s), expected http://[user:password@]host:port".formatted(variable, place));
        }
        Credentials credentials = null;
        if (at >= 0) {
            String[] words = rest.substring(0, at).split(":", 2);
            credentials = new Credentials(host, decoded(words[0]), words.length == 2 ? decoded(words[1]) : "");
        }
        return new Proxies(new OneProxy(host, port, List.of(exceptions.split("[,\\s]+"))), credentials);
    }

    private static String decoded(String text) {
        try {
            return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
        } catch (IllegalArgumentException notEncoded) {
            return text;
        }
    }

    /** One proxy for all hosts but a few. */
    private static final class OneProxy extends ProxySelector {
        private final Proxy proxy;
        private final List<String> exceptions;

        OneProxy(String host, int port, List<String> exceptions) {
            this.proxy = new Proxy(Proxy.Type.HTTP, InetSocketAddress.createUnresolved(host, port));
            this.exceptions = exceptions;
        }

        @Override
        public List<Proxy> select(URI address) {
            return List.of(exceptions.stream().anyMatch(entry -> covers(entry, address)) ? Proxy.NO_PROXY : proxy);
        }

        /** {@code *}, a host, or a domain with or without its dot; each with a port where only that is meant. */
        private static boolean covers(String entry, URI address) {
            String domain = entry.toLowerCase(Locale.ROOT).replaceFirst("^\\*?\\.", "");
            if (domain.matches("[^:]+:\\d+")) {
                if (!domain.endsWith(":" + (address.getPort() < 0 ? 443 : address.getPort()))) {
                    return false;
                }
                domain = domain.substring(0, domain.indexOf(':'));
            }
            String host = address.getHost() == null ? "" : address.getHost().toLowerCase(Locale.ROOT);
            return domain.equals("*") || (!domain.isEmpty() && (host.equals(domain) || host.endsWith("." + domain)));
        }

        @Override
        public void connectFailed(URI address, SocketAddress proxyAddress, IOException cause) {
            // The client reports it.
        }
    }

    /** Name and password, for the proxy and nobody else. */
    private static final class Credentials extends Authenticator {
        private final String host;
        private final String user;
        private final String password;

        Credentials(String host, String user, String password) {
            this.host = host;
            this.user = user;
            this.password = password;
        }

        @Override
        protected @Nullable PasswordAuthentication getPasswordAuthentication() {
            return getRequestorType() == RequestorType.PROXY && host.equalsIgnoreCase(getRequestingHost())
                    ? new PasswordAuthentication(user, password.toCharArray())
                    : null;
        }
    }
}
