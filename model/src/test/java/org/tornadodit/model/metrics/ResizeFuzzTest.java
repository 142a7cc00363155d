package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.ByteBuffer;

/** Resizes an image of any shape to any other, both small. */
class ResizeFuzzTest {

    @FuzzTest
    void bounded(byte[] content) {
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
}
