package org.tornadodit.model.metrics;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Whatever the bytes, there is an image or an {@link ImageFileException}, in time and memory that the size of the image
 * and of the file bound: what the targets that search for images check.
 */
final class ImageBounds {
    private static final Path FILE = Path.of("fuzz");

    /** Of an image that is decoded: larger ones take longer, and find nothing else. */
    private static final long MOST_PIXELS = 1 << 18;

    /** Of the processor, for an image and a file as large as they are here. */
    private static final double MOST_SECONDS = 3;

    private static final long BYTES_PER_PIXEL = 64;
    private static final long BYTES_PER_BYTE = 64;
    private static final long BYTES_EVER = 32 << 20;

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    private ImageBounds() {}

    /** What is beyond the bounds has to be so twice: classes are loaded and instrumented on the way. */
    static void check(byte[] content) {
        Optional<String> excess = excess(content);
        if (excess.isPresent()) {
            excess = excess(content);
        }
        excess.ifPresent(figures -> {
            throw new AssertionError(figures);
        });
    }

    private static Optional<String> excess(byte[] content) {
        long cpu = THREADS.getCurrentThreadCpuTime();
        long allocated = THREADS.getCurrentThreadAllocatedBytes();
        long pixels = 0;
        try {
            pixels = ImageFiles.size(FILE, content).pixels();
            if (pixels <= MOST_PIXELS) {
                ImageFiles.parse(FILE, content);
            }
        } catch (ImageFileException refused) {
            String message = String.valueOf(refused.getMessage());
            if (message.length() > 400 || message.chars().anyMatch(Character::isISOControl)) {
                throw new AssertionError("not one printable line: " + message);
            }
        }
        double seconds = (THREADS.getCurrentThreadCpuTime() - cpu) / 1e9;
        long bytes = THREADS.getCurrentThreadAllocatedBytes() - allocated;
        long most = BYTES_EVER + BYTES_PER_BYTE * content.length + BYTES_PER_PIXEL * Math.min(pixels, MOST_PIXELS);
        return seconds <= MOST_SECONDS && bytes <= most
                ? Optional.empty()
                : Optional.of("%.1f s and %d bytes for %d pixels in a file of %d bytes"
                        .formatted(seconds, bytes, pixels, content.length));
    }
}
