package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;

/** PNG rows of any content, as many as the header wants. */
class PngRowsFuzzTest {

    @FuzzTest
    void bounded(byte[] content) throws IOException {
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
        ImageBounds.check(png.chunk("IDAT", PngWriter.deflated(rows))
                .chunk("IEND", new byte[0])
                .bytes());
    }
}
