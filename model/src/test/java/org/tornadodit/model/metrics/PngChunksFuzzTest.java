package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.util.Arrays;
import java.util.List;

/** PNG chunks whose checksums are right, which a search does not find: type, size and content of each are the input's. */
class PngChunksFuzzTest {
    private static final List<String> TYPES = List.of("IHDR", "PLTE", "IDAT", "IEND", "tRNS", "zTXt", "gAMA", "fdAT");

    @FuzzTest
    void bounded(byte[] content) {
        PngWriter png = new PngWriter();
        for (int at = 0; at + 2 <= content.length; ) {
            String type = TYPES.get(content[at] & 7);
            boolean deflate = (content[at] & 8) != 0;
            int end = Math.min(content.length, at + 2 + (content[at + 1] & 0xFF));
            byte[] part = Arrays.copyOfRange(content, at + 2, end);
            png.chunk(type, deflate ? PngWriter.deflated(part) : part);
            at = end;
        }
        ImageBounds.check(png.bytes());
    }
}
