package org.tornadodit.runner.download;

import java.net.URI;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A published file.
 *
 * @param path where it goes, below the weights' folder
 * @param address https
 * @param size bytes; 0 where no size is known beforehand
 * @param sha256 64 hexadecimal digits; null where no checksum is known beforehand
 */
public record RemoteFile(
        String path, URI address, long size, @Nullable String sha256) {

    /** Its name without folders. */
    public String name() {
        return path.substring(path.lastIndexOf('/') + 1);
    }

    /** Bytes in words: {@code 547 B}, {@code 334.6 MB}, {@code 2.70 GB}; decimal units, as download pages have them. */
    public static String words(long bytes) {
        if (bytes >= 1_000_000_000L) {
            return String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
        }
        if (bytes >= 1_000_000L) {
            return String.format(Locale.ROOT, "%.1f MB", bytes / 1e6);
        }
        return bytes >= 10_000L ? String.format(Locale.ROOT, "%.1f kB", bytes / 1e3) : bytes + " B";
    }
}
