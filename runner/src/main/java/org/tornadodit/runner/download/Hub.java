package org.tornadodit.runner.download;

import java.net.URI;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The Hugging Face hub, or a mirror of it.
 *
 * @param endpoint from HF_ENDPOINT
 * @param token from HF_TOKEN, for the endpoint's host and no other; null without one
 */
public record Hub(URI endpoint, @Nullable String token) {

    /** @throws DownloadException when HF_ENDPOINT is no https address */
    public static Hub of(Map<String, String> environment) throws DownloadException {
        String set = environment.getOrDefault("HF_ENDPOINT", "").strip();
        String token = environment.getOrDefault("HF_TOKEN", "").strip();
        URI endpoint = PublishedWeights.HUB;
        if (!set.isEmpty()) {
            try {
                endpoint = URI.create(set);
            } catch (IllegalArgumentException e) {
                throw new DownloadException("HF_ENDPOINT is %s, expected an https address".formatted(set), e);
            }
            if (!"https".equalsIgnoreCase(endpoint.getScheme()) || endpoint.getHost() == null) {
                throw new DownloadException("HF_ENDPOINT is %s, expected an https address".formatted(set));
            }
        }
        // A header of the protocol ends at a line break.
        return new Hub(endpoint, token.isEmpty() || token.matches("(?s).*[^\\x21-\\x7e].*") ? null : token);
    }

    /** Whether an address is the hub's own, so that the token may go there. */
    boolean owns(URI address) {
        return address.getHost() != null
                && address.getHost()
                        .toLowerCase(Locale.ROOT)
                        .equals(endpoint.getHost().toLowerCase(Locale.ROOT))
                && port(address) == port(endpoint);
    }

    private static int port(URI address) {
        return address.getPort() < 0 ? 443 : address.getPort();
    }

    @Override
    public String toString() {
        return endpoint.toString(); // without the token
    }
}
