package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/**
 * Whatever the bytes, there is an image or an {@link ImageFileException}, in time and memory that the size of the image
 * and of the file bound. Runs over the inputs in the resources as a plain test; with {@code JAZZER_FUZZ=1} it searches for
 * new ones, a method at a time.
 */
class ImageFuzzTest {

    private static final Path FILE = Path.of("fuzz");

    /** Of an image that is decoded: larger ones take longer, and find nothing else. */
    private static final long MOST_PIXELS = 1 << 18;

    /** Of the processor, for an image and a file as large as they are here. */
    private static final double MOST_SECONDS = 3;

    private static final long BYTES_PER_PIXEL = 64;
    private static final long BYTES_PER_BYTE = 64;
    private static final long BYTES_EVER = 32 << 20;

    private static final List<String> TYPES = List.of("IHDR", "PLTE", "IDAT", "IEND", "tRNS", "zTXt", "gAMA", "fdAT");

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    @FuzzTest(maxDuration = "60s")
    void png(byte[] content) {
        read(content);
    }

    @FuzzTest(maxDuration = "60s")
    void jpeg(byte[] content) {
        read(content);
    }

    /** Chunks whose checksums are right, which a fuzzer does not find: type, size and content of each are the input's. */
    @FuzzTest(maxDuration = "60s")
    void pngChunks(byte[] content) {
        PngWriter png = new PngWriter();
        for (int at = 0; at + 2 <= content.length; ) {
            String type = TYPES.get(content[at] & 7);
            boolean deflate = (content[at] & 8) != 0;
            int end = Math.min(content.length, at + 2 + (content[at + 1] & 0xFF));
            byte[] part = Arrays.copyOfRange(content, at + 2, end);
            png.chunk(type, deflate ? PngWriter.deflated(part) : part);
            at = end;
        }
        read(png.bytes());
    }

    /** Rows of any content, as many as the header wants. */
    @FuzzTest(maxDuration = "60s")
    void pngRows(byte[] content) throws IOException {
        if (content.length < 5) {
            return;
        }
        int type = List.of(0, 2, 3, 4, 6).get((content[2] & 0xFF) % 5);
        int bits = List.of(1, 2, 4, 8, 16).get((content[2] & 0xFF) / 5 % 5);
        byte[] header = PngWriter.headerOf(1 + (content[0] & 15), 1 + (content[1] & 15), bits, type, content[3] & 1);
        PngWriter png = new PngWriter().chunk("IHDR", header);
        if (type == 3) {
            png.chunk("PLTE", Arrays.copyOf(content, 3 * (1 + (content[3] >> 1 & 63))));
        }
        byte[] rows = new byte[(int) PngChunks.rowBytes(header)];
        for (int i = 0; i < rows.length; i++) {
            rows[i] = content[4 + i % (content.length - 4)];
        }
        read(png.chunk("IDAT", PngWriter.deflated(rows))
                .chunk("IEND", new byte[0])
                .bytes());
    }

    /** Resizes an image of any shape to any other, both small. */
    @FuzzTest(maxDuration = "60s")
    void resize(byte[] content) {
        if (content.length < 12) {
            return;
        }
        ByteBuffer sizes = ByteBuffer.wrap(content);
        int width = 1 + (sizes.getShort(0) & 0x7F);
        int height = 1 + (sizes.getShort(2) & 0x7F);
        int toWidth = 1 + (sizes.getShort(4) & 0x7F);
        int toHeight = 1 + (sizes.getShort(6) & 0x7F);
        byte[] levels = new byte[width * height * RgbImage.CHANNELS];
        for (int i = 0; i < levels.length; i++) {
            levels[i] = content[8 + i % (content.length - 8)];
        }
        RgbImage resized = Lanczos.resize(new RgbImage(width, height, levels), toWidth, toHeight);
        if (resized.width() != toWidth || resized.height() != toHeight) {
            throw new AssertionError("resized to " + resized);
        }
    }

    /** What is beyond the bounds has to be so twice: classes are loaded and instrumented on the way. */
    private static void read(byte[] content) {
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
