package org.tornadodit.runner.download;

import java.io.InputStream;
import java.net.http.HttpHeaders;
import java.net.http.HttpResponse;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a server answered after all redirections.
 *
 * @param response the last one
 * @param linkedSize bytes of the whole file as the hub tells them before it redirects; 0 where it does not
 * @param linkedSha256 the file's SHA-256, told in the same way; null where it is not
 */
record Answer(
        HttpResponse<InputStream> response,
        long linkedSize,
        @Nullable String linkedSha256) {

    private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (?:(\\d{1,18})-\\d{1,18}|\\*)/(\\d{1,18}|\\*)");

    int status() {
        return response.statusCode();
    }

    private HttpHeaders headers() {
        return response.headers();
    }

    /** What names this version of the file in an If-Range: a strong ETag, else a date; null without either. */
    @Nullable
    String validator() {
        Optional<String> tag = headers().firstValue("ETag").filter(text -> text.startsWith("\""));
        return tag.or(() -> headers().firstValue("Last-Modified")).orElse(null);
    }

    /** Where the bytes of a partial answer begin; -1 where it does not say. */
    long rangeStart() {
        Matcher range = contentRange();
        return range.matches() && range.group(1) != null ? Long.parseLong(range.group(1)) : -1;
    }

    /** Bytes of the whole file; 0 where the server does not say. */
    long totalSize() {
        Matcher range = contentRange();
        if (range.matches()) {
            return range.group(2).equals("*") ? 0 : Long.parseLong(range.group(2));
        }
        return status() == 200 ? headers().firstValueAsLong("Content-Length").orElse(0) : 0;
    }

    private Matcher contentRange() {
        return CONTENT_RANGE.matcher(headers().firstValue("Content-Range").orElse(""));
    }
}
