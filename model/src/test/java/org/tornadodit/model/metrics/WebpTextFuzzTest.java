package org.tornadodit.model.metrics;

import com.code_intelligence.jazzer.junit.FuzzTest;
import java.nio.file.Path;

/** The texts of a WebP, see {@link PictureTextBounds}. */
class WebpTextFuzzTest {
    private static final Path FILE = Path.of("x.webp");

    @FuzzTest
    void bounded(byte[] content) {
        PictureTextBounds.check(FILE, content);
    }
}
