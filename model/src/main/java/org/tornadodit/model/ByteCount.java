package org.tornadodit.model;

import java.util.Locale;

/** Sizes of memory in words. */
public final class ByteCount {
    private ByteCount() {}

    /** In the unit that suits it, powers of ten: {@code 1.23 GB}, {@code 34 MB}, {@code 5 KB}. */
    public static String of(long bytes) {
        if (bytes >= 999_500_000L) {
            return String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
        }
        if (bytes >= 999_500L) {
            return String.format(Locale.ROOT, "%.0f MB", bytes / 1e6);
        }
        return bytes >= 1000 ? String.format(Locale.ROOT, "%.0f KB", bytes / 1e3) : bytes + " bytes";
    }
}
